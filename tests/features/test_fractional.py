"""Fractional differences: the definition, its limits, its order, and no future."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.features.fractional import (
    BLOCK_BARS,
    FractionalDifference,
    fractional_difference,
    fractional_weights,
    smallest_stationary_order,
)

LONG = FractionalDifference()
SHORT = FractionalDifference(max_window_bars=40)
SEARCH = FractionalDifference(max_window_bars=200)


def log_walk(n_bars: int, seed: int = 0) -> np.ndarray:
    """A log price near 11.5, that of 100,000."""
    rng = np.random.default_rng(seed)
    return math.log(1e5) + np.cumsum(rng.normal(0, 0.01, n_bars))


def direct_sum(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The definition, one bar at a time, without a rounding error in the sum."""
    out = np.full(values.size, np.nan)
    for t in range(weights.size - 1, values.size):
        out[t] = math.fsum(w * values[t - k] for k, w in enumerate(weights))
    return out


class TestKnownValues:
    def test_weights_of_order_one_half(self):
        weights = fractional_weights(0.5, SHORT)

        # (1 - B) ** 0.5 = 1 - B/2 - B^2/8 - B^3/16 - 5 B^4/128 - ...
        np.testing.assert_allclose(weights[:5], [1, -1 / 2, -1 / 8, -1 / 16, -5 / 128])

    def test_the_window_ends_before_the_first_small_weight(self):
        config = FractionalDifference(weight_cutoff=0.05)

        # |w| of order 0.5: 1, 0.5, 0.125, 0.0625, then 0.039.
        assert fractional_weights(0.5, config).size == 4

    def test_the_window_is_never_longer_than_allowed(self):
        assert fractional_weights(0.4, SHORT).size == SHORT.max_window_bars

    def test_order_one_is_the_plain_difference(self):
        price = log_walk(2000)

        differenced = fractional_difference(price, 1.0, LONG)

        assert np.isnan(differenced[0])
        np.testing.assert_array_equal(differenced[1:], np.diff(price))

    def test_order_zero_changes_nothing(self):
        price = log_walk(2000)

        np.testing.assert_array_equal(fractional_difference(price, 0.0, LONG), price)

    def test_half_twice_is_one(self):
        config = FractionalDifference(weight_cutoff=1e-12, max_window_bars=100_000)
        impulse = np.zeros(400)
        impulse[0] = 1.0

        def from_zero(values: np.ndarray) -> np.ndarray:
            weights = fractional_weights(0.5, config)[: values.size]
            return np.convolve(values, weights)[: values.size]

        expected = np.concatenate([[1.0, -1.0], np.zeros(398)])
        np.testing.assert_allclose(from_zero(from_zero(impulse)), expected, atol=1e-14)


class TestAgainstSlowReference:
    @pytest.mark.parametrize("order", [0.05, 0.4, 0.95])
    def test_equals_the_direct_sum(self, order):
        price = log_walk(1440 + 2 * BLOCK_BARS + 77)
        weights = fractional_weights(order, LONG)

        differenced = fractional_difference(price, order, LONG)

        expected = direct_sum(price, weights)
        assert np.isfinite(expected).any()
        np.testing.assert_allclose(differenced, expected, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("window", [BLOCK_BARS, BLOCK_BARS + 1, BLOCK_BARS + 2])
    def test_equals_the_direct_sum_where_the_method_changes(self, window):
        config = FractionalDifference(max_window_bars=window)
        price = log_walk(3 * BLOCK_BARS)
        weights = fractional_weights(0.3, config)
        assert weights.size == window

        differenced = fractional_difference(price, 0.3, config)

        expected = direct_sum(price, weights)
        np.testing.assert_allclose(differenced, expected, rtol=0, atol=1e-12)


class TestProperties:
    @settings(max_examples=40, deadline=None)
    @given(cut=st.integers(1, 4000), order=st.floats(0.0, 1.0))
    def test_truncation_changes_no_bit(self, cut, order):
        price = log_walk(4000)

        whole = fractional_difference(price, order, LONG)

        np.testing.assert_array_equal(
            fractional_difference(price[:cut], order, LONG), whole[:cut]
        )

    def test_a_wild_future_changes_no_bit(self):
        price = log_walk(4000)
        wild = price.copy()
        wild[2500:] = 1e6

        before = fractional_difference(price, 0.4, LONG)
        after = fractional_difference(wild, 0.4, LONG)

        np.testing.assert_array_equal(after[:2500], before[:2500])
        assert (after[2500:] != before[2500:]).all()

    @given(order=st.floats(0.01, 0.99))
    def test_nan_exactly_until_the_window_is_full(self, order):
        window = fractional_weights(order, SHORT).size

        differenced = fractional_difference(log_walk(100), order, SHORT)

        assert np.isnan(differenced[: window - 1]).all()
        assert np.isfinite(differenced[window - 1 :]).all()

    def test_a_segment_shorter_than_the_window_is_unknown(self):
        assert np.isnan(fractional_difference(log_walk(39), 0.4, SHORT)).all()

    def test_leaves_its_input_alone(self):
        price = log_walk(2000)
        copy = price.copy()

        fractional_difference(price, 0.4, LONG)

        np.testing.assert_array_equal(price, copy)


class TestSmallestStationaryOrder:
    def test_noise_needs_no_difference(self):
        noise = np.random.default_rng(1).normal(size=3000)

        assert smallest_stationary_order(noise, SEARCH) == 0.0

    def test_a_constant_needs_no_difference(self):
        assert smallest_stationary_order(np.full(1000, 11.5), SEARCH) == 0.0

    def test_a_walk_keeps_most_of_its_memory(self):
        order = smallest_stationary_order(log_walk(5000), SEARCH)

        assert 0.0 < order < 0.6

    def test_two_sums_need_more_than_a_plain_difference(self):
        noise = np.random.default_rng(2).normal(size=3000)
        twice_integrated = np.cumsum(np.cumsum(noise))

        assert smallest_stationary_order(twice_integrated, SEARCH) == 1.0

    @pytest.mark.parametrize("seed", range(4))
    def test_the_answer_passes_the_test_and_a_lower_order_fails(self, seed):
        from statsmodels.tsa.stattools import adfuller

        price = log_walk(4000, seed)
        order = smallest_stationary_order(price, SEARCH)

        def p_value(order: float) -> float:
            tested = fractional_difference(price, order, SEARCH)[199:]
            result = adfuller(
                tested, maxlag=1, regression="c", autolag=None, result_object=True
            )
            return result.pvalue

        assert order > SEARCH.order_tolerance
        assert p_value(order) < 0.05
        assert p_value(order - SEARCH.order_tolerance) >= 0.05

    def test_a_finer_tolerance_never_asks_for_more(self):
        price = log_walk(4000)
        finer = FractionalDifference(max_window_bars=200, order_tolerance=0.001)

        coarse_order = smallest_stationary_order(price, SEARCH)
        fine_order = smallest_stationary_order(price, finer)

        assert fine_order <= coarse_order
        assert coarse_order - fine_order <= SEARCH.order_tolerance


class TestErrors:
    @pytest.mark.parametrize("order", [-0.1, 1.5, math.nan])
    def test_an_order_outside_the_unit_interval(self, order):
        with pytest.raises(ValueError, match=r"lies in \[0, 1\]"):
            fractional_weights(order, LONG)

    def test_too_few_bars_to_choose_an_order(self):
        with pytest.raises(ValueError, match=r"448 bars .* = 449 are needed"):
            smallest_stationary_order(log_walk(448), SEARCH)
