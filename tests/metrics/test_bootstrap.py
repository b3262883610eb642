import numpy as np
import pytest

from fleet_kedro.metrics.bootstrap import BlockBootstrap


def bootstrap(**changes: object) -> BlockBootstrap:
    settings = {"block_days": 1, "draws": 2000, "level": 0.90, "seed": 1}
    return BlockBootstrap(**(settings | changes))


def mean_of(sums: np.ndarray) -> float:
    return float(sums[0] / sums[1])


def daily(values: np.ndarray) -> np.ndarray:
    return np.column_stack([values, np.ones_like(values)])


class TestKnownValues:
    def test_equals_the_normal_interval_for_independent_days(self) -> None:
        values = np.random.default_rng(0).normal(2.0, 1.0, size=400)
        low, high = bootstrap().interval(mean_of, daily(values))
        half_width = 1.645 * values.std() / np.sqrt(400)
        assert low == pytest.approx(values.mean() - half_width, abs=0.01)
        assert high == pytest.approx(values.mean() + half_width, abs=0.01)

    def test_a_constant_has_no_width(self) -> None:
        assert bootstrap().interval(mean_of, daily(np.full(50, 3.0))) == (3.0, 3.0)


class TestProperties:
    def test_blocks_widen_the_interval_of_dependent_days(self) -> None:
        steps = np.random.default_rng(3).normal(size=600)
        dependent = np.zeros(600)
        for day in range(1, 600):
            dependent[day] = 0.9 * dependent[day - 1] + steps[day]
        low, high = bootstrap().interval(mean_of, daily(dependent))
        blocked = bootstrap(block_days=30).interval(mean_of, daily(dependent))
        assert blocked[1] - blocked[0] > 2 * (high - low)

    def test_the_same_seed_gives_the_same_interval(self) -> None:
        values = daily(np.random.default_rng(0).normal(size=100))
        assert bootstrap().interval(mean_of, values) == bootstrap().interval(
            mean_of, values
        )
        assert bootstrap(seed=2).interval(mean_of, values) != bootstrap().interval(
            mean_of, values
        )

    def test_draws_without_a_value_are_left_out(self) -> None:
        nothing = np.zeros((20, 2))
        with np.errstate(invalid="ignore"):
            low, high = bootstrap(draws=100).interval(mean_of, nothing)
        assert np.isnan(low)
        assert np.isnan(high)
