"""All that could be known, and what the project derives from it.

A derived thing is computed by the project's own functions, the first time that a step
asks for it, and shared by the steps of the same world.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from fleet_kedro.audit.settings import AuditSettings
from fleet_kedro.features.build import asset_features
from fleet_kedro.features.catalogue import Signal, catalogue
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.order import fractional_orders
from fleet_kedro.market.dominance import join_dominance
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.fleet_rows import FleetRows, gather_rows
from fleet_kedro.splits.walk_forward import Fold, WalkForward
from fleet_kedro.validation.walk_forward import Walk, walk_forward

# A fold is walked once this much of its validation span lies in the past: its first
# forecasts then have an outcome.
FEWEST_VALIDATION_HOURS = 48


@dataclass(frozen=True, eq=False)
class World:
    """Candles, dominance, and the window that the walk is cut from.

    Attributes
    ----------
    candles
        A clean panel; the assets of an hour in any order.
    dominance
        A ``Dominance`` frame, possibly empty.
    start, end
        First and last bar of the window. They are given, not found in the candles, so
        that a world without its future is cut into the same folds.
    gap_moment
        An hour in which one asset has no candle, inside a long gap.
    held_orders, held_features
        Taken over from another world instead of computed, where a check is about what
        comes after them.
    """

    candles: pd.DataFrame
    dominance: pd.DataFrame
    start: pd.Timestamp
    end: pd.Timestamp
    gap_moment: pd.Timestamp
    settings: AuditSettings
    held_orders: Mapping[str, float] | None = None
    held_features: Mapping[str, pd.DataFrame] | None = None
    _tables: dict[Callable[["World"], pd.DataFrame], pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False
    )

    def table(self, tabulate: Callable[["World"], pd.DataFrame]) -> pd.DataFrame:
        """Tabulate a step of this world, once."""
        if tabulate not in self._tables:
            self._tables[tabulate] = tabulate(self)
        return self._tables[tabulate]

    @cached_property
    def by_asset(self) -> dict[str, pd.DataFrame]:
        """Each asset's candles, in time order; assets as they first appear."""
        groups = self.candles.groupby("asset", sort=False)
        return {str(asset): own.reset_index(drop=True) for asset, own in groups}

    @property
    def assets(self) -> tuple[str, ...]:
        """Names of the assets, as they first appear."""
        return tuple(self.by_asset)

    def folds(self, walk: WalkForward | None = None) -> list[Fold]:
        """Cut the window; leave out the folds that these candles do not reach into."""
        now = self.candles["timestamp"].max() + BAR
        return [
            fold
            for fold in (walk or self.settings.walk_forward).split(self.start, self.end)
            if fold.validation_start + FEWEST_VALIDATION_HOURS * BAR <= now
        ]

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Dominance as known at the close of each hour."""
        hours = pd.DatetimeIndex(self.candles["timestamp"].unique()).sort_values()
        return join_dominance(hours, self.dominance, self.settings.dominance)

    @cached_property
    def context(self) -> MarketContext:
        """What the whole market did at each hour."""
        return MarketContext.from_panel(self.candles, self.shares)

    @cached_property
    def orders(self) -> Mapping[str, float]:
        """Fractional order of each asset, chosen before the first forecast."""
        if self.held_orders is not None:
            return self.held_orders
        until = self.folds()[0].train_end
        return fractional_orders(self.candles, until, self.settings.features.fractional)

    @cached_property
    def features(self) -> Mapping[str, pd.DataFrame]:
        """Feature table of each asset, as the walk reads it."""
        if self.held_features is not None:
            return self.held_features
        return {
            asset: asset_features(
                own, self.context, self.orders[asset], self.settings.features
            )
            for asset, own in self.by_asset.items()
        }

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals among the features of the walk."""
        return catalogue(self.settings.features.profile)

    @property
    def loaders(self) -> dict[str, Callable[[], pd.DataFrame]]:
        """The features as the walk wants them: a function per asset."""
        return {asset: table.copy for asset, table in self.features.items()}

    @cached_property
    def rows(self) -> FleetRows:
        """The usable rows, and the latents of each fold."""
        return gather_rows(
            self.loaders, self.signals, self.folds(), self.settings.walk.brain
        )

    @cached_property
    def walk(self) -> Walk:
        """What a walk through all folds leaves behind."""
        return walk_forward(
            self.loaders, self.signals, self.folds(), self.settings.walk
        )
