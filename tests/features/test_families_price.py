"""Returns, trend and volatility."""

import numpy as np
import pytest
import talib
from by_hand import W, rms
from scipy import stats

from fleet_kedro.features.families import (
    returns,
    trend,
    volatility,
)

ROWS = (40, 41, 137, 299)


class TestReturns:
    def test_momentum_is_the_return_over_what_volatility_expects(self, random_bars):
        value = returns.momentum(random_bars, 8)
        log_close = np.log(random_bars.close)
        for t in ROWS:
            yardstick = rms(np.diff(log_close)[t - 21 : t]) * np.sqrt(8)
            moved = log_close[t] - log_close[t - 8]
            assert value[t] == pytest.approx(moved / yardstick, rel=1e-10)

    def test_acceleration_of_a_steady_climb_is_zero(self, make_bars):
        bars = make_bars(close=np.exp(0.01 * np.arange(60.0)))
        np.testing.assert_allclose(returns.acceleration(bars, 8)[21:], 0.0, atol=1e-11)

    def test_direction_balance_counts_rises_and_falls(self, make_bars):
        bars = make_bars(close=[1.0, 2.0, 3.0, 2.0, 2.0])
        np.testing.assert_allclose(
            returns.direction_balance(bars, 3), [np.nan] * 3 + [1 / 3, 0.0]
        )

    def test_drawdown_and_run_up_are_zero_at_the_extremes(self, make_bars):
        bars = make_bars(close=np.exp(0.01 * np.arange(40.0)))
        assert (returns.drawdown(bars, 13)[21:] == 0.0).all()
        # Twelve equal steps up, each one standard deviation long.
        np.testing.assert_allclose(
            returns.run_up(bars, 13)[21:], 12 / np.sqrt(13), rtol=1e-9
        )

    def test_efficiency_is_one_for_a_straight_path_and_zero_for_a_round_trip(
        self, make_bars
    ):
        straight = make_bars(close=np.exp(0.01 * np.arange(10.0)))
        np.testing.assert_allclose(returns.efficiency(straight, 5)[5:], 1.0)
        there_and_back = make_bars(close=[1.0, 2.0, 1.0, 2.0, 1.0])
        assert returns.efficiency(there_and_back, 4)[4] == 0.0

    def test_breakouts_measure_from_the_window_before(self, random_bars):
        b = random_bars
        for t in ROWS:
            before = slice(t - 13, t)
            yardstick = rms(b.log_return[t - 20 : t + 1]) * np.sqrt(13)
            above = np.log(b.close[t] / b.high[before].max()) / yardstick
            below = np.log(b.close[t] / b.low[before].min()) / yardstick
            assert returns.breakout_above(b, 13)[t] == pytest.approx(above, rel=1e-8)
            assert returns.breakout_below(b, 13)[t] == pytest.approx(below, rel=1e-8)

    def test_information_comes_in_small_bars_or_in_a_large_one(self, make_bars):
        drip = make_bars(close=np.exp(0.01 * np.arange(10.0)))
        assert (returns.information_discreteness(drip, 5)[5:] == -1.0).all()
        jump = make_bars(close=[1.0, 0.99, 0.98, 0.97, 1.5])
        assert returns.information_discreteness(jump, 4)[4] == pytest.approx(0.5)

    def test_streak_counts_with_a_sign_and_forgets_when_it_turns(self, make_bars):
        bars = make_bars(close=[1.0, 2.0, 3.0, 2.0, 2.0, 1.0, 0.5, 0.4])
        np.testing.assert_array_equal(
            returns.streak(bars), [np.nan, 1, 2, -1, 0, -1, -2, -3]
        )


class TestTrend:
    def test_average_distance(self, random_bars):
        value = trend.average_distance(random_bars, 34)
        log_close = np.log(random_bars.close)
        for t in ROWS:
            window = log_close[t - 33 : t + 1]
            yardstick = rms(np.diff(log_close)[t - 34 : t]) * np.sqrt(34 / 3)
            expected = (window[-1] - window.mean()) / yardstick
            assert value[t] == pytest.approx(expected, rel=1e-9)

    def test_slope_and_straightness(self, random_bars):
        slope = trend.slope(random_bars, 34)
        straightness = trend.straightness(random_bars, 34)
        log_close = np.log(random_bars.close)
        for t in ROWS:
            line = stats.linregress(np.arange(34), log_close[t - 33 : t + 1])
            deviation = rms(np.diff(log_close)[t - 34 : t])
            assert slope[t] == pytest.approx(
                line.slope * np.sqrt(34) / deviation, rel=1e-9
            )
            assert straightness[t] == pytest.approx(
                np.sign(line.slope) * line.rvalue**2, rel=1e-9
            )

    def test_adx_is_that_of_the_library(self, random_bars):
        expected = talib.ADX(random_bars.high, random_bars.low, random_bars.close, W)
        np.testing.assert_allclose(trend.adx(random_bars, W), expected / 100, rtol=1e-9)

    def test_macd_and_adaptive_average_follow_a_climb(self, make_bars):
        bars = make_bars(close=np.exp(0.01 * np.arange(200.0)))
        # An exponential average of w bars lags (w - 1) / 2 steps behind a line.
        np.testing.assert_allclose(
            trend.macd(bars, 8)[150:], 2 * (7.5 - 3.5) / np.sqrt(8), rtol=1e-9
        )
        assert (trend.adaptive_average_distance(bars, 8)[150:] > 0.0).all()

    def test_aroon_tells_which_extreme_is_fresh(self, make_bars):
        up = make_bars(close=np.arange(1.0, 30.0))
        assert (trend.aroon(up, 5)[5:] == 1.0).all()
        assert (
            trend.aroon(make_bars(close=np.arange(30.0, 1.0, -1)), 5)[5:] == -1
        ).all()

    def test_ages_count_bars_since_the_extremes(self, random_bars):
        b = random_bars
        for t in ROWS:
            # Of equal extremes the latest counts; there are none here.
            high, low = b.high[t - W : t + 1], b.low[t - W : t + 1]
            assert trend.high_age(b, W)[t] == pytest.approx((W - high.argmax()) / W)
            assert trend.low_age(b, W)[t] == pytest.approx((W - low.argmin()) / W)

    def test_agreement_counts_the_horizons_that_rose(self, make_bars):
        bars = make_bars(close=[5.0, 4.0, 3.0, 2.0, 1.0, 2.0, 2.5, 3.0, 4.5])
        # Row 8 lies above rows 5 and 3, and below row 0.
        assert trend.trend_agreement(bars, 8)[8] == pytest.approx(1 / 3)
        assert trend.trend_agreement(bars, 5)[8] == pytest.approx(1.0)

    def test_parabolic_stop_lies_below_a_climb_and_above_a_fall(self, make_bars):
        up = make_bars(close=np.exp(0.01 * np.arange(60.0)))
        down = make_bars(close=np.exp(-0.01 * np.arange(60.0)))
        assert (trend.parabolic_distance(up)[21:] > 0.0).all()
        assert (trend.parabolic_distance(down)[21:] < 0.0).all()

    def test_directional_balance_has_the_sign_of_the_trend(self, make_bars):
        up = trend.directional_balance(make_bars(close=np.arange(1.0, 40.0)), 8)
        assert (up[8:] > 0.9).all()

    def test_new_extremes_are_strict(self, make_bars):
        bars = make_bars(close=[2.0, 1.0, 2.0, 2.5, 2.5, 0.5])
        np.testing.assert_array_equal(
            trend.new_high(bars, 2), [np.nan, np.nan, 0.0, 1.0, 0.0, 0.0]
        )
        np.testing.assert_array_equal(
            trend.new_low(bars, 2), [np.nan, np.nan, 0.0, 0.0, 0.0, 1.0]
        )


def level(variance: float) -> float:
    return float(np.log(np.sqrt(variance) / 0.01))


class TestVolatility:
    def test_range_estimators(self, random_bars):
        b = random_bars
        hl, co = np.log(b.high / b.low), np.log(b.close / b.open)
        rs = np.log(b.high / b.close) * np.log(b.high / b.open)
        rs = rs + np.log(b.low / b.close) * np.log(b.low / b.open)
        for t in ROWS:
            window = slice(t - W + 1, t + 1)
            parkinson = np.mean(hl[window] ** 2) / (4 * np.log(2))
            garman_klass = np.mean(
                0.5 * hl[window] ** 2 - (2 * np.log(2) - 1) * co[window] ** 2
            )
            for compute, variance in [
                (volatility.parkinson_volatility, parkinson),
                (volatility.garman_klass_volatility, garman_klass),
                (volatility.rogers_satchell_volatility, np.mean(rs[window])),
            ]:
                assert compute(b, W)[t] == pytest.approx(level(variance), rel=1e-10)

    def test_yang_zhang(self, random_bars):
        b = random_bars
        value = volatility.yang_zhang_volatility(b, W)
        k = 0.34 / (1.34 + (W + 1) / (W - 1))
        for t in ROWS:
            jumps, bodies, inside = [], [], []
            for i in range(t - W + 1, t + 1):
                o, h, low, c = b.open[i], b.high[i], b.low[i], b.close[i]
                jumps.append(np.log(o / b.close[i - 1]))
                bodies.append(np.log(c / o))
                inside.append(
                    np.log(h / c) * np.log(h / o) + np.log(low / c) * np.log(low / o)
                )
            variance = (
                np.var(jumps, ddof=1)
                + k * np.var(bodies, ddof=1)
                + (1 - k) * np.mean(inside)
            )
            assert value[t] == pytest.approx(level(variance), rel=1e-10)

    def test_all_estimators_agree_on_a_driftless_walk_seen_finely(self, make_bars):
        """Candles cut from a fine random walk of 1 % an hour."""
        rng = np.random.default_rng(2)
        path = np.cumsum(rng.normal(0.0, 0.01 / np.sqrt(600), (400, 600)).ravel())
        path = np.exp(path).reshape(400, 600)
        bars = make_bars(
            open=np.concatenate([[1.0], path[:-1, -1]]),
            high=np.maximum(path.max(axis=1), np.append(1.0, path[:-1, -1])),
            low=np.minimum(path.min(axis=1), np.append(1.0, path[:-1, -1])),
            close=path[:, -1],
        )
        for compute in (
            volatility.close_volatility,
            volatility.parkinson_volatility,
            volatility.garman_klass_volatility,
            volatility.rogers_satchell_volatility,
            volatility.yang_zhang_volatility,
        ):
            assert np.exp(compute(bars, 377)[-1]) == pytest.approx(1.0, abs=0.08)

    def test_flat_window_is_at_the_floor(self, make_bars):
        bars = make_bars(close=np.full(30, 9.0))
        floor = np.log(1e-4 / 0.01)
        assert volatility.close_volatility(bars, 5)[10] == pytest.approx(floor)
        assert volatility.volatility_ratio(bars, 5)[20] == 0.0

    def test_ratio_and_excess_compare_two_levels(self, random_bars):
        b = random_bars
        recent, usual = rms(b.log_return[88:101]), rms(b.log_return[62:101])
        assert volatility.volatility_ratio(b, W)[100] == pytest.approx(
            np.log(recent / usual)
        )
        assert volatility.range_excess(b, W)[100] == pytest.approx(
            volatility.parkinson_volatility(b, W)[100]
            - volatility.close_volatility(b, W)[100]
        )

    def test_semivariance_balance(self, make_bars):
        bars = make_bars(close=np.exp(np.cumsum([0.0, 0.02, -0.01, 0.0])))
        expected = (4 - 1) / (4 + 1)
        assert volatility.semivariance_balance(bars, 3)[3] == pytest.approx(expected)

    def test_jump_share_separates_a_jump_from_even_moves(self, make_bars):
        signs = np.resize([1.0, -1.0], 40)
        even = make_bars(close=np.exp(np.cumsum(0.01 * signs)))
        assert volatility.jump_share(even, 21)[30] == 0.0
        moves = 0.001 * signs
        moves[30] = 0.1
        jump = make_bars(close=np.exp(np.cumsum(moves)))
        # Squares: one of 0.01 and twenty of 1e-6; products: two of 1e-4, 18 of 1e-6.
        expected = 1 - np.pi / 2 * 21 / 20 * (2e-4 + 18e-6) / (0.01 + 20e-6)
        assert volatility.jump_share(jump, 21)[35] == pytest.approx(expected)

    def test_range_trend_is_signed_r_squared(self, random_bars):
        size = np.log(random_bars.high / random_bars.low)
        for t in ROWS:
            line = stats.linregress(np.arange(W), size[t - W + 1 : t + 1])
            assert volatility.range_trend(random_bars, W)[t] == pytest.approx(
                np.sign(line.slope) * line.rvalue**2, rel=1e-8
            )

    def test_volatility_of_volatility(self, random_bars):
        size = np.abs(random_bars.log_return[80:101])
        value = volatility.volatility_of_volatility(random_bars, 21)[100]
        assert value == pytest.approx(size.std() / size.mean())

    def test_true_range_is_that_of_the_library(self, random_bars):
        percent = talib.NATR(random_bars.high, random_bars.low, random_bars.close, W)
        np.testing.assert_allclose(
            volatility.true_range(random_bars, W), np.log(percent), rtol=1e-9
        )
