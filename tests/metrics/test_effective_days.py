import numpy as np
import pytest

from fleet_kedro.metrics.effective_days import effective_days


def autoregressive(n_days: int, coefficient: float, seed: int = 0) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(size=n_days)
    returns = np.zeros(n_days)
    for day in range(1, n_days):
        returns[day] = coefficient * returns[day - 1] + steps[day]
    return returns


def slow_effective_days(returns: np.ndarray, n_lags: int) -> float:
    n_days, mean = len(returns), returns.mean()
    variance = sum((value - mean) ** 2 for value in returns)
    inflation = 1.0
    for lag in range(1, n_lags + 1):
        products = [
            (returns[day] - mean) * (returns[day - lag] - mean)
            for day in range(lag, n_days)
        ]
        inflation += 2 * (1 - lag / (n_lags + 1)) * sum(products) / variance
    return n_days / inflation


class TestKnownValues:
    def test_days_that_follow_each_other_are_worth_fewer(self) -> None:
        # ρ_k = 0.5^k, weights of 12 lags: 1 + 2 Σ (1 − k/13) 0.5^k = 2.69.
        told = effective_days(autoregressive(20_000, 0.5))
        lags = np.arange(1, 14)
        inflation = 1 + 2 * np.sum((1 - lags / 14) * 0.5**lags)
        assert told == pytest.approx(20_000 / inflation, rel=0.05)

    def test_a_mean_of_dependent_days_is_as_uncertain_as_one_of_effective_days(
        self,
    ) -> None:
        histories = [autoregressive(400, 0.3, seed) for seed in range(400)]
        spread = np.var([history.mean() for history in histories])
        of_a_day = np.mean([history.var() for history in histories])
        told = np.mean([effective_days(history) for history in histories])
        # Lags that are left out or weigh less make it about a tenth too optimistic.
        assert told == pytest.approx(of_a_day / spread, rel=0.25)
        assert told < 400 * 0.7

    @pytest.mark.parametrize("returns", [[], [0.1], [0.0] * 9, [0.1] * 61])
    def test_returns_that_never_vary_are_worth_their_number(
        self, returns: list[float]
    ) -> None:
        assert effective_days(np.array(returns)) == len(returns)


class TestAgainstSlowReference:
    @pytest.mark.parametrize(("n_days", "n_lags"), [(30, 3), (100, 4), (730, 6)])
    def test_equals_the_formula(self, n_days: int, n_lags: int) -> None:
        returns = 0.001 + 0.01 * autoregressive(n_days, 0.6)
        expected = slow_effective_days(returns, n_lags)
        assert 1 < expected < n_days
        assert effective_days(returns) == pytest.approx(expected)


class TestProperties:
    def test_never_more_than_there_are_and_never_less_than_one(self) -> None:
        undoing = np.tile([1.0, -1.0], 50)
        assert effective_days(undoing) == 100
        told = [
            effective_days(autoregressive(n_days, 0.99, seed))
            for n_days in range(2, 40)
            for seed in range(3)
        ]
        assert min(told) >= 1

    def test_units_do_not_matter(self) -> None:
        returns = autoregressive(200, 0.4)
        assert effective_days(1e-6 * returns) == pytest.approx(effective_days(returns))
