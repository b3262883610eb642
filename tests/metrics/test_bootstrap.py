import numpy as np
import pytest

from fleet_kedro.metrics.bootstrap import BlockBootstrap


def bootstrap(**changes: object) -> BlockBootstrap:
    settings = {"block_days": 1, "draws": 2000, "level": 0.90, "seed": 1}
    return BlockBootstrap(**(settings | changes))


def interval_of_mean(values: np.ndarray, **changes: object) -> tuple[float, float]:
    drawn = bootstrap(**changes)
    daily_sums = np.column_stack([values, np.ones_like(values)])
    total, count = drawn.resampled_sums(daily_sums).T
    return drawn.interval(total / count)


class TestKnownValues:
    def test_equals_the_normal_interval_for_independent_days(self) -> None:
        values = np.random.default_rng(0).normal(2.0, 1.0, size=400)
        low, high = interval_of_mean(values)
        half_width = 1.645 * values.std() / np.sqrt(400)
        assert low == pytest.approx(values.mean() - half_width, abs=0.01)
        assert high == pytest.approx(values.mean() + half_width, abs=0.01)

    def test_a_constant_has_no_width(self) -> None:
        assert interval_of_mean(np.full(50, 3.0)) == (3.0, 3.0)


class TestProperties:
    def test_blocks_widen_the_interval_of_dependent_days(self) -> None:
        steps = np.random.default_rng(3).normal(size=600)
        dependent = np.zeros(600)
        for day in range(1, 600):
            dependent[day] = 0.9 * dependent[day - 1] + steps[day]
        low, high = interval_of_mean(dependent)
        blocked = interval_of_mean(dependent, block_days=30)
        assert blocked[1] - blocked[0] > 2 * (high - low)

    def test_the_same_seed_gives_the_same_interval(self) -> None:
        values = np.random.default_rng(0).normal(size=100)
        assert interval_of_mean(values) == interval_of_mean(values)
        assert interval_of_mean(values, seed=2) != interval_of_mean(values)

    def test_draws_without_a_value_are_left_out(self) -> None:
        known = np.linspace(0, 1, 101)
        with_gaps = np.concatenate([known, np.full(50, np.nan)])
        assert bootstrap().interval(with_gaps) == bootstrap().interval(known)
        assert np.isnan(bootstrap().interval(np.full(9, np.nan))).all()

    def test_every_draw_has_as_many_days_as_there_are(self) -> None:
        drawn = bootstrap(block_days=7).resampled_sums(np.ones((33, 2)))
        assert drawn.shape == (2000, 2)
        assert (drawn == 33).all()
