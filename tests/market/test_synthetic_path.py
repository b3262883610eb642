"""The parts of the synthetic price equation, one by one."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.synthetic_backdrop import (
    REGIMES,
    autoregression,
    draw_backdrop,
    draw_jumps,
)
from fleet_kedro.market.synthetic_dynamics import HOURS_PER_YEAR, PriceDynamics
from fleet_kedro.market.synthetic_path import (
    AssetPath,
    asset_streams,
    draw_traits,
    walk,
)

BARS = 20_000
STAMPS = pd.date_range("2020-01-01", periods=BARS, freq="h", tz="UTC", unit="us")


def walk_without_jumps(edge: float, seed: int = 1) -> AssetPath:
    dynamics = PriceDynamics(
        edge=edge, own_jumps_per_year=0.0, common_jumps_per_year=0.0
    )
    backdrop = draw_backdrop(STAMPS, dynamics, 0.0, np.random.default_rng(seed))
    streams = asset_streams(seed, "BTC")
    traits = draw_traits(streams.traits, is_contrarian=False)
    return walk(traits, dynamics, backdrop, streams)


class TestKnownValues:
    def test_without_edge_a_bar_is_expected_to_return_nothing(self):
        path = walk_without_jumps(edge=0.0)
        # Gauss-Hermite quadrature of the price ratio over the standard normal noise.
        node, weight = np.polynomial.hermite_e.hermegauss(20)
        ratio = np.exp(path.drift[:, None] + path.volatility[:, None] * node)
        expected = ratio @ weight / weight.sum()
        np.testing.assert_allclose(expected, 1.0, rtol=1e-12)

    def test_noise_is_standard_normal_however_it_is_shared(self):
        path = walk_without_jumps(edge=0.0)
        noise = (path.log_return - path.drift) / path.volatility
        assert noise.mean() == pytest.approx(0.0, abs=4 / np.sqrt(BARS))
        assert noise.var() == pytest.approx(1.0, abs=4 * np.sqrt(2 / BARS))

    def test_the_driver_of_a_bar_moves_the_next_one(self):
        path = walk_without_jumps(edge=1.0)
        noise = (path.log_return - path.drift) / path.volatility
        rest = noise[1:] - path.driver[:-1]
        # With edge 1 the rest is the standard normal noise, free of the driver.
        assert rest.var() == pytest.approx(1.0, abs=4 * np.sqrt(2 / BARS))
        assert np.corrcoef(rest, path.driver[:-1])[0, 1] == pytest.approx(0, abs=0.03)

    def test_autoregression_has_unit_variance_and_its_persistence(self):
        series = autoregression(200_000, 0.8, np.random.default_rng(2))
        assert series.var() == pytest.approx(1.0, abs=0.03)
        lagged = np.corrcoef(series[1:], series[:-1])[0, 1]
        assert lagged == pytest.approx(0.8, abs=0.01)

    def test_autoregression_is_stationary_from_its_first_value(self):
        first = [
            autoregression(3, 0.95, np.random.default_rng(s))[0] for s in range(999)
        ]
        assert np.var(first) == pytest.approx(1.0, abs=0.2)

    def test_the_variance_of_jumps_is_their_number(self):
        jumps = draw_jumps(100_000, 3 * HOURS_PER_YEAR, np.random.default_rng(4))
        assert jumps.var() == pytest.approx(3.0, abs=0.1)


class TestRegimes:
    def test_spells_last_for_days_and_all_occur(self):
        rng = np.random.default_rng(5)
        dynamics = PriceDynamics(edge=0.1)
        backdrop = draw_backdrop(STAMPS, dynamics, 3.0, rng)
        changes = np.count_nonzero(np.diff(backdrop.regime))
        assert set(backdrop.regime) == set(range(len(REGIMES)))
        assert 24 * 5 < BARS / changes < 24 * 21

    def test_only_a_trend_has_a_direction(self):
        rng = np.random.default_rng(5)
        backdrop = draw_backdrop(STAMPS, PriceDynamics(edge=0.1), 3.0, rng)
        has_trend = np.array([regime.has_trend for regime in REGIMES])[backdrop.regime]
        np.testing.assert_array_equal(np.abs(backdrop.direction), has_trend)
        assert set(backdrop.direction) == {-1.0, 0.0, 1.0}
