"""Returns, trend, volatility, range position, oscillators and candle shapes."""

import numpy as np
import pytest
import talib
from scipy import stats

from fleet_kedro.features.families import (
    candles,
    oscillators,
    range_position,
    returns,
    trend,
    volatility,
)

W = 13
ROWS = (40, 41, 137, 299)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


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

    def test_volatility_of_volatility(self, random_bars):
        size = np.abs(random_bars.log_return[80:101])
        value = volatility.volatility_of_volatility(random_bars, 21)[100]
        assert value == pytest.approx(size.std() / size.mean())

    def test_true_range_is_that_of_the_library(self, random_bars):
        percent = talib.NATR(random_bars.high, random_bars.low, random_bars.close, W)
        np.testing.assert_allclose(
            volatility.true_range(random_bars, W), np.log(percent), rtol=1e-9
        )


class TestRangePosition:
    def test_stochastic(self, random_bars):
        b = random_bars
        value = range_position.stochastic(b, W)
        slow = range_position.slow_stochastic(b, W)
        for t in ROWS:
            low, high = b.low[t - W + 1 : t + 1].min(), b.high[t - W + 1 : t + 1].max()
            assert value[t] == pytest.approx(2 * (b.close[t] - low) / (high - low) - 1)
            assert slow[t] == pytest.approx(value[t - 2 : t + 1].mean())

    def test_bollinger_and_channel(self, random_bars):
        b = random_bars
        log_close = np.log(b.close)
        for t in ROWS:
            window = log_close[t - 33 : t + 1]
            assert range_position.bollinger_position(b, 34)[t] == pytest.approx(
                (window[-1] - window.mean()) / window.std(), rel=1e-9
            )
            width = np.log(b.high[t - 33 : t + 1].max() / b.low[t - 33 : t + 1].min())
            yardstick = rms(np.diff(log_close)[t - 34 : t]) * np.sqrt(34 * 8 / np.pi)
            assert range_position.channel_width(b, 34)[t] == pytest.approx(
                width / yardstick, rel=1e-9
            )

    def test_close_rank_is_the_percentile_in_the_window(self, random_bars):
        value = range_position.close_rank(random_bars, W)
        for t in ROWS:
            rank = stats.rankdata(random_bars.close[t - W + 1 : t + 1])[-1]
            assert value[t] == pytest.approx(2 * (rank - 1) / (W - 1) - 1)


class TestOscillators:
    def test_rsi_is_that_of_the_library_centred(self, random_bars):
        expected = talib.RSI(random_bars.close, W) / 50 - 1
        np.testing.assert_allclose(
            oscillators.rsi(random_bars, W), expected, rtol=1e-9, atol=1e-12
        )

    def test_rsi_of_a_market_that_never_moved_is_neutral(self, make_bars):
        value = oscillators.rsi(make_bars(close=np.full(30, 4.0)), 5)
        assert (value[5:] == 0.0).all()

    def test_money_flow_is_that_of_the_library_centred(self, random_bars):
        b = random_bars
        expected = talib.MFI(b.high, b.low, b.close, 1e6 * b.volume, W) / 50 - 1
        np.testing.assert_allclose(
            oscillators.money_flow(b, W), expected, rtol=1e-9, atol=1e-12
        )

    def test_cci_is_that_of_the_library(self, random_bars):
        b = random_bars
        np.testing.assert_allclose(
            oscillators.cci(b, W), talib.CCI(b.high, b.low, b.close, W) / 100, rtol=1e-7
        )

    def test_cci_of_a_flat_window_is_not_round_off(self, make_bars):
        close = np.concatenate([[1.0, 1.1, 1.2], np.full(40, 0.1)])
        assert (oscillators.cci(make_bars(close=close), 13)[20:] == 0.0).all()

    def test_buying_pressure(self, random_bars):
        b = random_bars
        value = oscillators.buying_pressure(b, W)
        for t in ROWS:
            pressure = span = 0.0
            for i in range(t - W + 1, t + 1):
                low = min(b.low[i], b.close[i - 1])
                pressure += b.close[i] - low
                span += max(b.high[i], b.close[i - 1]) - low
            assert value[t] == pytest.approx(2 * pressure / span - 1)

    def test_stochastic_rsi(self, random_bars):
        strength = talib.RSI(random_bars.close, W)
        value = oscillators.stochastic_rsi(random_bars, W)
        for t in ROWS:
            window = strength[t - W + 1 : t + 1]
            place = (window[-1] - window.min()) / np.ptp(window)
            assert value[t] == pytest.approx(2 * place - 1, rel=1e-9)

    def test_trix_of_a_steady_climb(self, make_bars):
        bars = make_bars(close=np.exp(0.01 * np.arange(200.0)))
        expected = np.expm1(0.01) / 0.01 * np.sqrt(5)
        assert oscillators.trix(bars, 5)[-1] == pytest.approx(expected, rel=1e-6)


class TestCandles:
    @pytest.fixture
    def bars(self, make_bars):
        """Open 10, close 12 in 9 .. 16; then a flat candle; then a fall, no wicks."""
        return make_bars(
            open=[10.0, 12.0, 12.0],
            high=[16.0, 12.0, 12.0],
            low=[9.0, 12.0, 8.0],
            close=[12.0, 12.0, 8.0],
        )

    def test_shares_of_the_range(self, bars):
        for compute, expected in [
            (candles.body_share, [2 / 7, 0.0, -1.0]),
            (candles.upper_wick_share, [4 / 7, 0.0, 0.0]),
            (candles.lower_wick_share, [1 / 7, 0.0, 0.0]),
            (candles.close_location, [-1 / 7, 0.0, -1.0]),
            (candles.wick_imbalance, [3 / 5, 0.0, 0.0]),
            (candles.wick_pressure, [3 / 5, 0.0, 0.0]),
        ]:
            np.testing.assert_allclose(compute(bars, 1), expected, atol=1e-15)

    def test_means_over_a_window(self, bars):
        assert candles.wick_imbalance(bars, 3)[2] == pytest.approx(1 / 5)
        assert candles.body_share(bars, 3)[2] == pytest.approx((2 / 7 - 1) / 3)
        assert np.isnan(candles.wick_imbalance(bars, 3)[:2]).all()

    def test_wick_pressure_weighs_long_wicks(self, make_bars):
        bars = make_bars(
            open=[10.0, 10.0], close=[10.0, 10.0], high=[13.0, 10.1], low=[10.0, 9.9]
        )
        expected = (3.0 + 0.0) / (3.0 + 0.2)
        assert candles.wick_pressure(bars, 2)[1] == pytest.approx(expected)

    def test_inside_and_outside_bars(self, make_bars):
        bars = make_bars(
            close=[10.0, 10.0, 10.0, 10.0],
            high=[13.0, 12.0, 14.0, 14.0],
            low=[8.0, 9.0, 7.0, 7.5],
        )
        np.testing.assert_array_equal(candles.inside_bar(bars), [np.nan, 1.0, 0.0, 0.0])
        np.testing.assert_array_equal(
            candles.outside_bar(bars), [np.nan, 0.0, 1.0, 0.0]
        )

    def test_candle_size(self, random_bars):
        b = random_bars
        expected = np.mean(np.log(b.high / b.low)[98:101]) / rms(b.log_return[80:101])
        assert candles.candle_size(b, 3)[100] == pytest.approx(expected)
