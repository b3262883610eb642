"""The card of decision rules: what taught them, each score beside its null."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.calibrated_return import (
    CalibratedReturn,
    CalibrationSettings,
    ReturnCurve,
)
from fleet_kedro.signals.comparison import FLEET
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.decision_rules import (
    Curves,
    DecisionRules,
    Thresholds,
    rules_from_files,
)
from fleet_kedro.signals.production_curves import ProductionCurves
from fleet_kedro.signals.return_comparison import COLUMNS
from fleet_kedro.signals.return_thresholds import ReturnThreshold, TunedFor
from fleet_kedro.signals.return_tuning import FactorSearch
from fleet_kedro.signals.study import StudySettings
from fleet_kedro.store.bundle import read_bundle, write_bundle
from fleet_kedro.store.requirements import objections
from fleet_kedro.validation.rules_card import RulesOrigin, store_rules

WALK = "a" * 64
CURVE = ReturnCurve(knots=(0.2, 0.7), values=(-0.1, 0.2), low=-1.0, high=1.0)


def draw(kept_share: float = 0.4, gain: float = 0.0012):
    curves = CalibratedReturn(
        kept_share=kept_share, fleet=CURVE, assets={"BTC": CURVE, "ETH": CURVE}
    )
    rules = DecisionRules(
        Curves(forecasts=WALK, horizon_hours=12, level=0.8, curves=curves),
        Thresholds(
            forecasts=WALK,
            tuned_for=TunedFor.of(SignalSettings()),
            assets={"BTC": ReturnThreshold(factor=1.5, outcome="tuned")},
        ),
    )
    clock = pd.date_range("2023-01-01", periods=800, freq="h", tz="UTC", unit="us")
    measured = dict.fromkeys(COLUMNS, 0.0) | {
        "asset": FLEET,
        "default_net_return": 0.0005,
        "gain": gain,
        "gain_low": gain - 0.0004,
        "gain_high": gain + 0.0004,
    }
    origin = RulesOrigin(
        source="drawn for a test",
        forecasts=pd.DataFrame({"timestamp": clock, "fold": np.repeat([1, 2], 400)}),
        curves=ProductionCurves(curves, rows=790, weeks=5),
        comparison=pd.DataFrame([measured]),
        trials=240,
        calibration=CalibrationSettings(horizon_bars=12),
        tuning=StudySettings(
            label=Label(),
            recall_floor=0.1,
            prior_effective_signals=100.0,
            trials=60,
            startup_trials=15,
            seed=7,
        ),
        search=FactorSearch(lowest_factor=0.25, highest_factor=4.0),
    )
    return rules, origin


@pytest.fixture(scope="module")
def stored():
    return store_rules(*draw())


class TestCard:
    def test_it_tells_what_the_rules_were_learnt_from(self, stored):
        card = stored.card

        assert card.name == "decision-rules"
        assert card.assets == ("BTC", "ETH")
        assert card.parameters["forecasts"] == card.data.sha256 == WALK
        assert card.parameters["record"] == {
            "rows": 790,
            "weeks": 5,
            "kept_share": 0.4,
        }
        assert (card.data.rows, card.folds, card.trials) == (790, 2, 240)
        assert card.parameters["tuning"]["highest_factor"] == 4.0
        # Three curves of two knots, two values and two ends; kept share; one factor.
        assert card.n_parameters == 3 * 6 + 1 + 1

    def test_each_score_stands_beside_its_null(self, stored):
        told = {metric.name: metric for metric in stored.card.metrics}
        gain = told["gain per trade of tuned thresholds"]

        assert told["kept share of what was promised"].value == 0.4
        assert told["kept share of what was promised"].null == 0.0
        assert (gain.value, gain.null, gain.low) == (0.0012, 0.0, 0.0008)
        assert gain.null_name == "default thresholds"

    def test_they_may_be_promoted_if_anything_is_expected(self, stored):
        worthless = store_rules(*draw(kept_share=0.0)).card

        assert objections(stored.card) == ()
        assert objections(worthless) == ("the verdict fails: kept share above zero",)

    def test_what_could_not_be_compared_is_left_out(self):
        rules, origin = draw()
        alone = origin._replace(comparison=origin.comparison.iloc[:0])
        card = store_rules(rules, alone).card

        assert [m.name for m in card.metrics] == ["kept share of what was promised"]

    def test_the_store_takes_it_and_gives_it_back(self, stored, tmp_path):
        write_bundle(tmp_path / "decision_rules", stored.files, stored.card)
        again = read_bundle(tmp_path / "decision_rules")

        assert again.digest == stored.digest
        assert rules_from_files(again.files) == draw()[0]
