"""The whole job on markets where nothing can be earned: whoever passes is fooled."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

STUDY = Path(__file__).parents[2] / "bench/tasks/null_market.py"
CRITERIA = ("Every asset profitable", "Lift above zero")


@pytest.fixture(scope="module")
def study() -> ModuleType:
    """Return the script that the bench counts rejections with."""
    spec = importlib.util.spec_from_file_location("null_market_study", STUDY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def summaries(study: ModuleType) -> list[dict[str, Any]]:
    """Validate three markets, from candles to verdict."""
    return study.validate_all(range(3))


def summary(met: Sequence[bool], lift_low: float | None) -> dict[str, Any]:
    """Return what a run says of a market, as far as it is counted."""
    return {
        "verdict": {
            "passed": all(met),
            "criteria": [
                {"name": name, "passed": passed}
                for name, passed in zip(CRITERIA, met, strict=True)
            ],
        },
        "overall": {"lift_low": lift_low, "lift_over_volatility_low": -0.01},
        "facts": {"bootstrap": {"level": 0.9}, "source": "a market"},
    }


class TestCounting:
    def test_passed_verdicts_met_criteria_and_intervals_are_counted(
        self, study: ModuleType
    ) -> None:
        rows = study.count_rejections(
            [
                summary([True, True], lift_low=0.01),
                summary([True, False], lift_low=0.0),
                summary([True, False], lift_low=None),
                summary([False, False], lift_low=0.02),
            ]
        )
        assert [(row.name, row.found, row.nominal) for row in rows] == [
            ("Verdict passed", 1, None),
            (f"Criterion met: {CRITERIA[0]}", 3, None),
            (f"Criterion met: {CRITERIA[1]}", 1, None),
            ("Interval of the lift above zero", 2, 0.05),
            ("Interval of the lift over the volatility-only model above zero", 0, 0.05),
        ]
        assert {row.markets for row in rows} == {4}

    def test_none_of_twenty_leaves_a_sixth_possible(self, study: ModuleType) -> None:
        rows = study.count_rejections([summary([False, False], lift_low=-0.01)] * 20)
        # Nothing in n draws: the upper end solves (1 - p)^n = 0.025.
        for row in rows:
            assert (row.found, row.low) == (0, 0.0)
            assert row.high == pytest.approx(1 - 0.025 ** (1 / 20))

    def test_the_table_says_how_many_of_how_many(self, study: ModuleType) -> None:
        rows = study.count_rejections([summary([True, False], lift_low=0.01)] * 4)
        told = study.as_markdown(rows, cpu_seconds=15.0)
        assert "| Verdict passed | 0 of 4 | 0% | 0% to 60% |  |" in told
        assert "| Interval of the lift above zero | 4 of 4 | 100% |" in told


@pytest.mark.slow
class TestNullMarkets:
    def test_every_market_is_another_one_without_an_edge(
        self, summaries: list[dict[str, Any]]
    ) -> None:
        sources = [summary["facts"]["source"] for summary in summaries]
        assert sources == [
            f"embedded synthetic market, nothing planted, seed {seed}"
            for seed in range(3)
        ]
        assert len({summary["overall"]["lift"] for summary in summaries}) == 3

    def test_no_verdict_passes_though_every_brain_signals(
        self, summaries: list[dict[str, Any]]
    ) -> None:
        for summary in summaries:
            signals = [asset["signals"] for asset in summary["assets"]]
            assert len(signals) == 3
            assert min(signals) > 50
            assert not summary["verdict"]["passed"]
