"""The system is clean, and the audit would notice if it were not."""

import re

import pytest

from fleet_kedro.audit.checks import CHECKS, WARM_UP
from fleet_kedro.audit.examine import Outcome, examine
from fleet_kedro.audit.planted import Leak, planted_leaks
from fleet_kedro.audit.samples import synthetic_world
from fleet_kedro.audit.settings import audit_settings
from fleet_kedro.audit.steps import project_steps
from fleet_kedro.features.build import DERIVED, LABEL
from fleet_kedro.features.catalogue import catalogue

STEPS = project_steps(audit_settings("lean"))
LEAKS = planted_leaks()
# Calibrated on every candle before the first forecast, so older ones do matter.
KNOWS_ALL_OF_THE_PAST = {"fractional order"}


def of_step(outcomes: list[Outcome], name: str) -> dict[str, Outcome]:
    return {outcome.check: outcome for outcome in outcomes if outcome.step == name}


class TestCleanSystem:
    @pytest.mark.parametrize(
        "name", [s.name for s in STEPS if not s.name.startswith("walk")]
    )
    def test_a_step_passes_every_check(self, name, outcomes):
        own = of_step(outcomes, name)
        exempt = {WARM_UP} if name in KNOWS_ALL_OF_THE_PAST else set()
        assert set(own) == set(CHECKS) - exempt
        assert [o for o in own.values() if o.status != "ok"] == []
        assert all(outcome.compared > 0 for outcome in own.values())

    @pytest.mark.slow
    def test_another_seed_finds_nothing_either_nor_in_whole_walks(self, world):
        again = examine(world, STEPS, seed=5)
        assert len({outcome.step for outcome in again}) == len(STEPS)
        assert [o for o in again if o.status != "ok"] == []

    @pytest.mark.slow
    def test_the_full_catalogue_passes_every_check(self):
        settings = audit_settings("full")
        steps = project_steps(settings)
        outcomes = examine(synthetic_world(settings, seed=3), steps, seed=1)
        assert {outcome.step for outcome in outcomes} == {step.name for step in steps}
        assert [o for o in outcomes if o.status != "ok"] == []


class TestRegister:
    @pytest.mark.parametrize("profile", ["lean", "full"])
    def test_every_signal_is_a_step_by_its_own_name(self, profile):
        names = [step.name for step in project_steps(audit_settings(profile))]
        assert len(set(names)) == len(names)
        assert {signal.name for signal in catalogue(profile)} <= set(names)

    def test_every_column_of_a_feature_table_is_audited(self):
        audited = [s.columns for s in STEPS if s.tabulate.__name__ == "derived_table"]
        for column in [*DERIVED, LABEL]:
            assert any(re.fullmatch(pattern, column) for pattern in audited), column


class TestPlantedLeaks:
    @pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.step.name)
    def test_it_is_found_by_the_check_that_must_find_it(self, leak: Leak, outcomes):
        assert of_step(outcomes, leak.step.name)[leak.check].status == "finding"

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_all_are_found_whatever_the_seed(self, seed, world):
        outcomes = examine(world, [leak.step for leak in LEAKS], seed)
        for leak in LEAKS:
            found = of_step(outcomes, leak.step.name)[leak.check]
            assert found.status == "finding", leak.step.name

    def test_each_check_is_the_one_that_must_find_some_leak(self):
        assert {leak.check for leak in LEAKS} == set(CHECKS)

    def test_mistakes_that_public_code_makes_are_among_them(self):
        assert {leak.step.name for leak in LEAKS} >= {
            "centred window",
            "full-history z-score",
            "back-filled gap",
            "label shifted by one",
            "unpurged fold",
            "in-sample oracle",
            "asset-stacked folds",
            "CNN windows across assets",
            "dominance joined by its own date",
            "half-formed last candle",
            "future-calibrated d",
            "prediction = next price + noise",
        }
        assert all(leak.mistake for leak in LEAKS)
