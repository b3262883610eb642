import numpy as np
import pytest

from fleet_kedro.features.market_returns import (
    MarketReturns,
    count_known,
    mean_of_known,
    sum_of_known,
)

VALUES = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])


@pytest.fixture(scope="module")
def returns() -> MarketReturns:
    rng = np.random.default_rng(4)
    log_return = rng.normal(size=(40, 5))
    log_return[rng.random((40, 5)) < 0.4] = np.nan
    log_return[:2] = np.nan
    log_return[1, 3] = 0.5
    return MarketReturns(log_return)


class TestKnownValues:
    def test_unknown_values_add_nothing_and_do_not_count(self):
        np.testing.assert_array_equal(count_known(VALUES), [2.0, 0.0])
        np.testing.assert_array_equal(sum_of_known(VALUES), [4.0, 0.0])
        np.testing.assert_array_equal(mean_of_known(VALUES), [2.0, 0.0])
        np.testing.assert_array_equal(mean_of_known(VALUES, np.square), [5.0, 0.0])

    def test_the_others_are_all_but_oneself(self):
        returns = MarketReturns(np.array([[1.0, 2.0, np.nan], [4.0, np.nan, np.nan]]))
        rows = np.array([0, 1])
        others = [returns.of_others(rows, column) for column in range(3)]
        np.testing.assert_array_equal(others, [[2.0, 0.0], [1.0, 4.0], [1.5, 4.0]])


class TestAgainstSlowReference:
    def test_each_hour_is_summed_up_by_itself(self, returns):
        for hour, row in enumerate(returns.log_return):
            known = row[~np.isnan(row)]
            assert returns.n_known[hour] == len(known)
            assert returns.total[hour] == pytest.approx(known.sum())
            assert returns.total_sign[hour] == np.sign(known).sum()
            spread = known.std() if len(known) else 0.0
            assert returns.dispersion[hour] == pytest.approx(spread, abs=1e-15)
            for column in range(5):
                others = np.delete(row, column)
                mean = np.nanmean(others) if np.isfinite(others).any() else 0.0
                found = returns.of_others(slice(hour, hour + 1), column)
                assert found == pytest.approx(mean, abs=1e-15)

    def test_some_hours_of_many_are_the_same_numbers(self, returns):
        every = returns.of_others(slice(0, 40), 2)
        some = np.array([3, 17, 39])
        np.testing.assert_array_equal(returns.of_others(some, 2), every[some])
