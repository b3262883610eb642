"""Feature tables of the newest bars, computed from a tail of the candles.

A signal is a function of its window, and windows are short beside a history. So a tail
that is longer than the longest of them gives the same last rows as all candles would.
Two things do not fit into a window: averages with exponential weights, whose memory
fades (slowest in ``rsi_13_1d``, by a twelfth a day), and the unit in which a segment's
prices are counted, which moves the last bit of a logarithm. From ``TAIL_BARS`` on both
are less than a unit in the last place of the float32 that a table holds; a test
compares the tables.
"""

from collections.abc import Mapping
from functools import cached_property

import pandas as pd

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.features.side_by_side import SideBySide

TAIL_BARS = 6000
"""Hours, 250 days: (12/13) ** 250 is 2e-9."""


class NewestFeatures:
    """Feature tables of now, after the recipe of whoever asks; each is made once.

    Parameters
    ----------
    candles
        Clean candles by asset, at least ``TAIL_BARS`` of each where there are as many.
    shares
        Dominance by open time, as `join_dominance` gives it.
    """

    def __init__(
        self, candles: Mapping[str, pd.DataFrame], shares: pd.DataFrame
    ) -> None:
        self.candles = candles
        self._shares = shares
        self._made: dict[tuple[str, float, FeatureSettings], pd.DataFrame] = {}

    def tables(self, recipe: FeatureRecipe) -> dict[str, pd.DataFrame]:
        """Return the tables of all assets that have candles and are in a recipe.

        The others still are part of the market around them.
        """
        return {
            asset: self.table(asset, recipe)
            for asset in self.candles
            if asset in recipe.orders
        }

    def table(self, asset: str, recipe: FeatureRecipe) -> pd.DataFrame:
        """Return the table of an asset that has candles.

        Raises
        ------
        ValueError
            If the recipe is not for it.
        """
        if asset not in recipe.orders:
            raise ValueError(
                f"The recipe of its features has no fractional order for {asset}: "
                "train it again."
            )
        key = (asset, recipe.orders[asset], recipe.settings)
        if key not in self._made:
            self._made[key] = asset_features(
                self.candles[asset],
                self._context,
                recipe.orders[asset],
                recipe.settings,
            )
        return self._made[key]

    @cached_property
    def _context(self) -> MarketContext:
        together = SideBySide.of({name: own.copy for name, own in self.candles.items()})
        return MarketContext.of(together, self._shares)
