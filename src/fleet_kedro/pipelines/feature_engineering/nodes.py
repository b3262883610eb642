"""Look at the whole market once, then build the features asset by asset."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.fractional import FractionalDifference
from fleet_kedro.features.order import fractional_orders
from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.features.side_by_side import SideBySide
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.reports.console import processing_lines
from fleet_kedro.splits.walk_forward import Fold, WalkForward, first_scored_with

logger = logging.getLogger(__name__)


def gather_context(
    candles: CandleLoaders, dominance: pd.DataFrame, policy: DominancePolicy
) -> MarketContext:
    """Compute what the whole market did at each hour."""
    together = SideBySide.of(candles)
    shares = join_dominance(together.hours, dominance, policy)
    return MarketContext.of(together, shares)


def choose_recipe(
    candles: CandleLoaders,
    fleet_window: dict[str, Any],
    walk: WalkForward,
    features: FeatureSettings,
) -> dict[str, Any]:
    """Choose each asset's order on the candles before the first scored forecast.

    Returns how the features are to be made, for a file.
    """
    folds = walk.split(
        pd.Timestamp(fleet_window["start"]), pd.Timestamp(fleet_window["end"])
    )
    orders: dict[str, float] = {}
    for load in candles.values():
        orders.update(_order(load, folds, features.fractional))
    return FeatureRecipe(settings=features, orders=orders).to_json()


def build_features(
    candles: CandleLoaders,
    context: MarketContext,
    feature_recipe: dict[str, Any],
    fleet_window: dict[str, Any],
) -> Mapping[str, Callable[[], pd.DataFrame]]:
    """Build one table per asset, each when it is saved: one at a time in memory."""
    start = pd.Timestamp(fleet_window["start"])
    recipe = FeatureRecipe.read(feature_recipe)
    return {
        asset: partial(
            _build, load, context, recipe.orders[asset], start, recipe.settings
        )
        for asset, load in candles.items()
    }


def _order(
    load: Callable[[], pd.DataFrame],
    folds: Sequence[Fold],
    config: FractionalDifference,
) -> Mapping[str, float]:
    candles = load()
    until = first_scored_with(folds, candles["timestamp"].iloc[0]).train_end
    return fractional_orders(candles, until, config)


def _build(
    load: Callable[[], pd.DataFrame],
    context: MarketContext,
    order: float,
    start: pd.Timestamp,
    settings: FeatureSettings,
) -> pd.DataFrame:
    candles = load()
    table = asset_features(candles, context, order, settings)
    logger.info("\n".join(processing_lines(candles, table, order, start)))
    return table
