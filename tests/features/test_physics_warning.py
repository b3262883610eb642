"""Autocorrelation of returns, and the warning that is built on it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.features.physics import autocorrelation, stability_warning


def returns(n_bars: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(3, n_bars) * 0.005


class TestAutocorrelationKnownValues:
    @pytest.mark.parametrize("coefficient", [-0.5, 0.0, 0.6])
    def test_an_autoregression_is_recovered(self, coefficient):
        rng = np.random.default_rng(4)
        values = np.zeros(6000)
        for i in range(1, values.size):
            values[i] = coefficient * values[i - 1] + rng.normal()

        assert np.nanmean(autocorrelation(values)) == pytest.approx(
            coefficient, abs=0.03
        )

    def test_an_alternating_series(self):
        values = np.tile([0.01, -0.01], 100)

        np.testing.assert_allclose(autocorrelation(values, 50)[49:], -1.0, rtol=1e-12)


class TestWarningKnownValues:
    def test_two_deviations_of_the_bars_before(self):
        # Before bar 4: mean 0, sum of squares 4, deviation sqrt(4 / 3) = 1.155.
        quiet = np.array([1.0, -1.0, 1.0, -1.0])
        calm = np.append(quiet, 0.0)

        def last(acf_now: float, theta_now: float) -> float:
            acf, theta = np.append(quiet, acf_now), np.append(quiet, theta_now)
            return stability_warning(acf, theta, 4)[-1]

        assert stability_warning(calm, calm, 4)[-1] == 0.0
        assert last(2.30, 0.0) == 0.0
        assert last(2.32, 0.0) == 1.0
        assert last(0.0, -2.30) == 0.0
        assert last(0.0, -2.32) == 1.0

    def test_only_slowing_down_warns(self):
        quiet = np.array([1.0, -1.0, 1.0, -1.0])

        quicker = stability_warning(np.append(quiet, -9.0), np.append(quiet, 9.0), 4)

        assert quicker[-1] == 0.0

    def test_a_series_that_stood_still_warns_of_any_move(self):
        still = np.zeros(10)
        moved = np.append(np.zeros(9), 1e-9)

        assert stability_warning(still, still, 5)[-1] == 0.0
        assert stability_warning(moved, still, 5)[-1] == 1.0


class TestAgainstSlowReference:
    @pytest.mark.parametrize("window", [16, 168])
    def test_every_autocorrelation_equals_the_definition(self, window):
        values = returns(600)

        fast = autocorrelation(values, window)

        for t in range(window - 1, values.size):
            inside = values[t - window + 1 : t + 1]
            expected = np.corrcoef(inside[:-1], inside[1:])[0, 1]
            assert fast[t] == pytest.approx(expected, rel=1e-9, abs=1e-12)

    def test_every_warning_equals_the_definition(self):
        acf, theta = returns(900, 1) + 0.1, returns(900, 2) + 0.03
        trailing = 100

        warning = stability_warning(acf, theta, trailing)

        def z_score(series: np.ndarray, t: int) -> float:
            past = series[t - trailing : t]
            return (series[t] - past.mean()) / past.std(ddof=1)

        expected = [
            float(z_score(acf, t) > 2 or z_score(theta, t) < -2)
            for t in range(trailing, 900)
        ]
        assert 0 < sum(expected) < len(expected) / 2
        np.testing.assert_array_equal(warning[trailing:], expected)
        assert np.isnan(warning[:trailing]).all()


class TestProperties:
    @settings(max_examples=40)
    @given(cut=st.integers(0, 400), window=st.integers(16, 120))
    def test_truncation_changes_no_bit(self, cut, window):
        acf, theta = returns(400, 1), returns(400, 2)

        np.testing.assert_array_equal(
            autocorrelation(acf[:cut], window), autocorrelation(acf, window)[:cut]
        )
        np.testing.assert_array_equal(
            stability_warning(acf[:cut], theta[:cut], window),
            stability_warning(acf, theta, window)[:cut],
        )

    @given(factor=st.floats(1e-3, 1e3), level=st.floats(-0.1, 0.1))
    def test_correlation_knows_neither_level_nor_scale(self, factor, level):
        values = returns(200)

        np.testing.assert_allclose(
            autocorrelation(factor * (values + level), 60),
            autocorrelation(values, 60),
            rtol=1e-7,
            atol=1e-9,
        )

    def test_returns_that_do_not_vary_are_unknown_and_poison_nothing(self):
        values = returns(200)
        values[80:140] = 0.0

        known = np.isfinite(autocorrelation(values, 40))

        bar = np.arange(200)
        # At bars 118 and 140 one side of the pairs still stands still.
        unknown = (bar >= 118) & (bar <= 140)
        np.testing.assert_array_equal(known, (bar >= 39) & ~unknown)

    @pytest.mark.parametrize("which", ["acf", "theta"])
    def test_a_warning_is_unknown_while_an_input_was(self, which):
        series = {"acf": returns(200, 1), "theta": returns(200, 2)}
        series[which][100] = np.nan

        known = np.isfinite(stability_warning(**series, trailing_bars=30))

        bar = np.arange(200)
        np.testing.assert_array_equal(
            known, (bar >= 30) & ~((bar >= 100) & (bar <= 130))
        )
