"""Hurst exponent and fractal dimension: two readings of one power law."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.features.physics import fractal_dimension, hurst
from fleet_kedro.features.physics.fractal import VARIOGRAM_LAGS
from fleet_kedro.features.physics.hurst import HURST_LAGS

KERNELS = [hurst, fractal_dimension]


def fractional_brownian_motion(exponent: float, n_bars: int, seed: int) -> np.ndarray:
    """Exact sample by circulant embedding (Davies & Harte 1987)."""
    rng = np.random.default_rng(seed)
    lag = np.arange(n_bars + 1.0)
    power = 2 * exponent
    covariance = ((lag + 1) ** power - 2 * lag**power + np.abs(lag - 1) ** power) / 2
    circle = np.concatenate([covariance, covariance[-2:0:-1]])
    eigenvalues = np.maximum(np.fft.fft(circle).real, 0.0)
    noise = rng.normal(size=circle.size) + 1j * rng.normal(size=circle.size)
    increments = np.fft.fft(np.sqrt(eigenvalues / circle.size) * noise).real[:n_bars]
    return np.cumsum(increments)


def log_price(n_bars: int, seed: int = 0, price: float = 1e5) -> np.ndarray:
    returns = np.random.default_rng(seed).standard_t(3, n_bars) * 0.005
    return math.log(price) + np.cumsum(returns)


def slow_slope(window: np.ndarray, lags: tuple[int, ...], power: float) -> float:
    """Least squares through the logarithms, one window."""
    moves = [
        math.fsum(
            abs(window[i] - window[i - lag]) ** power for i in range(lag, window.size)
        )
        / (window.size - lag)
        for lag in lags
    ]
    return np.polyfit(np.log(lags), np.log(moves), 1)[0]


class TestKnownValues:
    @pytest.mark.parametrize("exponent", [0.3, 0.5, 0.7])
    def test_fractional_brownian_motion_is_recovered(self, exponent):
        paths = [fractional_brownian_motion(exponent, 3000, seed) for seed in range(8)]

        hurst_mean = np.nanmean([hurst(path) for path in paths])
        dimension_mean = np.nanmean([fractal_dimension(path) for path in paths])

        assert hurst_mean == pytest.approx(exponent, abs=0.05)
        assert dimension_mean == pytest.approx(2 - exponent, abs=0.05)

    def test_a_straight_line(self):
        line = 11.5 + 0.25 * np.arange(300)

        # Every move over k bars is k times the move over one.
        np.testing.assert_allclose(hurst(line)[199:], 1.0, rtol=1e-12)
        np.testing.assert_allclose(fractal_dimension(line)[199:], 1.0, rtol=1e-12)

    def test_white_noise_has_no_growth(self):
        noise = np.random.default_rng(3).normal(size=5000)

        # A move over any lag is the difference of two independent values.
        assert np.nanmean(hurst(noise)) == pytest.approx(0.0, abs=0.01)
        assert np.nanmean(fractal_dimension(noise)) == pytest.approx(2.0, abs=0.01)


class TestAgainstSlowReference:
    @pytest.mark.parametrize("price", [1e5, 0.08])
    @pytest.mark.parametrize("window", [33, 200])
    def test_every_bar_equals_the_definition(self, price, window):
        values = log_price(450, price=price)

        fast_hurst = hurst(values, window)
        fast_dimension = fractal_dimension(values, window)

        for t in range(window - 1, values.size):
            inside = values[t - window + 1 : t + 1]
            slope = slow_slope(inside, VARIOGRAM_LAGS, 2.0)
            assert fast_hurst[t] == pytest.approx(
                slow_slope(inside, HURST_LAGS, 1.0), rel=1e-9
            )
            assert fast_dimension[t] == pytest.approx(2 - slope / 2, rel=1e-9)


class TestProperties:
    @pytest.mark.parametrize("kernel", KERNELS)
    @settings(max_examples=40)
    @given(cut=st.integers(0, 600), window=st.integers(17, 250))
    def test_truncation_changes_no_bit(self, kernel, cut, window):
        values = log_price(600)

        np.testing.assert_array_equal(
            kernel(values[:cut], window), kernel(values, window)[:cut]
        )

    @pytest.mark.parametrize("kernel", KERNELS)
    @settings(max_examples=50)
    @given(factor=st.floats(0.01, 100), level=st.floats(-10, 10))
    def test_neither_level_nor_scale_matters(self, kernel, factor, level):
        values = log_price(400)

        scaled = kernel(factor * values + level)

        np.testing.assert_allclose(scaled, kernel(values), rtol=1e-8, atol=1e-9)

    @pytest.mark.parametrize("kernel", KERNELS)
    def test_nan_exactly_until_the_window_is_full(self, kernel):
        known = np.isfinite(kernel(log_price(400)))

        np.testing.assert_array_equal(known, np.arange(400) >= 199)

    @pytest.mark.parametrize("kernel", KERNELS)
    def test_a_flat_window_is_unknown_and_poisons_nothing(self, kernel):
        values = log_price(900)
        values[300:520] = values[300]

        known = np.isfinite(kernel(values))

        # Bars 300 ... 519 stand still; a window of 200 of them has no move at all.
        flat = (np.arange(900) >= 499) & (np.arange(900) <= 519)
        np.testing.assert_array_equal(known, ~flat & (np.arange(900) >= 199))


class TestErrors:
    @pytest.mark.parametrize(("kernel", "lag"), [(hurst, 16), (fractal_dimension, 4)])
    def test_a_window_no_longer_than_the_longest_lag(self, kernel, lag):
        with pytest.raises(ValueError, match=f"window_bars is {lag}; .* lag, {lag}"):
            kernel(log_price(100), lag)
