"""Decision rules survive being stored, and say whose they are."""

import json

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.signals.calibrated_return import CalibratedReturn, ReturnCurve
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.decision_rules import (
    CURVES,
    THRESHOLDS,
    Curves,
    DecisionRules,
    Thresholds,
    rules_from_files,
    rules_to_files,
)
from fleet_kedro.signals.return_thresholds import (
    ReturnThreshold,
    TunedFor,
    tuned_thresholds,
)
from fleet_kedro.signals.walk_digest import walk_digest
from fleet_kedro.store.bundle import read_bundle, write_bundle
from fleet_kedro.store.card import DataUsed, ModelCard
from fleet_kedro.store.errors import StoreError

WALK = "a" * 64
ASSETS = ("BTC", "DOGE", "SOL")
PROBABILITY = np.array([[0.1, 0.5, 0.9], [0.45, np.nan, 0.55]])
RATIO = np.array([[1.0, 3.0, 2.0], [1.0, 2.0, np.nan]])


def settings_with(**threshold):
    return SignalSettings.model_validate({"threshold": {"stated": {}} | threshold})


TUNED = settings_with(tuned=True)


def draw_rules(walk: str = WALK) -> DecisionRules:
    """Curves with numbers that have no short decimal form, and two factors of three."""
    curve = ReturnCurve(
        knots=(0.2, 1 / 3, 0.7), values=(-0.1 / 3, 0.0, 2 / 7), low=-1 / 9, high=0.3
    )
    own = curve.model_copy(update={"values": (-0.2, 0.1, np.pi / 10)})
    return DecisionRules(
        Curves(
            forecasts=walk,
            horizon_hours=12,
            level=0.8,
            curves=CalibratedReturn(
                kept_share=2 / 3, fleet=curve, assets={"BTC": own, "SOL": curve}
            ),
        ),
        Thresholds(
            forecasts=walk,
            tuned_for=TunedFor.of(TUNED),
            assets={
                "BTC": ReturnThreshold(
                    factor=5 / 3, outcome="tuned", signals=7, recall=0.2
                ),
                "SOL": ReturnThreshold(factor=None, outcome="no skill"),
            },
        ),
    )


def draw_card(parameters) -> ModelCard:
    return ModelCard(
        name="global-brain",
        kind="brain",
        assets=ASSETS,
        libraries={},
        parameters=parameters,
        data=DataUsed(
            source="drawn for a test",
            start="2022-01-01",
            end="2023-01-01",
            rows=1,
            sha256=WALK,
        ),
        folds=5,
        n_parameters=1,
    )


@pytest.fixture(scope="module")
def files():
    return rules_to_files(draw_rules())


class TestFiles:
    def test_what_is_read_expects_the_same_to_the_last_bit(self, files):
        again = rules_from_files(files)
        unit = np.full(PROBABILITY.shape, 0.0213)
        first, second = (
            rules.curves.curves.expect(PROBABILITY, unit, ASSETS)
            for rules in (draw_rules(), again)
        )

        assert again == draw_rules()
        assert np.isfinite(first.expected_return).sum() == 5
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_equal_rules_give_equal_bytes(self, files):
        assert rules_to_files(draw_rules()) == files
        assert rules_to_files(rules_from_files(files)) == files

    @pytest.mark.parametrize("name", [CURVES, THRESHOLDS])
    def test_a_file_of_another_format_is_refused(self, files, name):
        told = json.loads(files[name]) | {"format": "somebody.else/1"}
        changed = files | {name: json.dumps(told).encode()}

        with pytest.raises(ValueError, match=f"{name}, format"):
            rules_from_files(changed)

    @pytest.mark.parametrize(
        "content", [b"", b"[]", b'{"curves": 1}', b"\x80\x04.", b"null"]
    )
    def test_what_is_no_such_file_is_refused(self, files, content):
        with pytest.raises(ValueError, match=CURVES):
            rules_from_files(files | {CURVES: content})

    def test_a_missing_or_foreign_file_is_refused(self, files):
        with pytest.raises(ValueError, match=r"not curves\.json"):
            rules_from_files({CURVES: files[CURVES]})
        with pytest.raises(ValueError, match=r"other\.json"):
            rules_from_files(files | {"other.json": b"{}"})

    def test_files_of_two_walks_are_refused(self, files):
        other = rules_to_files(draw_rules("b" * 64))

        with pytest.raises(ValueError, match="different walks"):
            rules_from_files(files | {CURVES: other[CURVES]})

    @pytest.mark.parametrize("factor", [0.0, -1.0, float("inf"), float("nan")])
    def test_a_factor_is_a_positive_number(self, factor):
        with pytest.raises(ValidationError, match="factor"):
            ReturnThreshold(factor=factor, outcome="tuned")

    @pytest.mark.parametrize(
        "changes",
        [
            {"knots": (0.1, 0.1, 0.7)},
            {"knots": (0.1, 0.7)},
            {"knots": (), "values": ()},
            {"values": (0.3, 0.2, 0.1)},
        ],
    )
    def test_a_curve_that_does_not_rise_is_none(self, changes):
        curve = {
            "knots": (0.2, 0.5, 0.7),
            "values": (0.0, 0.1, 0.2),
            "low": -1.0,
            "high": 1.0,
        }
        with pytest.raises(ValidationError, match="rise"):
            ReturnCurve(**(curve | changes))


class TestTunedThresholds:
    def test_a_factor_moves_with_the_default_threshold(self):
        found = draw_rules().tuned_thresholds(RATIO, ASSETS, TUNED)

        # 0.3 % times the ratio, times five thirds; the others keep their default.
        np.testing.assert_allclose(found[:, 0], 0.005)
        assert np.isnan(found[:, 1:]).all()

    def test_unless_they_are_wanted_there_are_none(self):
        told = draw_rules().tuned_thresholds(RATIO, ASSETS, settings_with())

        assert told is None

    def test_a_factor_of_one_is_the_default(self):
        ones = np.ones(RATIO.shape)
        found = tuned_thresholds(ones, RATIO, ASSETS, TUNED)

        np.testing.assert_array_equal(found, 0.003 * RATIO)

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"forecast": "brain"}, "forecast"),
            ({"horizon_hours": 24}, "horizon_hours"),
            ({"threshold": {"tuned": True}}, "stated"),
            ({"threshold": {"tuned": True, "stated": {}, "base": 0.004}}, "base"),
        ],
    )
    def test_other_rules_than_those_tuned_for_are_refused(self, changes, word):
        other = TUNED.model_dump() | changes
        with pytest.raises(ValueError, match=f"tuned with {word}="):
            draw_rules().tuned_thresholds(
                RATIO, ASSETS, SignalSettings.model_validate(other)
            )

    def test_what_does_not_matter_to_a_factor_may_differ(self):
        other = TUNED.model_dump() | {"max_data_age_hours": 9.0}
        other["threshold"] |= {"strong_multiple": 3.0}
        rules = SignalSettings.model_validate(other)

        assert draw_rules().tuned_thresholds(RATIO, ASSETS, rules) is not None


class TestWhoseTheyAre:
    def test_the_brain_of_the_same_walk_is_taken(self):
        draw_rules().check_brain(draw_card({"forecasts": WALK}))

    @pytest.mark.parametrize(
        ("parameters", "told"),
        [({}, "names no walk"), ({"forecasts": "b" * 64}, "names the walk bbbbbbbb")],
    )
    def test_another_brain_is_refused(self, parameters, told):
        with pytest.raises(ValueError, match=told):
            draw_rules().check_brain(draw_card(parameters))

    def test_another_horizon_is_refused(self):
        draw_rules().check_horizon(TUNED)
        other = TUNED.model_copy(update={"horizon_hours": 24})
        with pytest.raises(ValueError, match="speak of 12 h, signals of 24 h"):
            draw_rules().check_horizon(other)


class TestWalkDigest:
    @pytest.fixture
    def forecasts(self, walk_with):
        return walk_with(assets=("BTC", "ETH"))[1]

    def test_neither_order_nor_a_file_changes_it(self, forecasts, tmp_path):
        forecasts.to_parquet(tmp_path / "walk.parquet")
        shuffled = forecasts.sample(frac=1.0, random_state=1)

        assert walk_digest(shuffled) == walk_digest(forecasts)
        assert walk_digest(pd.read_parquet(tmp_path / "walk.parquet")) == walk_digest(
            forecasts
        )

    @pytest.mark.parametrize("column", ["probability", "forward_return"])
    def test_a_changed_number_changes_it(self, forecasts, column):
        changed = forecasts.copy()
        changed.loc[3, column] += 1e-12

        assert walk_digest(changed) != walk_digest(forecasts)

    def test_what_is_told_beside_the_forecasts_does_not(self, forecasts):
        assert walk_digest(forecasts.assign(rank=0.5)) == walk_digest(forecasts)


def test_a_changed_byte_is_refused_by_the_store(files, tmp_path):
    folder = tmp_path / "decision_rules"
    write_bundle(folder, files, draw_card({"forecasts": WALK}))
    assert rules_from_files(read_bundle(folder).files) == draw_rules()
    content = bytearray((folder / THRESHOLDS).read_bytes())
    content[content.index(b"1.6666")] = ord("2")
    (folder / THRESHOLDS).write_bytes(bytes(content))

    with pytest.raises(StoreError, match=THRESHOLDS):
        read_bundle(folder)
