import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fleet_kedro.features.rolling import (
    percentile_in_window,
    ratio_or,
    rolling_co_moments,
    rolling_correlation,
    rolling_max,
    rolling_mean,
    rolling_mean_and_squares,
    rolling_min,
    rolling_moments,
    rolling_slope,
    rolling_sum,
    shift,
)

WINDOWS = [1, 2, 3, 7, 8, 13, 34]


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    return np.random.default_rng(0).normal(5.0, 2.0, 120)


def windows_of(values: np.ndarray, window: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values, window)


def walk(n_bars: int, seed: int = 0, level: float = 11.5) -> np.ndarray:
    """A log price: moves of a tenth of a percent at a level far above them."""
    return level + np.cumsum(np.random.default_rng(seed).normal(0, 1e-3, n_bars))


class TestKnownValues:
    def test_shift_leaves_nan_where_nothing_came_before(self):
        np.testing.assert_array_equal(
            shift(np.array([1.0, 2.0, 3.0]), 2), [np.nan, np.nan, 1.0]
        )
        assert np.isnan(shift(np.ones(3), 5)).all()

    def test_sum_of_three(self):
        np.testing.assert_array_equal(
            rolling_sum(np.array([1.0, 2.0, 4.0, 8.0]), 3), [np.nan, np.nan, 7.0, 14.0]
        )

    def test_co_moments_of_two_pairs(self):
        joint = rolling_co_moments(np.array([1.0, 3.0]), np.array([10.0, 16.0]), 2)
        # About the means 2 and 13: deviations -1, 1 and -3, 3.
        assert [column[1] for column in joint] == [2.0, 13.0, 6.0, 2.0, 18.0]

    def test_percentile_goes_from_lowest_to_highest(self):
        values = np.array([1.0, 2.0, 3.0, 0.0, 2.0, 2.0])
        np.testing.assert_array_equal(
            percentile_in_window(values, 3), [np.nan, np.nan, 1.0, -1.0, 0.0, 0.5]
        )

    def test_slope_of_a_line_is_its_rise_per_bar_and_explains_all(self):
        slope, share = rolling_slope(10.0 - 0.25 * np.arange(9.0), 5)
        np.testing.assert_allclose(slope[4:], -0.25, rtol=1e-14)
        np.testing.assert_allclose(share[4:], -1.0, rtol=1e-14)

    def test_ratio_is_neutral_over_zero_and_keeps_nan(self):
        ratio = ratio_or(np.array([1.0, 0.0, np.nan]), np.array([4.0, 0.0, 0.0]), 0.5)
        np.testing.assert_array_equal(ratio, [0.25, 0.5, np.nan])


@pytest.mark.parametrize("window", WINDOWS)
class TestAgainstSlowReference:
    def test_sum_mean_and_extremes(self, series, window):
        seen = windows_of(series, window)
        for rolling, definition in [
            (rolling_sum, np.sum),
            (rolling_mean, np.mean),
            (rolling_max, np.max),
            (rolling_min, np.min),
        ]:
            result = rolling(series, window)
            assert np.isnan(result[: window - 1]).all()
            np.testing.assert_allclose(
                result[window - 1 :], definition(seen, axis=1), rtol=1e-13
            )

    def test_central_moments(self, series, window):
        moments = rolling_moments(series, window)
        _, squares = rolling_mean_and_squares(series, window)
        np.testing.assert_array_equal(squares, moments.squares)
        for order, result in [
            (2, moments.squares),
            (3, moments.cubes),
            (4, moments.fourths),
        ]:
            expected = stats.moment(windows_of(series, window), order, axis=1) * window
            np.testing.assert_allclose(
                result[window - 1 :], expected, rtol=1e-10, atol=1e-10
            )

    def test_co_moments(self, series, window):
        other = 0.3 * series + np.random.default_rng(1).normal(size=len(series))
        joint = rolling_co_moments(series, other, window)
        for row, (x, y) in enumerate(
            zip(windows_of(series, window), windows_of(other, window), strict=True),
            start=window - 1,
        ):
            assert joint.products[row] == pytest.approx(
                np.sum((x - x.mean()) * (y - y.mean())), abs=1e-11
            )
            assert joint.squares_y[row] == pytest.approx(
                np.sum((y - y.mean()) ** 2), abs=1e-11
            )


class TestDigits:
    """At any level, for windows of days and weeks: no digit is lost to the level."""

    @given(
        n_bars=st.integers(0, 130), window=st.integers(1, 40), seed=st.integers(0, 99)
    )
    def test_sum_equals_the_definition(self, n_bars, window, seed):
        values = walk(n_bars, seed)
        expected = np.full(n_bars, np.nan)
        for t in range(window - 1, n_bars):
            expected[t] = math.fsum(values[t - window + 1 : t + 1])
        np.testing.assert_allclose(rolling_sum(values, window), expected, rtol=1e-13)

    @pytest.mark.parametrize("window", [168, 504])
    @pytest.mark.parametrize("level", [0.0, -2.5, 11.5, 1e5])
    def test_co_moments_keep_their_digits(self, level, window):
        x, y = walk(1000, 1, level), walk(1000, 2, level)
        joint = rolling_co_moments(x, y, window)
        for t in range(window - 1, x.size, 37):
            inside = slice(t - window + 1, t + 1)
            centred_x = x[inside] - math.fsum(x[inside]) / window
            centred_y = y[inside] - math.fsum(y[inside]) / window
            scale = np.linalg.norm(centred_x) * np.linalg.norm(centred_y)
            assert joint.squares_x[t] == pytest.approx(
                math.fsum(centred_x**2), rel=1e-11
            )
            assert joint.products[t] == pytest.approx(
                math.fsum(centred_x * centred_y), abs=1e-11 * scale
            )
            assert joint.mean_y[t] == pytest.approx(y[inside].mean(), rel=1e-13)


class TestSlopeAgainstSlowReference:
    @pytest.mark.parametrize("window", WINDOWS[1:])
    def test_slope(self, series, window):
        slope, share = rolling_slope(series, window)
        for row, seen in enumerate(windows_of(series, window), start=window - 1):
            line = stats.linregress(np.arange(window), seen)
            assert slope[row] == pytest.approx(line.slope, abs=1e-12)
            assert share[row] == pytest.approx(
                np.sign(line.slope) * line.rvalue**2, abs=1e-12
            )


class TestProperties:
    @pytest.mark.parametrize("window", WINDOWS)
    def test_equal_values_have_their_own_mean_and_exactly_no_spread(self, window):
        values = np.full(50, 0.1)
        moments = rolling_moments(values, window)
        assert (moments.mean[window - 1 :] == 0.1).all()
        assert (moments.squares[window - 1 :] == 0.0).all()

    @pytest.mark.parametrize("window", WINDOWS[1:])
    def test_equal_values_have_exactly_no_slope(self, window):
        slope, share = rolling_slope(np.full(50, 0.1), window)
        assert (slope[window - 1 :] == 0.0).all()
        assert (share[window - 1 :] == 0.0).all()

    def test_correlation_with_a_constant_is_zero(self, series):
        correlation = rolling_correlation(series, np.full(len(series), 0.1), 13)
        assert (correlation[12:] == 0.0).all()

    @given(
        n_bars=st.integers(0, 130),
        window=st.integers(1, 40),
        seed=st.integers(0, 99),
        data=st.data(),
    )
    def test_truncation_changes_no_bit(self, n_bars, window, seed, data):
        cut = data.draw(st.integers(0, n_bars))
        x, y = walk(n_bars, seed), walk(n_bars, seed + 1)
        whole = rolling_co_moments(x, y, window)
        early = rolling_co_moments(x[:cut], y[:cut], window)
        for early_column, column in zip(early, whole, strict=True):
            np.testing.assert_array_equal(early_column, column[:cut])

    @given(window=st.integers(1, 40), position=st.integers(0, 99))
    def test_nan_exactly_where_the_window_holds_one(self, window, position):
        values = walk(100)
        values[position] = np.nan
        bar = np.arange(100)
        holds_nan = (bar >= position) & (bar < position + window)
        for rolling in (rolling_sum, rolling_mean, rolling_max):
            np.testing.assert_array_equal(
                np.isnan(rolling(values, window)), holds_nan | (bar < window - 1)
            )

    def test_a_window_depends_on_its_own_bars_only(self, series):
        late = rolling_moments(series[40:], 13)
        whole = rolling_moments(series, 13)
        for part, expected in zip(late, whole, strict=True):
            np.testing.assert_array_equal(part[12:], expected[52:])

    def test_nan_and_jump_leave_no_trace_once_they_left_the_window(self, series):
        broken = series.copy()
        broken[30], broken[60] = np.nan, 1e12
        clean = rolling_mean_and_squares(series, 8)[1]
        result = rolling_mean_and_squares(broken, 8)[1]
        assert np.isnan(result[30:38]).all()
        assert (result[60:68] > 1e20).all()
        np.testing.assert_array_equal(result[38:60], clean[38:60])
        np.testing.assert_array_equal(result[68:], clean[68:])

    def test_a_window_longer_than_the_series_is_never_full(self):
        assert np.isnan(rolling_sum(np.ones(5), 6)).all()
        assert rolling_sum(np.ones(0), 3).size == 0


class TestErrors:
    def test_empty_window_is_refused(self):
        with pytest.raises(ValueError, match="window of 0 bars"):
            rolling_sum(np.ones(3), 0)

    def test_one_bar_has_no_slope(self):
        with pytest.raises(ValueError, match="window of 1 bars has no slope"):
            rolling_slope(np.ones(3), 1)
