import numpy as np
import pandas as pd
import pytest

from fleet_kedro.reports.figures.overfitting import (
    draw_overfitting,
    ledger_summary,
    logit_histogram,
)
from fleet_kedro.validation.overfitting import OverfittingReport, report_overfitting
from fleet_kedro.validation.trials import Trial, TrialResults


def report_of(n_configurations: int) -> OverfittingReport:
    drawn = np.random.default_rng(3).normal(0, 0.01, (200, n_configurations))
    returns = pd.DataFrame(drawn, columns=[f"c{i}" for i in range(n_configurations)])
    return report_overfitting(returns, "c0", np.empty(0), n_blocks=10)


def trial(kind: str, name: str, sharpe: float) -> Trial:
    return Trial(
        source="drawn",
        start="2022-01-01",
        end="2022-12-31",
        horizon_bars=12,
        round_trip_cost=0.002,
        kind=kind,
        name=name,
        parameters={},
        results=TrialResults(daily_sharpe=sharpe, n_days=300, signals=5),
    )


class TestHistogram:
    def test_zero_falls_left_and_the_ends_are_inside(self) -> None:
        end = np.log(4)
        told = logit_histogram(np.array([-end, 0.0, 0.0, end]), 4)
        assert len(told) == 30
        assert told["share"].tolist() == [0.25, *[0] * 13, 0.5, *[0] * 14, 0.25]
        assert told["right"].iloc[14] == 0
        assert told["left"].iloc[0] == pytest.approx(-end)
        assert told["right"].iloc[-1] == pytest.approx(end)

    @pytest.mark.parametrize("n_configurations", [2, 3, 7, 20])
    def test_no_split_is_lost(self, n_configurations: int) -> None:
        ranks = np.arange(1, n_configurations + 1)
        logits = np.log(ranks / (n_configurations + 1 - ranks))
        told = logit_histogram(logits, n_configurations)
        assert told["share"].sum() == pytest.approx(1)
        below = told.loc[told["right"] <= 0, "share"].sum()
        assert below == pytest.approx(np.mean(logits <= 0))


class TestDrawn:
    @pytest.mark.parametrize("n_configurations", [2, 9, 10])
    def test_bars_left_of_zero_add_up_to_the_probability(
        self, n_configurations: int
    ) -> None:
        report = report_of(n_configurations)
        below, above = draw_overfitting(report).data
        assert 0 < report.probability_of_overfitting < 1
        assert sum(below.y) == pytest.approx(report.probability_of_overfitting)
        assert sum(above.y) == pytest.approx(1 - report.probability_of_overfitting)
        assert max(below.x) < 0 < min(above.x)

    def test_the_subtitle_says_the_number(self) -> None:
        report = report_of(10)
        told = draw_overfitting(report).layout.title.subtitle.text
        assert told.startswith(
            f"{report.probability_of_overfitting:.1%} of 252 choices"
        )

    def test_one_configuration_has_nothing_to_show(self) -> None:
        figure = draw_overfitting(report_of(1))
        assert not figure.data
        assert figure.layout.annotations[0].text == (
            "Nothing was chosen: 1 configuration, 200 days."
        )
        assert "n/a" not in figure.to_json()


class TestSummary:
    def test_kinds_with_their_best_and_their_median(self) -> None:
        told = ledger_summary(
            [
                trial("optuna", "study 1", 0.02),
                trial("brain", "brain", 0.05),
                trial("optuna", "study 2", 0.08),
                trial("optuna", "study 3", -0.01),
            ]
        )
        assert told.to_dict(orient="records") == [
            {
                "kind": "brain",
                "trials": 1,
                "best_daily_sharpe": 0.05,
                "best": "brain",
                "median_daily_sharpe": 0.05,
            },
            {
                "kind": "optuna",
                "trials": 3,
                "best_daily_sharpe": 0.08,
                "best": "study 2",
                "median_daily_sharpe": 0.02,
            },
            {
                "kind": "all",
                "trials": 4,
                "best_daily_sharpe": 0.08,
                "best": "study 2",
                "median_daily_sharpe": pytest.approx(0.035),
            },
        ]

    def test_an_empty_ledger_has_no_rows(self) -> None:
        told = ledger_summary([])
        assert told.empty
        assert list(told.columns) == [
            *("kind", "trials", "best_daily_sharpe", "best", "median_daily_sharpe")
        ]
