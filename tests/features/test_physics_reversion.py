"""Ornstein-Uhlenbeck fit and what it promises for a horizon."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.features.physics import (
    Physics,
    elastic_features,
    ornstein_uhlenbeck,
)

HORIZON = 12
CONFIG = Physics()


def simulate(theta: float, n_bars: int, seed: int = 0, mean: float = 11.5):
    """Exact hourly samples; sigma is 0.01 per square root of an hour."""
    rng = np.random.default_rng(seed)
    keep = math.exp(-theta)
    step_deviation = 0.01 * math.sqrt((1 - keep**2) / (2 * theta))
    values = np.empty(n_bars)
    values[0] = mean + rng.normal(0, 0.01 / math.sqrt(2 * theta))
    for i in range(1, n_bars):
        kept = mean + keep * (values[i - 1] - mean)
        values[i] = kept + rng.normal(0, step_deviation)
    return values


def log_walk(n_bars: int, seed: int = 0, price: float = 1e5) -> np.ndarray:
    returns = np.random.default_rng(seed).standard_t(3, n_bars) * 0.005
    return math.log(price) + np.cumsum(returns)


def slow_regression(window: np.ndarray) -> tuple[float, float, float]:
    """Slope, intercept and residual sum of squares of the steps on the levels."""
    level, step = window[:-1], np.diff(window)
    n_pairs = step.size
    mean_level, mean_step = math.fsum(level) / n_pairs, math.fsum(step) / n_pairs
    products = (level - mean_level) * (step - mean_step)
    slope = math.fsum(products) / math.fsum((level - mean_level) ** 2)
    intercept = mean_step - slope * mean_level
    residual = step - mean_step - slope * (level - mean_level)
    return slope, intercept, math.fsum(residual**2)


class TestKnownValues:
    @pytest.mark.parametrize(("theta", "window"), [(0.5, 168), (0.1, 1500)])
    def test_the_process_is_recovered(self, theta, window):
        paths = [simulate(theta, window + 1500, seed) for seed in range(6)]

        fits = [ornstein_uhlenbeck(path, window) for path in paths]

        theta_mean = np.nanmean([fit.theta_per_hour for fit in fits])
        assert theta_mean == pytest.approx(theta, rel=0.15)
        assert np.nanmean([fit.mean for fit in fits]) == pytest.approx(11.5, abs=0.01)
        assert np.nanmean([fit.sigma for fit in fits]) == pytest.approx(0.01, rel=0.05)

    def test_exact_decay_towards_a_mean(self):
        # Half of the distance from 7 remains after each hour.
        values = 7.0 + 0.5 ** np.arange(20)

        fit = ornstein_uhlenbeck(values, 20)

        assert fit.theta_per_hour[-1] == pytest.approx(math.log(2), rel=1e-9)
        assert fit.mean[-1] == pytest.approx(7.0, rel=1e-9)
        assert fit.sigma[-1] == pytest.approx(0.0, abs=1e-8)

    def test_a_price_that_runs_away_has_no_mean(self):
        values = 7.0 + 1.1 ** np.arange(20)

        fit = ornstein_uhlenbeck(values, 20)

        assert fit.theta_per_hour[-1] == pytest.approx(-math.log(1.1), rel=1e-9)
        assert np.isnan(fit.mean[-1])

    def test_an_alternating_price_returns_at_the_greatest_speed(self):
        values = 7.0 + np.tile([0.0, 0.01], 20)

        assert ornstein_uhlenbeck(values, 40).theta_per_hour[-1] == pytest.approx(5.0)

    def test_far_below_the_mean_a_rise_is_expected(self):
        values = simulate(0.05, 400)
        values[-1] -= 0.08

        expected, volatility, z = (f[-1] for f in elastic_features(values, 12, CONFIG))

        assert expected > 0
        assert volatility > 0
        assert z == expected / volatility


class TestAgainstSlowReference:
    @pytest.mark.parametrize("price", [1e5, 0.08])
    @pytest.mark.parametrize("window", [16, 168])
    def test_every_fit_equals_the_definition(self, price, window):
        values = log_walk(700, price=price)

        fit = ornstein_uhlenbeck(values, window)

        for t in range(window - 1, values.size):
            slope, intercept, squares = slow_regression(values[t - window + 1 : t + 1])
            if 1 + slope < math.exp(-5):
                assert fit.theta_per_hour[t] == pytest.approx(5.0, rel=1e-12)
                continue
            theta = -math.log1p(slope)
            variance = squares / (window - 3)
            sigma = math.sqrt(variance * 2 * theta / -math.expm1(-2 * theta))
            assert fit.theta_per_hour[t] == pytest.approx(theta, rel=1e-9, abs=1e-12)
            assert fit.sigma[t] == pytest.approx(sigma, rel=1e-9)
            if slope < -1e-4:
                assert fit.mean[t] == pytest.approx(-intercept / slope, rel=1e-9)

    @pytest.mark.parametrize("price", [1e5, 0.08])
    def test_every_forecast_follows_the_process(self, price):
        values = log_walk(1500, price=price)
        fit = ornstein_uhlenbeck(values, CONFIG.theta_bars)

        forecast = elastic_features(values, HORIZON, CONFIG)

        returns = fit.theta_per_hour > 1e-3
        assert returns.sum() > 500
        theta, mean, sigma = (column[returns] for column in fit)
        expected = (mean - values[returns]) * -np.expm1(-theta * HORIZON)
        volatility = sigma * np.sqrt(-np.expm1(-2 * theta * HORIZON) / (2 * theta))
        np.testing.assert_allclose(
            forecast.elastic_expected_return[returns], expected, rtol=1e-8, atol=1e-13
        )
        np.testing.assert_allclose(
            forecast.elastic_return_volatility[returns], volatility, rtol=1e-9
        )

    def test_without_return_the_forecast_is_the_drift(self):
        values = log_walk(1500)
        runs_away = ornstein_uhlenbeck(values, CONFIG.theta_bars).theta_per_hour < 0
        assert runs_away.any()

        forecast = elastic_features(values, HORIZON, CONFIG)

        for t in np.flatnonzero(runs_away):
            step = np.diff(values[t - CONFIG.theta_bars + 1 : t + 1])
            deviation = math.sqrt(np.square(step - step.mean()).sum() / (step.size - 2))
            assert forecast.elastic_expected_return[t] == pytest.approx(
                HORIZON * step.mean(), rel=1e-9, abs=1e-15
            )
            assert forecast.elastic_return_volatility[t] == pytest.approx(
                math.sqrt(HORIZON) * deviation, rel=1e-9
            )


class TestProperties:
    @settings(max_examples=40)
    @given(cut=st.integers(0, 600), window=st.integers(16, 200))
    def test_truncation_changes_no_bit(self, cut, window):
        values = log_walk(600)
        config = Physics(theta_bars=window)

        whole = (
            *ornstein_uhlenbeck(values, window),
            *elastic_features(values, HORIZON, config),
        )
        early = (
            *ornstein_uhlenbeck(values[:cut], window),
            *elastic_features(values[:cut], HORIZON, config),
        )

        for early_column, column in zip(early, whole, strict=True):
            np.testing.assert_array_equal(early_column, column[:cut])

    @settings(max_examples=30)
    @given(factor=st.floats(0.1, 10), level=st.floats(-12, 12))
    def test_speed_and_z_know_neither_level_nor_scale(self, factor, level):
        values = log_walk(400)
        moved = factor * values + level

        np.testing.assert_allclose(
            ornstein_uhlenbeck(moved).theta_per_hour,
            ornstein_uhlenbeck(values).theta_per_hour,
            rtol=1e-7,
            atol=1e-9,
        )
        np.testing.assert_allclose(
            elastic_features(moved, HORIZON, CONFIG).elastic_z,
            elastic_features(values, HORIZON, CONFIG).elastic_z,
            rtol=1e-6,
            atol=1e-8,
        )

    @settings(max_examples=50)
    @given(
        st.lists(
            st.sampled_from([-0.3, -0.01, 0.0, 0.0, 1e-4, 0.5]),
            min_size=40,
            max_size=120,
        )
    )
    def test_never_infinite_and_known_together(self, returns):
        values = 11.5 + np.cumsum(returns)
        config = Physics(theta_bars=16)

        fit = ornstein_uhlenbeck(values, 16)
        forecast = np.array(elastic_features(values, HORIZON, config))

        assert not np.isinf(fit).any()
        assert not np.isinf(forecast).any()
        known = np.isfinite(forecast)
        assert (known.all(axis=0) | ~known.any(axis=0)).all()

    def test_a_flat_window_is_unknown_and_poisons_nothing(self):
        values = log_walk(600)
        values[200:400] = values[200]
        bar = np.arange(600)

        known = np.isfinite(elastic_features(values, HORIZON, CONFIG).elastic_z)

        flat_levels = (bar >= 367) & (bar <= 399)
        # At bar 400 all levels but the last still coincide: no slope exists.
        expected = (bar >= 167) & ~flat_levels & (bar != 400)
        np.testing.assert_array_equal(known, expected)
