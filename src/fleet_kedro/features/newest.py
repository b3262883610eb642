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

import pandas as pd

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.side_by_side import SideBySide

TAIL_BARS = 6000
"""Hours, 250 days: (12/13) ** 250 is 2e-9."""


def newest_features(
    candles: Mapping[str, pd.DataFrame],
    shares: pd.DataFrame,
    orders: Mapping[str, float],
    settings: FeatureSettings,
) -> dict[str, pd.DataFrame]:
    """Compute the feature table of every asset that has a fractional order.

    Parameters
    ----------
    candles
        Clean candles by asset, at least ``TAIL_BARS`` of each where there are as many;
        those without an order still are part of the market around the others.
    shares
        Dominance by open time, as `join_dominance` gives it.
    orders
        Fractional orders as training has chosen them, by asset.
    """
    if not candles:
        return {}
    together = SideBySide.of({name: own.copy for name, own in candles.items()})
    context = MarketContext.of(together, shares)
    return {
        asset: asset_features(own, context, orders[asset], settings)
        for asset, own in candles.items()
        if asset in orders
    }
