"""The final brain: experts of the whole window, judges of the walk through it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.build import FeatureSettings
from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.schema import BAR
from fleet_kedro.metrics.trading import net_return
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.brain_files import brain_from_files, brain_to_files
from fleet_kedro.models.calibration import PlattCalibrator
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.experts.pattern import PatternSettings
from fleet_kedro.models.experts.trend import TrendSettings
from fleet_kedro.models.rows import read_features
from fleet_kedro.models.training import TrainingSettings
from fleet_kedro.signals.thresholds import ThresholdSettings, choose_thresholds
from fleet_kedro.signals.walk_digest import walk_digest
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.store.bundle import read_bundle, write_bundle
from fleet_kedro.store.errors import StoreError
from fleet_kedro.validation.brain_card import BrainOrigin, store_brain
from fleet_kedro.validation.brain_training import (
    Experience,
    train_brain,
    whole_window,
)
from fleet_kedro.validation.tree_rival import TreeRival
from fleet_kedro.validation.walk_forward import WalkSettings, walk_forward

HORIZON = 12
COST = 0.002
SIGNALS = catalogue("lean")
RECIPE = FeatureRecipe(
    settings=FeatureSettings(profile="lean"), orders={"BTC": 0.4, "ETH": 0.3}
)
TREES = TrendSettings(n_trees=20)
WALK = WalkForward(
    folds=1, warmup_folds=1, horizon_bars=HORIZON, embargo_bars=12, mode="expanding"
)
SETTINGS = WalkSettings(
    brain=BrainSettings(
        label=Label(horizon_bars=HORIZON, round_trip_cost=COST),
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
        surface_signals=("momentum_3", "rsi_13"),
        pattern_bars=64,
        seed=3,
    ),
    thresholds=ThresholdSettings(
        rank_days=10,
        lowest_recall=0.1,
        highest_recall=0.2,
        candidates=3,
        prior_signals=100.0,
    ),
    volatility_null=TreeRival(
        signals=("close_volatility_13", "volume_ratio_8"), trees=TREES
    ),
    ablations="off",
)
SUMMARY: dict[str, Any] = {
    "verdict": {
        "passed": False,
        "criteria": [
            {
                "name": "Mean precision above 55 %",
                "value": 0.6,
                "bound": 0.55,
                "unit": "percent",
                "passed": True,
                "detail": "mean base rate 45.0%",
            },
            {
                "name": "Deflated Sharpe ratio above 95 %",
                "value": None,
                "bound": 0.95,
                "unit": "percent",
                "passed": False,
                "detail": "",
            },
        ],
    },
    "overall": {
        **{"precision": 0.6, "precision_low": 0.5, "precision_high": 0.7},
        **{"net_return": 0.01, "net_return_low": 0.0, "net_return_high": 0.02},
        "lift_over_volatility": 0.1,
        "lift_over_volatility_low": -0.05,
        "lift_over_volatility_high": None,
        "base_rate": 0.45,
    },
    "rivals": [
        {"name": "brain", "net_return": 0.01},
        {"name": "always long", "net_return": -0.002},
    ],
    "folds": [{"fold": 1}],
    "overfitting": {"n_trials": 12},
}


@pytest.fixture(scope="module")
def edges(planted_fleet):
    """The window ends ten days before the candles do."""
    end = planted_fleet.candles["timestamp"].max() - 240 * BAR
    return end - pd.Timedelta(days=70), end


@pytest.fixture(scope="module")
def features(planted_fleet):
    return planted_fleet.features()


@pytest.fixture(scope="module")
def experience(planted_fleet, edges):
    known = planted_fleet.before(edges[1] + BAR).features()
    walked = walk_forward(known, SIGNALS, WALK.split(*edges), SETTINGS)
    return Experience(whole_window(WALK, *edges), walked.forecasts)


@pytest.fixture(scope="module")
def trained(features, experience):
    return train_brain(features, SIGNALS, experience, SETTINGS)


@pytest.fixture(scope="module")
def origin(trained, experience, edges):
    source = "a small market"
    facts = {"source": source, "end": edges[1].isoformat()}
    return BrainOrigin(
        source,
        experience.window,
        edges[1],
        SETTINGS,
        RECIPE,
        trained[1],
        SUMMARY | {"facts": facts},
    )


@pytest.fixture(scope="module")
def stored(trained, origin):
    return store_brain(trained[0], origin)


class TestWindow:
    START = pd.Timestamp("2023-01-01", tz="UTC")
    END = pd.Timestamp("2023-01-31T23:00", tz="UTC")

    def test_the_outcome_of_the_last_row_is_known_with_the_last_bar(self):
        window = whole_window(WALK, self.START, self.END)
        last = window.train_end - BAR

        assert window.train_start == self.START
        assert last + (1 + HORIZON) * BAR == self.END
        assert window.validation_start == window.validation_end == self.END + BAR

    def test_a_rolling_walk_learns_from_the_end_of_the_window(self):
        rolling = WALK.model_copy(update={"mode": "rolling", "train_bars": 100})
        window = whole_window(rolling, self.START, self.END)
        longer = rolling.model_copy(update={"train_bars": 10_000})

        assert window.train_end - window.train_start == 100 * BAR
        assert whole_window(longer, self.START, self.END).train_start == self.START

    def test_a_late_listing_is_asked_for_its_age(self):
        aged = WALK.model_copy(update={"min_history_days": 20})
        window = whole_window(aged, self.START, self.END)

        assert window.admits(self.START)
        assert not window.admits(self.START + pd.Timedelta(days=12))


class TestKnownValues:
    def test_experts_learn_from_every_row_whose_outcome_is_known(
        self, trained, features, edges
    ):
        start, end = edges
        expected = 0
        for load in features.values():
            frame = load()
            names = [signal.name for signal in SIGNALS]
            usable = read_features(frame, names, start, 64).is_usable
            known = frame["timestamp"] + (1 + HORIZON) * BAR <= end
            expected += int((usable & known & frame["forward_return"].notna()).sum())

        assert expected > 4500
        assert trained[1].n_rows == expected

    def test_judges_learn_from_what_was_said_out_of_sample(self, trained, experience):
        said = experience.forecasts
        outcome = said["is_positive"].to_numpy()
        calibrators = zip(
            trained[0].mixture.experts, trained[0].mixture.calibrators_, strict=True
        )

        for name, judge in calibrators:
            alone = PlattCalibrator().fit(said[f"raw_{name}"].to_numpy(), outcome)
            assert (judge.intercept_, judge.slope_) == (alone.intercept_, alone.slope_)
        interval = trained[0].mixture.interval_
        assert len(interval.score_) <= len(said) < trained[1].n_rows

    def test_thresholds_are_those_that_earned_most_in_the_walk(
        self, trained, experience
    ):
        said = experience.forecasts.dropna(subset="rank")
        expected = choose_thresholds(
            said["rank"].to_numpy(),
            net_return(said["forward_return"].to_numpy(), COST),
            said["is_positive"].to_numpy(),
            said["asset"].to_numpy(),
            SETTINGS.thresholds,
        )

        assert trained[0].thresholds == expected
        assert expected.keys() == {"BTC", "ETH", "SOL"}

    def test_it_finds_the_planted_edge_in_days_that_it_has_not_seen(
        self, trained, features, edges
    ):
        said = trained[0].forecast(features).table
        unseen = said.loc[said["timestamp"] > edges[1]]
        outcome = pd.concat(load() for load in features.values())
        told = unseen.merge(
            outcome[["timestamp", "asset", "forward_return"]], on=["timestamp", "asset"]
        ).dropna()
        is_positive = told["forward_return"] > COST
        boldest = told["probability"] >= told["probability"].quantile(0.8)

        assert len(told) > 600
        assert is_positive[boldest].mean() > is_positive.mean() + 0.1


class TestNothingLooksAhead:
    def test_what_follows_the_window_changes_no_byte_of_the_brain(
        self, trained, planted_fleet, experience, edges
    ):
        past = planted_fleet.before(edges[1] + BAR).features()
        again, lesson = train_brain(past, SIGNALS, experience, SETTINGS)

        assert lesson == trained[1]
        assert brain_to_files(again) == brain_to_files(trained[0])

    def test_an_outcome_inside_the_window_does(self, trained, features, experience):
        def other():
            frame = features["SOL"]()
            return frame.assign(forward_return=-frame["forward_return"])

        changed, lesson = train_brain(
            features | {"SOL": other}, SIGNALS, experience, SETTINGS
        )

        assert lesson.n_rows == trained[1].n_rows
        assert lesson.sha256 != trained[1].sha256
        assert brain_to_files(changed) != brain_to_files(trained[0])


class TestCard:
    def test_scores_stand_beside_what_no_skill_earns(self, stored):
        told = {
            each.name: (each.value, each.null, each.low, each.high, each.unit)
            for each in stored.card.metrics
        }

        assert told == {
            "mean precision": (0.6, 0.45, 0.5, 0.7, "percent"),
            "lift over volatility-only": (0.1, 0.0, -0.05, None, "points"),
            "net return per signal": (0.01, -0.002, 0.0, 0.02, "basis points"),
        }

    def test_it_tells_verdict_trials_folds_and_data(self, stored, trained, edges):
        card = stored.card

        assert (card.name, card.kind) == ("global-brain", "brain")
        assert card.assets == ("BTC", "ETH", "SOL")
        assert card.verdict is not None
        assert [each.passed for each in card.verdict.criteria] == [True, False]
        assert not card.verdict.passed
        assert (card.folds, card.trials) == (1, 12)
        assert (card.data.start, card.data.end) == edges
        assert (card.data.rows, card.data.sha256) == trained[1][:2]
        assert card.n_parameters > 10_000

    def test_it_names_the_walk_that_its_judges_learnt_from(self, stored, experience):
        """By which decision rules of the same walk are known."""
        told = stored.card.parameters["forecasts"]

        assert told == walk_digest(experience.forecasts)

    def test_the_store_gives_back_a_brain_that_says_the_same(
        self, stored, trained, features, tmp_path
    ):
        write_bundle(tmp_path / "brain", stored.files, stored.card)
        read = read_bundle(tmp_path / "brain")
        said = [
            brain.forecast(features).table
            for brain in (trained[0], brain_from_files(read.files))
        ]

        assert read == stored
        pd.testing.assert_frame_equal(*said, check_exact=True)

    def test_a_changed_byte_is_refused_with_the_name_of_its_file(
        self, stored, tmp_path
    ):
        for name in stored.files:
            folder = tmp_path / name.partition(".")[0]
            write_bundle(folder, stored.files, stored.card)
            content = bytearray((folder / name).read_bytes())
            content[len(content) // 2] ^= 1
            (folder / name).write_bytes(content)
            with pytest.raises(StoreError, match=name.replace(".", r"\.")):
                read_bundle(folder)

    @pytest.mark.parametrize(
        "facts",
        [
            {"source": "another market"},
            {"end": "2022-01-01T00:00:00+00:00"},
        ],
    )
    def test_a_validation_of_other_data_is_refused(self, trained, origin, facts):
        summary = {**origin.summary, "facts": {**origin.summary["facts"], **facts}}
        with pytest.raises(ValueError, match="validate on this window first"):
            store_brain(trained[0], origin._replace(summary=summary))


class TestErrors:
    def test_forecasts_of_other_experts(self, features, experience):
        fewer = experience._replace(
            forecasts=experience.forecasts.drop(columns="raw_surface")
        )
        with pytest.raises(ValueError, match="with these settings first"):
            train_brain(features, SIGNALS, fewer, SETTINGS)

    def test_forecasts_that_reach_behind_the_window(self, features, experience, edges):
        earlier = whole_window(WALK, edges[0], edges[1] - 100 * BAR)
        with pytest.raises(ValueError, match="on this window first"):
            train_brain(
                features, SIGNALS, experience._replace(window=earlier), SETTINGS
            )

    def test_no_forecasts(self, features, experience):
        none = experience._replace(forecasts=experience.forecasts.iloc[:0])
        with pytest.raises(ValueError, match="on this window first"):
            train_brain(features, SIGNALS, none, SETTINGS)

    def test_a_trained_brain_knows_its_seed(self, trained):
        assert trained[0].settings == SETTINGS.brain
        assert np.isfinite(trained[0].refiner.flex.projection_).all()
