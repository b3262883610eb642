"""Look at the whole market once, then build the features asset by asset."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.order import fractional_orders
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.reports.console import processing_lines
from fleet_kedro.splits.walk_forward import WalkForward

logger = logging.getLogger(__name__)


def gather_context(
    candles: pd.DataFrame, dominance: pd.DataFrame, policy: DominancePolicy
) -> MarketContext:
    """Compute what the whole market did at each hour."""
    hours = pd.DatetimeIndex(candles["timestamp"].unique())
    return MarketContext.from_panel(candles, join_dominance(hours, dominance, policy))


def find_fractional_orders(
    candles: pd.DataFrame,
    fleet_window: dict[str, Any],
    walk: WalkForward,
    features: FeatureSettings,
) -> dict[str, float]:
    """Choose each asset's order on the candles before the first scored forecast."""
    folds = walk.split(
        pd.Timestamp(fleet_window["start"]), pd.Timestamp(fleet_window["end"])
    )
    first_scored = next(fold for fold in folds if fold.is_scored)
    until = first_scored.train_end
    return dict(fractional_orders(candles, until, features.fractional))


def build_features(
    candles: pd.DataFrame,
    context: MarketContext,
    orders: dict[str, float],
    fleet_window: dict[str, Any],
    settings: FeatureSettings,
) -> Mapping[str, Callable[[], pd.DataFrame]]:
    """Build one table per asset, each when it is saved: one at a time in memory."""
    start = pd.Timestamp(fleet_window["start"])
    return {
        str(asset): partial(_build, own, context, orders[str(asset)], start, settings)
        for asset, own in candles.groupby("asset")
    }


def _build(
    candles: pd.DataFrame,
    context: MarketContext,
    order: float,
    start: pd.Timestamp,
    settings: FeatureSettings,
) -> pd.DataFrame:
    table = asset_features(candles, context, order, settings)
    logger.info("\n".join(processing_lines(candles, table, order, start)))
    return table
