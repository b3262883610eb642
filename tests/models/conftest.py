"""A brain that has learnt from a small synthetic fleet."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.labels.forward_return import Label, is_positive
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.experts.pattern import PatternSettings
from fleet_kedro.models.experts.trend import TrendSettings
from fleet_kedro.models.fleet_rows import expert_inputs, gather_rows
from fleet_kedro.models.trained_brain import TrainedBrain
from fleet_kedro.models.training import TrainingSettings
from fleet_kedro.splits.walk_forward import Fold

TREES = TrendSettings(n_trees=30)
SETTINGS = BrainSettings(
    label=Label(horizon_bars=12, round_trip_cost=0.002),
    refiner=RefinerSettings(
        n_latents=8, max_cluster_size=64, variance_kept=0.95, link_block_days=5
    ),
    experts=ExpertsSettings(
        trend=TREES,
        surface=TREES,
        pattern=PatternSettings(training=TrainingSettings(epochs=1)),
    ),
    use_asset_embedding="one_hot",
    use_energy=True,
    mask_chaos=True,
    gate_penalty=1e-2,
    gate_balance=5e-4,
    surface_signals=("momentum_3", "rsi_13", "wick_imbalance_1"),
    pattern_bars=64,
    seed=3,
)

Features = dict[str, Callable[[], pd.DataFrame]]


@pytest.fixture(scope="session")
def fleet_features(planted_fleet: Any) -> Features:
    return planted_fleet.features()


@pytest.fixture(scope="session")
def trained_brain(fleet_features: Features) -> TrainedBrain:
    """The real mixture, which has learnt from all but the last ten days."""
    times = fleet_features["BTC"]()["timestamp"]
    end = times.iloc[-1] - 240 * BAR
    window = Fold(1, times.iloc[0], end, end, end)
    signals = catalogue("lean")
    rows = gather_rows(
        fleet_features, signals, [window], SETTINGS, extra=SETTINGS.surface_signals
    )
    known = rows.table["forward_return"].notna() & (rows.table["timestamp"] < end)
    train = np.flatnonzero(known)
    table = rows.table.iloc[train]
    mixture = SETTINGS.unfitted(n_assets=3).fit(
        expert_inputs(table, rows.latents[0][train], SETTINGS),
        is_positive(table["forward_return"].to_numpy(), SETTINGS.label),
        asset=table["asset"].to_numpy(),
    )
    names = tuple(signal.name for signal in signals)
    thresholds = {"BTC": 0.9, "ETH": 1 / 3}
    return TrainedBrain(SETTINGS, names, rows.refiners[0], mixture, thresholds)
