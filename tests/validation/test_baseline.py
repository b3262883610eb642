"""Brains of their own, and a fleet that an asset joins late."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.experts.pattern import PatternSettings
from fleet_kedro.models.experts.trend import TrendSettings
from fleet_kedro.models.training import TrainingSettings
from fleet_kedro.signals.thresholds import ThresholdSettings
from fleet_kedro.splits.walk_forward import Fold, WalkForward
from fleet_kedro.validation.baseline import walk_alone
from fleet_kedro.validation.tree_rival import TreeRival
from fleet_kedro.validation.walk_forward import WalkSettings, walk_forward

COST = 0.002
SIGNALS = catalogue("lean")
NAMES = [signal.name for signal in SIGNALS]
TREES = TrendSettings(n_trees=20)
SETTINGS = WalkSettings(
    brain=BrainSettings(
        label=Label(horizon_bars=12, round_trip_cost=COST),
        refiner=RefinerSettings(
            n_latents=8, max_cluster_size=64, variance_kept=0.9, link_block_days=5
        ),
        experts=ExpertsSettings(
            trend=TREES, pattern=PatternSettings(training=TrainingSettings(epochs=1))
        ),
        use_asset_embedding="one_hot",
        use_energy=True,
        mask_chaos=True,
        gate_penalty=1e-2,
        gate_balance=5e-4,
        surface_signals=("momentum_3", "rsi_13"),
        pattern_bars=64,
        seed=1,
    ),
    thresholds=ThresholdSettings(
        rank_days=20,
        lowest_recall=0.1,
        highest_recall=0.2,
        candidates=3,
        prior_signals=100.0,
    ),
    volatility_null=TreeRival(signals=("close_volatility_13",), trees=TREES),
)

Features = dict[str, Callable[[], pd.DataFrame]]


@pytest.fixture(scope="module")
def features(planted_fleet: Any) -> Features:
    return planted_fleet.features()


@pytest.fixture(scope="module")
def folds(planted_fleet: Any) -> list[Fold]:
    walk = WalkForward(
        folds=2, warmup_folds=1, horizon_bars=12, embargo_bars=12, mode="expanding"
    )
    end = planted_fleet.candles["timestamp"].max()
    return walk.split(end - pd.Timedelta(days=90) + BAR, end)


@pytest.fixture(scope="module")
def alone(features: Features, folds: list[Fold]) -> pd.DataFrame:
    """How SOL and ETH fare, each with a brain of its own."""
    some = {asset: features[asset] for asset in ("SOL", "ETH")}
    return walk_alone(some, SIGNALS, folds, SETTINGS)


class TestAgainstSlowReference:
    def test_a_row_tells_how_a_walk_of_that_asset_alone_fared(
        self, alone: pd.DataFrame, features: Features, folds: list[Fold]
    ) -> None:
        table = alone.set_index("asset")
        assert table.index.tolist() == ["ETH", "SOL"]
        walk = walk_forward({"SOL": features["SOL"]}, SIGNALS, folds, SETTINGS)
        own = walk.forecasts
        signalled = own[own["is_signal"]]
        assert len(signalled) > 50
        assert own["asset"].unique().tolist() == ["SOL"]
        assert table.loc["SOL"].to_dict() == {
            "rows": len(own),
            "base_rate": pytest.approx(own["is_positive"].mean()),
            "signals": len(signalled),
            "precision": pytest.approx(signalled["is_positive"].mean()),
            "recall": pytest.approx(
                signalled["is_positive"].sum() / own["is_positive"].sum()
            ),
            "lift": pytest.approx(
                signalled["is_positive"].mean() - own["is_positive"].mean()
            ),
            "net_return": pytest.approx(signalled["forward_return"].mean() - COST),
        }


class TestProperties:
    def test_no_asset_gives_no_row_and_the_same_columns(
        self, alone: pd.DataFrame, folds: list[Fold]
    ) -> None:
        nothing = walk_alone({}, SIGNALS, folds, SETTINGS)
        assert len(nothing) == 0
        assert list(nothing) == list(alone)


class TestLateAsset:
    """SOL has no signal before the first scored training span ends."""

    def test_it_is_forecast_from_the_first_fold_on_that_has_learnt_its_scale(
        self, features: Features, folds: list[Fold], caplog: pytest.LogCaptureFixture
    ) -> None:
        table = features["SOL"]()
        table.loc[table["timestamp"] < folds[1].train_end, NAMES] = np.nan
        with caplog.at_level(logging.WARNING):
            joined = walk_forward(
                features | {"SOL": lambda: table}, SIGNALS, folds, SETTINGS
            )
        assert [message.split(" is left")[0] for message in caplog.messages] == [
            "SOL",
            "SOL",
        ]
        without = {asset: features[asset] for asset in ("BTC", "ETH")}
        before = walk_forward(without, SIGNALS, folds[:2], SETTINGS).forecasts
        forecasts = joined.forecasts
        first, second = (forecasts["fold"] == number for number in (1, 2))
        pd.testing.assert_frame_equal(forecasts.loc[first], before, check_exact=True)
        of_sol = forecasts.loc[second & (forecasts["asset"] == "SOL")]
        assert len(of_sol) > 300
        assert np.isfinite(of_sol["probability"]).all()
        # No forecast of its own has come true yet, so no threshold can be chosen.
        assert not of_sol["is_signal"].any()
        assert joined.folds["validation_rows"].sum() == len(forecasts)
