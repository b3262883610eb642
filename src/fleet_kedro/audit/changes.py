"""One world made into another: each function changes one thing and copies the rest."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from fleet_kedro.audit.world import World
from fleet_kedro.market.schema import BAR, CANDLE, PRICES

# Spread of the factors on prices and volumes: enough to turn most labels around.
PERTURBATION = 0.1


def without_future(world: World, moment: pd.Timestamp) -> World:
    """Return the world as it was known when the candle of ``moment`` opened."""
    past = world.candles["timestamp"] < moment
    is_out = world.dominance["available_at"] <= moment
    return replace(
        world,
        candles=world.candles.loc[past].reset_index(drop=True),
        dominance=world.dominance.loc[is_out].reset_index(drop=True),
    )


def with_other_future(
    world: World, moment: pd.Timestamp, rng: np.random.Generator
) -> World:
    """Multiply prices and volumes from ``moment`` on, and shares published later."""
    later = (world.candles["timestamp"] >= moment).to_numpy()
    is_news = (world.dominance["available_at"] > moment).to_numpy()
    candles, dominance = world.candles.copy(), world.dominance.copy()
    for columns in (PRICES, ["volume"]):
        factor = _factors(int(later.sum()), rng)
        candles.loc[later, columns] = candles.loc[later, columns].mul(factor, axis=0)
    dominance.loc[is_news, "dominance_pct"] *= rng.uniform(0.5, 0.9, is_news.sum())
    return replace(world, candles=candles, dominance=dominance)


def with_other_inputs(
    world: World, read: Sequence[str], rng: np.random.Generator
) -> World:
    """Change every candle at every time, but for the columns that are read."""
    candles = world.candles.copy()
    for column in CANDLE:
        if column not in read:
            candles[column] *= _factors(len(candles), rng)
    body = candles[["open", "close"]]
    if "high" not in read:
        candles["high"] = np.maximum(candles["high"], body.max(axis="columns"))
    if "low" not in read:
        candles["low"] = np.minimum(candles["low"], body.min(axis="columns"))
    return replace(world, candles=candles, held_orders=world.orders)


def with_later_start(world: World, moment: pd.Timestamp) -> World:
    """Drop the candles before ``moment``; keep the fractional orders.

    The orders are chosen on all candles before the first forecast, by design.
    """
    kept = world.candles["timestamp"] >= moment
    return replace(
        world,
        candles=world.candles.loc[kept].reset_index(drop=True),
        held_orders=world.orders,
    )


def with_other_old_rows(
    world: World, moment: pd.Timestamp, rng: np.random.Generator
) -> World:
    """Keep the feature tables bit for bit, but change their rows before ``moment``."""
    changed = {
        asset: _with_noise(table, table["timestamp"] < moment, rng)
        for asset, table in world.features.items()
    }
    return replace(world, held_orders=world.orders, held_features=changed)


def with_reversed_assets(world: World) -> World:
    """Lay the assets of every hour, and so of the whole fleet, the other way round."""
    candles = world.candles.sort_values(
        ["timestamp", "asset"], ascending=[True, False], ignore_index=True
    )
    return replace(world, candles=candles)


def with_gap(world: World, asset: str, moment: pd.Timestamp, hours: int) -> World:
    """Take ``hours`` candles from ``moment`` on out of one asset and split it there."""
    own = world.candles["asset"] == asset
    stamps = world.candles["timestamp"]
    behind = own & (stamps >= moment + hours * BAR)
    missing = own & (stamps >= moment) & ~behind
    segment = world.candles["segment"] + behind.astype(np.int32)
    candles = world.candles.assign(segment=segment).loc[~missing]
    return replace(
        world, candles=candles.reset_index(drop=True), held_orders=world.orders
    )


def without_past(world: World, asset: str, moment: pd.Timestamp) -> World:
    """Forget everything that one asset did before ``moment``."""
    own = world.candles["asset"] == asset
    forgotten = own & (world.candles["timestamp"] < moment)
    return replace(
        world,
        candles=world.candles.loc[~forgotten].reset_index(drop=True),
        held_orders=world.orders,
    )


def _factors(count: int, rng: np.random.Generator) -> np.ndarray:
    return np.exp(rng.normal(0.0, PERTURBATION, count))


def _with_noise(
    table: pd.DataFrame, is_changed: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Multiply all numbers of some rows by noise."""
    numbers = table.select_dtypes(["float32", "float64"]).columns
    shape = (int(is_changed.sum()), len(numbers))
    noisy = table.copy()
    noise = np.exp(rng.normal(0.0, PERTURBATION, shape)).astype(np.float32)
    noisy.loc[is_changed, numbers] *= noise
    return noisy
