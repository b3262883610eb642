import numpy as np
import pytest
from scipy import stats

from fleet_kedro.features.rolling import (
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
