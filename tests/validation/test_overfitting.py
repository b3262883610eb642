from math import comb

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.metrics.effective_days import effective_days
from fleet_kedro.metrics.overfitting import probability_of_backtest_overfitting
from fleet_kedro.metrics.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    probabilistic_sharpe_ratio,
    sharpe_ratios,
)
from fleet_kedro.validation.overfitting import report_overfitting


def history(n_days: int, n_configurations: int, seed: int = 0) -> pd.DataFrame:
    drawn = np.random.default_rng(seed).normal(0, 0.01, (n_days, n_configurations))
    return pd.DataFrame(drawn, columns=[f"c{i}" for i in range(n_configurations)])


class TestKnownValues:
    @pytest.fixture
    def returns(self) -> pd.DataFrame:
        returns = history(600, 12)
        return returns.assign(c3=returns["c3"] + 0.002)

    def test_it_says_what_the_metrics_say(self, returns: pd.DataFrame) -> None:
        sharpes = 0.05 * np.random.default_rng(1).normal(size=80)
        report = report_overfitting(returns, "c3", sharpes, n_blocks=8)
        own, values = returns["c3"].to_numpy(), returns.to_numpy()
        choice = probability_of_backtest_overfitting(values, 8)
        assert report.probability_of_overfitting == choice.probability
        assert report.n_splits == comb(8, 4)
        assert report.n_configurations == 12
        assert report.daily_sharpe == pytest.approx(own.mean() / own.std(ddof=1))
        assert report.annual_sharpe == pytest.approx(report.daily_sharpe * 365**0.5)
        assert report.probabilistic_sharpe == probabilistic_sharpe_ratio(own, 0.0)
        assert report.deflated_sharpe == deflated_sharpe_ratio(own, sharpes)
        assert report.n_trials == 80
        assert report.expected_maximum_sharpe == pytest.approx(
            expected_maximum_sharpe(80, sharpes.var(ddof=1))
        )
        assert report.n_days == 600
        assert report.effective_days == effective_days(own)

    def test_configurations_that_the_ledger_misses_were_tried_all_the_same(
        self, returns: pd.DataFrame
    ) -> None:
        own = returns["c3"].to_numpy()
        expected = deflated_sharpe_ratio(own, sharpe_ratios(returns.to_numpy()))
        for known in (np.empty(0), np.array([0.1]), np.full(11, 0.2)):
            report = report_overfitting(returns, "c3", known)
            assert report.n_trials == 12
            assert report.deflated_sharpe == expected


class TestFewOfThem:
    def test_one_configuration_chooses_nothing(self) -> None:
        returns = history(100, 1)
        report = report_overfitting(returns, "c0", np.empty(0))
        assert np.isnan(report.probability_of_overfitting)
        assert report.n_splits == 0
        assert report.n_trials == 1
        assert report.expected_maximum_sharpe == 0
        assert report.deflated_sharpe == report.probabilistic_sharpe

    def test_one_configuration_is_deflated_by_what_the_ledger_remembers(self) -> None:
        report = report_overfitting(history(100, 1), "c0", 0.1 * np.arange(9.0))
        assert report.n_trials == 9
        assert report.deflated_sharpe < report.probabilistic_sharpe

    @pytest.mark.parametrize(
        ("n_days", "n_blocks"),
        [(32, 16), (31, 14), (10, 4), (8, 4), (7, 2), (4, 2)],
    )
    def test_a_short_history_has_fewer_blocks(self, n_days: int, n_blocks: int) -> None:
        report = report_overfitting(history(n_days, 3), "c1", np.empty(0))
        assert report.n_splits == comb(n_blocks, n_blocks // 2)
        assert 0 < report.deflated_sharpe < 1

    @pytest.mark.parametrize("n_days", [2, 3])
    def test_too_short_a_history_has_no_halves(self, n_days: int) -> None:
        report = report_overfitting(history(n_days, 3), "c1", np.empty(0))
        assert np.isnan(report.probability_of_overfitting)
        assert 0 < report.deflated_sharpe < 1


class TestNoRisk:
    def test_constant_returns_prove_nothing(self) -> None:
        returns = history(60, 4).assign(c2=0.0)
        report = report_overfitting(returns, "c2", np.empty(0))
        assert report.daily_sharpe == 0
        assert report.probabilistic_sharpe == 0.5
        assert report.deflated_sharpe < 0.5
        assert report.effective_days == 60

    def test_a_choice_among_equals_is_no_choice(self) -> None:
        returns = pd.DataFrame(0.0, index=range(60), columns=["a", "b", "c"])
        report = report_overfitting(returns, "a", np.zeros(3))
        assert report.probability_of_overfitting == 1
        assert report.deflated_sharpe == 0.5


class TestVerdict:
    def test_the_best_of_many_worthless_ones_is_seldom_believed(self) -> None:
        believed = {"alone": 0, "deflated": 0}
        for seed in range(200):
            returns = history(365, 40, seed)
            sharpes = sharpe_ratios(returns.to_numpy())
            best = f"c{sharpes.argmax()}"
            report = report_overfitting(returns, best, sharpes, n_blocks=2)
            believed["alone"] += report.probabilistic_sharpe > 0.95
            believed["deflated"] += report.deflated_sharpe > 0.95
        # On its own nearly every winner looks real; beside the others none should.
        assert believed["alone"] > 150
        assert believed["deflated"] <= 10

    def test_a_real_edge_survives_many_trials(self) -> None:
        returns = history(730, 40)
        returns = returns.assign(c7=returns["c7"] + 0.003)
        sharpes = sharpe_ratios(returns.to_numpy())
        report = report_overfitting(returns, "c7", sharpes)
        assert report.deflated_sharpe > 0.95
        assert report.probability_of_overfitting < 0.01

    def test_dependent_days_are_believed_less(self) -> None:
        steps = history(730, 1)["c0"].to_numpy()
        runs = np.convolve(steps, np.ones(10) / 10)[:730] + 0.0006
        report = report_overfitting(
            pd.DataFrame({"runs": runs}), "runs", np.array([0.0, 0.1, -0.1, 0.05])
        )
        assert report.effective_days < 365
        assert 0.5 < report.deflated_sharpe_of_effective_days < report.deflated_sharpe


class TestErrors:
    def test_the_chosen_one_must_be_among_them(self) -> None:
        with pytest.raises(ValueError, match="'best' is none of the configurations c0"):
            report_overfitting(history(60, 2), "best", np.empty(0))

    def test_one_day_has_no_sharpe_ratio(self) -> None:
        with pytest.raises(ValueError, match="give at least 2"):
            report_overfitting(history(1, 2), "c0", np.empty(0))
