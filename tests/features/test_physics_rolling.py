"""Sliding sums: equal to the definition at any level, and blind to the future."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.features.physics.rolling import (
    delayed,
    rolling_moments,
    rolling_sum,
)

windows = st.integers(1, 40)
lengths = st.integers(0, 130)
seeds = st.integers(0, 10_000)


def walk(n_bars: int, seed: int = 0, level: float = 11.5) -> np.ndarray:
    return level + np.cumsum(np.random.default_rng(seed).normal(0, 1e-3, n_bars))


def slow_sum(values: np.ndarray, window: int) -> np.ndarray:
    out = np.full(values.size, np.nan)
    for t in range(window - 1, values.size):
        out[t] = math.fsum(values[t - window + 1 : t + 1])
    return out


class TestKnownValues:
    def test_sums_of_three(self):
        values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])

        expected = [np.nan, np.nan, 6.0, 9.0, 12.0]
        np.testing.assert_array_equal(rolling_sum(values, 3), expected)

    def test_moments_of_two_pairs(self):
        moments = rolling_moments(np.array([1.0, 3.0]), np.array([10.0, 16.0]), 2)

        # About the means 2 and 13: deviations -1, 1 and -3, 3.
        assert [column[1] for column in moments] == [2.0, 13.0, 2.0, 6.0, 18.0]

    def test_a_lag_is_paid_at_the_front(self):
        np.testing.assert_array_equal(
            delayed(np.array([1.0, 2.0]), 3), [np.nan, 1.0, 2.0]
        )


class TestAgainstSlowReference:
    @given(n_bars=lengths, window=windows, seed=seeds)
    def test_sum_equals_the_definition(self, n_bars, window, seed):
        values = walk(n_bars, seed)

        np.testing.assert_allclose(
            rolling_sum(values, window), slow_sum(values, window), rtol=1e-13
        )

    @pytest.mark.parametrize("level", [0.0, -2.5, 11.5, 1e5])
    def test_moments_keep_their_digits_at_any_level(self, level):
        x, y = walk(1000, 1, level), walk(1000, 2, level)
        window = 168

        moments = rolling_moments(x, y, window)

        for t in range(window - 1, x.size, 37):
            inside = slice(t - window + 1, t + 1)
            centred_x = x[inside] - math.fsum(x[inside]) / window
            centred_y = y[inside] - math.fsum(y[inside]) / window
            scale = np.linalg.norm(centred_x) * np.linalg.norm(centred_y)
            assert moments.sum_xx[t] == pytest.approx(
                math.fsum(centred_x**2), rel=1e-11
            )
            assert moments.sum_xy[t] == pytest.approx(
                math.fsum(centred_x * centred_y), abs=1e-11 * scale
            )
            assert moments.mean_y[t] == pytest.approx(y[inside].mean(), rel=1e-13)


class TestProperties:
    @given(n_bars=lengths, window=windows, seed=seeds, data=st.data())
    def test_truncation_changes_no_bit(self, n_bars, window, seed, data):
        cut = data.draw(st.integers(0, n_bars))
        x, y = walk(n_bars, seed), walk(n_bars, seed + 1)

        whole = rolling_moments(x, y, window)
        early = rolling_moments(x[:cut], y[:cut], window)

        for early_column, column in zip(early, whole, strict=True):
            np.testing.assert_array_equal(early_column, column[:cut])

    @given(window=windows, position=st.integers(0, 99))
    def test_nan_exactly_where_the_window_holds_one(self, window, position):
        values = walk(100)
        values[position] = np.nan

        is_nan = np.isnan(rolling_sum(values, window))

        bar = np.arange(100)
        holds_nan = (bar >= position) & (bar < position + window)
        np.testing.assert_array_equal(is_nan, holds_nan | (bar < window - 1))

    @given(level=st.floats(-20, 20), window=windows)
    def test_a_constant_has_exactly_no_spread(self, level, window):
        values = np.full(100, level)

        moments = rolling_moments(values, values, window)

        assert (moments.sum_xx[window - 1 :] == 0.0).all()
        assert (moments.mean_x[window - 1 :] == level).all()


class TestErrors:
    def test_a_window_without_a_bar(self):
        with pytest.raises(ValueError, match="window_bars is 0"):
            rolling_sum(walk(10), 0)
