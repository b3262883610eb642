import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.forecast_errors import (
    coverage,
    diebold_mariano,
    forecast_errors,
    skill_interval,
)

BOOTSTRAP = BlockBootstrap(block_days=3, draws=400, level=0.9, seed=5)


def drawn(seed: int, n_rows: int = 2000, skill: float = 0.0, horizon: int = 1):
    """Outcomes over ``horizon`` hours, and a forecast that knows part of the first."""
    rng = np.random.default_rng(seed)
    hourly = 0.01 * rng.standard_normal(n_rows + horizon - 1)
    outcome = np.convolve(hourly, np.ones(horizon), "valid")
    return skill * hourly[:n_rows] + 0.001 * rng.standard_normal(n_rows), outcome


class TestKnownValues:
    def test_errors_of_four_forecasts(self):
        forecast = np.array([0.01, -0.01, 0.0, 0.02])
        outcome = np.array([0.02, 0.01, 0.01, 0.0])
        told = forecast_errors(forecast, outcome, np.full(4, 100.0))

        assert told.rows == 4
        assert told.rmse == pytest.approx(math.sqrt((1 + 4 + 1 + 4) / 4) * 0.01)
        assert told.zero_rmse == pytest.approx(math.sqrt((4 + 1 + 1 + 0) / 4) * 0.01)
        assert told.skill == pytest.approx(1 - math.sqrt(10 / 6))
        assert told.r_squared == pytest.approx(1 - 10 / 6)
        # The third says nothing and the fourth hour does not move.
        assert told.calls == 2
        assert told.directional_accuracy == 0.5
        assert told.majority_share == 1.0

    def test_dollars_are_those_of_the_price(self):
        close = np.array([20_000.0, 50_000.0])
        told = forecast_errors(np.array([0.01, 0.0]), np.array([0.0, 0.02]), close)
        first = 20_000 * (math.exp(0.01) - 1)
        second = 50_000 * (math.exp(0.02) - 1)

        assert told.rmse_price == pytest.approx(
            math.hypot(first, second) / math.sqrt(2)
        )
        assert told.zero_rmse_price == pytest.approx(second / math.sqrt(2))

    def test_a_perfect_forecast(self):
        outcome = np.array([0.01, -0.02, -0.03])
        told = forecast_errors(outcome, outcome, np.ones(3))

        assert (told.rmse, told.skill, told.r_squared) == (0, 1, 1)
        assert told.directional_accuracy == 1
        assert told.majority_share == pytest.approx(2 / 3)

    def test_the_zero_forecast_has_no_skill_and_calls_nothing(self):
        told = forecast_errors(np.zeros(3), np.array([0.01, -0.02, 0.0]), np.ones(3))

        assert (told.skill, told.r_squared, told.calls) == (0, 0, 0)
        assert math.isnan(told.directional_accuracy)
        assert math.isnan(told.majority_share)

    def test_no_row_and_no_move_have_no_value(self):
        empty = forecast_errors(np.empty(0), np.empty(0), np.empty(0))
        still = forecast_errors(np.array([0.01]), np.zeros(1), np.ones(1))

        assert empty.rows == 0
        assert all(math.isnan(value) for value in (empty.rmse, still.skill))

    def test_coverage_counts_rows_that_have_an_interval(self):
        outcome = np.array([0.0, 1.0, 2.0, 3.0])
        low = np.array([0.0, 1.5, np.nan, 2.0])
        high = np.array([0.5, 2.0, 9.0, 3.0])

        assert coverage(outcome, low, high) == pytest.approx(2 / 3)
        assert math.isnan(coverage(outcome, np.full(4, np.nan), high))


class TestAgainstSlowReference:
    @staticmethod
    def slow_test(forecast, outcome, horizon):
        gain = [r * r - (r - f) ** 2 for f, r in zip(forecast, outcome, strict=True)]
        n_rows, mean = len(gain), sum(gain) / len(gain)
        away = [value - mean for value in gain]
        variance = sum(value * value for value in away) / n_rows
        for lag in range(1, 4 * horizon + 1):
            product = sum(away[t] * away[t - lag] for t in range(lag, n_rows)) / n_rows
            variance += 2 * (1 - lag / (4 * horizon + 1)) * product
        h = horizon
        correction = (n_rows + 1 - 2 * h + h * (h - 1) / n_rows) / n_rows
        statistic = math.sqrt(correction) * mean / math.sqrt(variance / n_rows)
        return statistic, 2 * stats.t.sf(abs(statistic), n_rows - 1)

    @pytest.mark.parametrize("horizon", [1, 12])
    @pytest.mark.parametrize("skill", [0.0, 0.2])
    def test_diebold_mariano_is_the_formula_of_the_papers(self, horizon, skill):
        forecast, outcome = drawn(1, 300, skill, horizon)
        told = diebold_mariano(forecast, outcome, horizon)

        assert tuple(told) == pytest.approx(self.slow_test(forecast, outcome, horizon))

    def test_the_interval_is_that_of_days_drawn_together(self):
        forecast, outcome = drawn(2, 24 * 30, 0.1)
        day = np.arange(len(outcome)) // 24
        own, zero = (
            [np.sum(values[day == number] ** 2) for number in range(30)]
            for values in (outcome - forecast, outcome)
        )
        sums = BOOTSTRAP.resampled_sums(np.array([own, zero]).T)
        expected = np.quantile(1 - np.sqrt(sums[:, 0] / sums[:, 1]), [0.05, 0.95])

        assert skill_interval(forecast, outcome, day, BOOTSTRAP) == pytest.approx(
            tuple(expected)
        )


class TestProperties:
    @given(seed=st.integers(0, 500), shift=st.integers(0, 10**6))
    @settings(max_examples=15, deadline=None)
    def test_days_may_be_counted_from_anywhere(self, seed, shift):
        forecast, outcome = drawn(seed, 24 * 10)
        day = np.arange(len(outcome)) // 24

        assert skill_interval(forecast, outcome, day + shift, BOOTSTRAP) == (
            skill_interval(forecast, outcome, day, BOOTSTRAP)
        )

    def test_skill_lies_inside_its_interval_and_above_zero_when_real(self):
        forecast, outcome = drawn(3, skill=0.3)
        day = np.arange(len(outcome)) // 24
        low, high = skill_interval(forecast, outcome, day, BOOTSTRAP)
        skill = forecast_errors(forecast, outcome, np.ones(2000)).skill

        assert 0 < low < skill < high
        assert diebold_mariano(forecast, outcome, 1).p_value < 0.01
        assert diebold_mariano(forecast, outcome, 1).statistic > 0

    def test_noise_loses_to_zero(self):
        rng = np.random.default_rng(4)
        outcome = rng.standard_normal(5000)
        told = diebold_mariano(0.5 * rng.standard_normal(5000), outcome, 1)

        assert told.statistic < -5

    @pytest.mark.parametrize("horizon", [1, 12])
    def test_equal_errors_are_rarely_told_apart(self, horizon):
        """Half of a forecast's noise is paid for by what it knows: no difference."""
        p_values = []
        for seed in range(150):
            rng = np.random.default_rng(seed)
            hourly = rng.standard_normal(1000 + horizon - 1)
            outcome = np.convolve(hourly, np.ones(horizon), "valid")
            knows = 0.1 * hourly[:1000]
            # E f² = 2 E f r holds for a noise of variance 2 · 0.1 − 0.1².
            forecast = knows + math.sqrt(0.19) * rng.standard_normal(1000)
            p_values.append(diebold_mariano(forecast, outcome, horizon).p_value)

        assert np.mean(np.array(p_values) < 0.05) < 0.12

    def test_units_do_not_matter(self):
        forecast, outcome = drawn(6, skill=0.1)
        told, scaled = (
            forecast_errors(unit * forecast, unit * outcome, np.ones(2000))
            for unit in (1.0, 1e-3)
        )

        assert told.skill == pytest.approx(scaled.skill)
        assert diebold_mariano(1e-3 * forecast, 1e-3 * outcome, 1) == pytest.approx(
            diebold_mariano(forecast, outcome, 1)
        )

    def test_nothing_to_test_has_no_p_value(self):
        outcome = np.random.default_rng(7).standard_normal(100)

        for told in (
            diebold_mariano(np.zeros(100), outcome, 12),
            diebold_mariano(outcome[:48], outcome[:48], 12),
            diebold_mariano(np.empty(0), np.empty(0), 1),
        ):
            assert math.isnan(told.statistic)
            assert math.isnan(told.p_value)
        assert all(
            math.isnan(end)
            for end in skill_interval(
                np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), BOOTSTRAP
            )
        )
