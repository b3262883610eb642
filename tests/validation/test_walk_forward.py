"""The whole walk under one law: what comes later changes nothing that came before."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.schema import BAR, CANDLE
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.experts.pattern import PatternSettings
from fleet_kedro.models.experts.trend import TrendSettings
from fleet_kedro.models.training import TrainingSettings
from fleet_kedro.signals.thresholds import ThresholdSettings
from fleet_kedro.splits.walk_forward import Fold, WalkForward
from fleet_kedro.validation.rivals import rival_picks, rival_scores
from fleet_kedro.validation.telemetry import Telemetry, measure
from fleet_kedro.validation.tree_rival import TreeRival
from fleet_kedro.validation.walk_forward import Walk, WalkSettings, walk_forward

DAYS = 90
HORIZON = 12
COST = 0.002
SIGNALS = catalogue("lean")


LABEL = Label(horizon_bars=HORIZON, round_trip_cost=COST)


def settings(ablations: str = "off", **brain: Any) -> WalkSettings:
    trees = TrendSettings(n_trees=40)
    values = {
        "label": LABEL,
        "refiner": RefinerSettings(
            n_latents=12, max_cluster_size=64, variance_kept=0.95, link_block_days=5
        ),
        "experts": ExpertsSettings(
            trend=trees,
            surface=trees,
            pattern=PatternSettings(training=TrainingSettings(epochs=1)),
        ),
        "use_asset_embedding": "one_hot",
        "use_energy": True,
        "mask_chaos": True,
        "gate_penalty": 1e-2,
        "gate_balance": 5e-4,
        "surface_signals": ("momentum_3", "rsi_13", "wick_imbalance_1"),
        "pattern_bars": 64,
        "most_rows": 3_000,
        "seed": 3,
    }
    return WalkSettings(
        brain=BrainSettings(**(values | brain)),
        thresholds=ThresholdSettings(
            rank_days=20,
            lowest_recall=0.1,
            highest_recall=0.2,
            candidates=3,
            prior_signals=100.0,
        ),
        volatility_null=TreeRival(
            signals=("close_volatility_13", "volume_ratio_8", "hour_sine"), trees=trees
        ),
        quick_lightgbm=TreeRival(signals=("momentum_3", "rsi_13"), trees=trees),
        ablations=ablations,
    )


def folds_of(fleet: Any, folds: int = 2) -> list[Fold]:
    walk = WalkForward(
        folds=folds,
        warmup_folds=1,
        horizon_bars=HORIZON,
        embargo_bars=12,
        mode="expanding",
    )
    end = fleet.candles["timestamp"].max()
    return walk.split(end - pd.Timedelta(days=DAYS) + BAR, end)


def walk(fleet: Any, folds: list[Fold] | None = None, **brain: Any) -> Walk:
    return walk_forward(
        fleet.features(), SIGNALS, folds or folds_of(fleet), settings(**brain)
    )


def measured(walked: Walk) -> Telemetry:
    scores = rival_scores(walked.forecasts)
    bootstrap = BlockBootstrap(block_days=5, draws=500, level=0.9, seed=0)
    picks = rival_picks(walked.forecasts, scores)
    return measure(walked.forecasts, picks, scores, LABEL, bootstrap)


@pytest.fixture(scope="module")
def planted_walk(planted_fleet: Any) -> Walk:
    return walk(planted_fleet)


def with_another_future(candles: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Return the same past, and from ``moment`` on another market."""
    later = (candles["timestamp"] >= moment).to_numpy()
    changed = candles.copy()
    rng = np.random.default_rng(0)
    factor = np.exp(rng.normal(0.0, 0.05, size=later.sum()))
    changed.loc[later, CANDLE] = candles.loc[later, CANDLE].mul(factor, axis=0)
    return changed


class TestNothingLooksAhead:
    """Everything fitted is in play: scales, refiner, experts, gate, thresholds."""

    @pytest.mark.parametrize("hours", [150, 350])
    @pytest.mark.parametrize("number", [1, 2])
    def test_without_the_future_every_earlier_forecast_stays_as_it_was(
        self, planted_fleet: Any, planted_walk: Walk, number: int, hours: int
    ) -> None:
        folds = folds_of(planted_fleet)[: 1 + number]
        moment = folds[-1].validation_start + hours * BAR
        of_past = walk(planted_fleet.before(moment), folds)
        whole = planted_walk.forecasts
        earlier = whole["timestamp"] < moment - (HORIZON + 1) * BAR
        assert (whole.loc[earlier, "fold"] == number).sum() > 300
        pd.testing.assert_frame_equal(
            of_past.forecasts, whole.loc[earlier], check_exact=True
        )
        pd.testing.assert_frame_equal(
            of_past.loadings,
            planted_walk.loadings.loc[planted_walk.loadings["fold"] <= number],
            check_exact=True,
        )

    def test_another_future_changes_no_earlier_forecast(
        self, planted_fleet: Any, planted_walk: Walk
    ) -> None:
        folds = folds_of(planted_fleet)
        moment = folds[1].validation_end + (HORIZON + 1) * BAR
        other = type(planted_fleet)(
            with_another_future(planted_fleet.candles, moment), planted_fleet.dominance
        )
        forecasts = walk(other).forecasts
        first = forecasts["fold"] == 1
        pd.testing.assert_frame_equal(
            forecasts.loc[first],
            planted_walk.forecasts.loc[planted_walk.forecasts["fold"] == 1],
            check_exact=True,
        )
        assert not forecasts.loc[~first].equals(
            planted_walk.forecasts.loc[planted_walk.forecasts["fold"] > 1]
        )

    def test_the_law_is_not_empty_a_known_outcome_changes_the_next_fold(
        self, planted_fleet: Any, planted_walk: Walk
    ) -> None:
        folds = folds_of(planted_fleet)
        moment = folds[1].validation_start + 24 * BAR
        other = type(planted_fleet)(
            with_another_future(planted_fleet.candles, moment), planted_fleet.dominance
        )
        forecasts = walk(other, folds).forecasts
        second = planted_walk.forecasts["fold"] == 2
        assert not np.array_equal(
            forecasts.loc[forecasts["fold"] == 2, "probability"],
            planted_walk.forecasts.loc[second, "probability"],
        )


class TestKnownValues:
    def test_the_planted_edge_lifts_every_fold_above_its_base_rate(
        self, planted_walk: Walk
    ) -> None:
        telemetry = measured(planted_walk)
        assert len(telemetry.folds) == 2
        assert (telemetry.folds["lift"] > 0.05).all()
        assert telemetry.overall["lift_low"] > 0
        assert telemetry.overall["lift_over_volatility_low"] > 0

    def test_every_labelled_row_of_the_scored_folds_is_forecast_once(
        self, planted_fleet: Any, planted_walk: Walk
    ) -> None:
        forecasts = planted_walk.forecasts
        assert not forecasts.duplicated(["timestamp", "asset"]).any()
        first = folds_of(planted_fleet)[1].validation_start
        candles = planted_fleet.candles
        expected = 0
        for _, own in candles.groupby("asset"):
            last_labelled = own["timestamp"].iloc[-1] - (HORIZON + 1) * BAR
            scorable = own[own["timestamp"].between(first, last_labelled)]
            expected += int((~scorable["is_filled"]).sum())
        touched_by_a_gap = 2 * int(candles["is_filled"].sum())
        assert expected - touched_by_a_gap <= len(forecasts) <= expected

    def test_gate_weights_and_probabilities_are_what_they_claim(
        self, planted_walk: Walk
    ) -> None:
        forecasts = planted_walk.forecasts
        weights = forecasts.filter(regex="^gate_")
        assert list(weights) == [
            f"gate_{name}"
            for name in ("trend", "range", "elastic", "pattern", "surface", "stress")
        ]
        np.testing.assert_allclose(weights.sum(axis=1), 1.0)
        assert forecasts["probability"].between(0, 1).all()
        assert forecasts["rank"].between(0, 1).all()
        reached = forecasts["rank"] >= forecasts["threshold"]
        assert (forecasts["is_signal"] == reached).all()

    def test_folds_tell_their_size(self, planted_walk: Walk) -> None:
        folds = planted_walk.folds
        assert folds["fold"].tolist() == [1, 2]
        assert (folds["columns"] == 6 * len(SIGNALS)).all()
        assert (folds["latents"] == 12).all()
        assert folds["validation_rows"].sum() == len(planted_walk.forecasts)
        assert folds["train_rows"].is_monotonic_increasing


class TestProperties:
    def test_the_same_seed_gives_the_same_bytes(
        self, planted_fleet: Any, planted_walk: Walk
    ) -> None:
        again = walk(planted_fleet)
        pd.testing.assert_frame_equal(
            again.forecasts, planted_walk.forecasts, check_exact=True
        )

    def test_the_order_in_which_assets_arrive_does_not_matter(
        self, planted_fleet: Any, planted_walk: Walk
    ) -> None:
        features = dict(reversed(planted_fleet.features().items()))
        again = walk_forward(features, SIGNALS, folds_of(planted_fleet), settings())
        pd.testing.assert_frame_equal(
            again.forecasts, planted_walk.forecasts, check_exact=True
        )

    def test_the_null_market_shows_no_lift(
        self, make_fleet: Callable[..., Any]
    ) -> None:
        # One null in ten lies outside by luck, as that of the usual seed 11 does, below
        # zero; the slow test counts how many do, on either side.
        overall = measured(walk(make_fleet(edge=0.0, seed=0))).overall
        assert overall["lift_low"] < 0 < overall["lift_high"]

    @pytest.mark.slow
    def test_null_markets_are_taken_for_skill_no_more_often_than_the_level_says(
        self, make_fleet: Callable[..., Any]
    ) -> None:
        mistaken, unlucky = 0, 0
        for seed in range(12):
            overall = measured(walk(make_fleet(edge=0.0, seed=seed))).overall
            mistaken += overall["lift_low"] > 0
            unlucky += overall["lift_high"] < 0
        # Each has a chance of 5 %: more than two of twelve happen once in 50 times.
        assert mistaken <= 2
        assert unlucky <= 2
