"""Forecasts as a walk leaves them, drawn with a known skill."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.tuning import TuningSettings

COST = 0.002


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


@pytest.fixture(scope="session")
def draw() -> Callable[..., pd.DataFrame]:
    return draw_forecasts


@pytest.fixture(scope="session")
def settings_with() -> Callable[..., TuningSettings]:
    return small_settings
