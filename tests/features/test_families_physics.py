"""Physics at several windows: the kernels, centred, neutral where nothing moves."""

import numpy as np
import pytest

from fleet_kedro.features.families import physics_windows as family
from fleet_kedro.features.physics import (
    Physics,
    autocorrelation,
    elastic_features,
    fractal_dimension,
    hurst,
    ornstein_uhlenbeck,
    permutation_entropy,
)

W = 34


class TestAgainstTheKernels:
    def test_each_signal_is_its_kernel_around_the_random_walk(self, random_bars):
        b, log_close = random_bars, np.log(random_bars.close)
        theta = ornstein_uhlenbeck(log_close, W).theta_per_hour
        pull = elastic_features(log_close, 13, Physics(theta_bars=W)).elastic_z
        for compute, expected in [
            (family.hurst_excess, 4 * (hurst(log_close, W) - 0.5)),
            (family.fractal_excess, 4 * (fractal_dimension(log_close, W) - 1.5)),
            (family.order_in_returns, 1 - permutation_entropy(b.log_return, W)),
            (family.order_in_volume, 1 - permutation_entropy(b.volume, W)),
            (family.reversion_speed, W * theta / 5 - 1),
            (family.reversion_pull, pull),
        ]:
            np.testing.assert_allclose(
                compute(b, W), expected, rtol=1e-6, atol=1e-8, err_msg=compute.name
            )

    def test_changes_are_z_scores_over_three_windows(self, random_bars):
        b = random_bars
        for compute, kernel in [
            (family.memory_change, autocorrelation(b.log_return, W)),
            (
                family.recovery_change,
                ornstein_uhlenbeck(np.log(b.close), W).theta_per_hour,
            ),
        ]:
            for t in (140, 141, 299):
                seen = kernel[t - 3 * W + 1 : t + 1]
                assert compute(b, W)[t] == pytest.approx(
                    (seen[-1] - seen.mean()) / seen.std(), rel=1e-6
                )


class TestProperties:
    def test_a_random_walk_lies_near_zero_on_average(self, make_bars):
        moves = np.random.default_rng(4).normal(0.0, 0.01, 20_000)
        bars = make_bars(close=np.exp(np.cumsum(moves)))
        for compute in (
            family.hurst_excess,
            family.fractal_excess,
            family.reversion_speed,
            family.reversion_pull,
            family.memory_change,
        ):
            assert abs(np.nanmean(compute(bars, 144))) < 0.2

    def test_a_market_that_stands_still_is_neutral(self, make_bars):
        bars = make_bars(close=np.full(200, 3.7))
        for compute in (
            family.hurst_excess,
            family.fractal_excess,
            family.reversion_pull,
            family.reversion_speed,
            family.memory_change,
            family.recovery_change,
        ):
            assert (compute(bars, W)[4 * W :] == 0.0).all()
