"""Forecasts as a walk leaves them, drawn with a known skill."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.tuning import TuningSettings

COST = 0.002
HORIZON = 12


def draw_forecasts(
    seed: int = 3,
    assets: tuple[str, ...] = ("BTC", "ETH"),
    folds: int = 3,
    hours: int = 240,
    skill: float = 0.5,
) -> pd.DataFrame:
    """A row per hour, asset and fold; the rank is the uniform of a skilled score."""
    rng = np.random.default_rng(seed)
    n_hours = folds * hours
    clock = pd.date_range("2023-01-01", periods=n_hours, freq="h", tz="UTC", unit="us")
    own = []
    for asset in assets:
        outcome = rng.normal(size=n_hours)
        score = skill * outcome + rng.normal(size=n_hours)
        own.append(
            pd.DataFrame(
                {
                    "timestamp": clock,
                    "asset": asset,
                    "fold": np.repeat(np.arange(1, folds + 1), hours).astype(np.int8),
                    "forward_return": 0.02 * outcome,
                    "is_positive": 0.02 * outcome > COST,
                    "probability": 1 / (1 + np.exp(0.2 - 0.4 * score)),
                    "rank": score.argsort().argsort() / (n_hours - 1),
                    "threshold": 0.9,
                }
            )
        )
    table = pd.concat(own).sort_values(["timestamp", "asset"], ignore_index=True)
    return table.assign(is_signal=table["rank"] >= table["threshold"])


def small_settings(**changes: object) -> TuningSettings:
    values = {
        "label": Label(horizon_bars=12, round_trip_cost=COST),
        "lowest_rank": 0.8,
        "highest_rank": 0.99,
        "highest_margin": 0.1,
        "base_rate_days": 5,
        "recall_floor": 0.1,
        "prior_effective_signals": 20.0,
        "trials": 16,
        "startup_trials": 6,
        "seed": 7,
    }
    return TuningSettings(**(values | changes))


def draw_walk(
    *,
    folds: int = 3,
    fold_hours: int = 480,
    warmup_hours: int = 240,
    skill: float = 0.8,
    assets: tuple[str, ...] = ("BTC", "ETH", "SOL"),
    seed: int = 5,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Clean candles, and forecasts of their next 12 hours with a known skill."""
    rng = np.random.default_rng(seed)
    n_hours = warmup_hours + folds * fold_hours + HORIZON + 1
    clock = pd.date_range("2023-01-01", periods=n_hours, freq="h", tz="UTC", unit="us")
    candles, forecasts = [], []
    for asset in assets:
        close = 100 * np.exp(np.cumsum(0.006 * rng.standard_normal(n_hours)))
        open_ = np.append(100.0, close[:-1])
        candles.append(
            pd.DataFrame(
                {
                    "timestamp": clock,
                    "open": open_,
                    "high": np.maximum(open_, close) * 1.003,
                    "low": np.minimum(open_, close) * 0.997,
                    "close": close,
                    "volume": 1.0,
                    "asset": asset,
                    "symbol": f"{asset}USDT",
                    "is_filled": False,
                    "segment": np.int32(0),
                }
            )
        )
        rows = np.arange(warmup_hours, n_hours - HORIZON - 1)
        outcome = open_[rows + 1 + HORIZON] / open_[rows + 1] - 1
        score = skill * outcome / 0.02 + rng.normal(size=len(rows))
        forecasts.append(
            pd.DataFrame(
                {
                    "timestamp": clock[rows],
                    "asset": asset,
                    "fold": np.repeat(np.arange(1, folds + 1), fold_hours).astype("i1"),
                    "forward_return": outcome,
                    "probability": 1 / (1 + np.exp(0.2 - 0.5 * score)),
                }
            )
        )
    return tuple(
        pd.concat(parts).sort_values(["timestamp", "asset"], ignore_index=True)
        for parts in (candles, forecasts)
    )


@pytest.fixture(scope="session")
def walk_with() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    return draw_walk


@pytest.fixture(scope="session")
def draw() -> Callable[..., pd.DataFrame]:
    return draw_forecasts


@pytest.fixture(scope="session")
def settings_with() -> Callable[..., TuningSettings]:
    return small_settings
