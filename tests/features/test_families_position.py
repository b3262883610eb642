"""Range position, oscillators and candle shapes."""

import numpy as np
import pytest
import talib
from by_hand import W, rms
from scipy import stats

from fleet_kedro.features.families import (
    candles,
    oscillators,
    range_position,
)

ROWS = (40, 41, 137, 299)


class TestRangePosition:
    def test_stochastic(self, random_bars):
        b = random_bars
        value = range_position.stochastic(b, W)
        for t in ROWS:
            low, high = b.low[t - W + 1 : t + 1].min(), b.high[t - W + 1 : t + 1].max()
            assert value[t] == pytest.approx(2 * (b.close[t] - low) / (high - low) - 1)

    def test_range_percentile_is_that_of_the_candle(self, random_bars):
        size = np.log(random_bars.high / random_bars.low)
        for t in ROWS:
            rank = stats.rankdata(size[t - W + 1 : t + 1])[-1]
            assert range_position.range_percentile(random_bars, W)[t] == pytest.approx(
                2 * (rank - 1) / (W - 1) - 1
            )

    def test_volatility_position(self, random_bars):
        moves = random_bars.log_return
        for t in ROWS:
            levels = [
                np.log(rms(moves[i - 7 : i + 1])) for i in range(t - W + 1, t + 1)
            ]
            place = (levels[-1] - min(levels)) / np.ptp(levels)
            assert range_position.volatility_position(random_bars, W)[
                t
            ] == pytest.approx(2 * place - 1, rel=1e-8, abs=1e-9)

    def test_choppiness_and_squeeze(self, random_bars):
        b = random_bars
        for t in ROWS:
            seen = slice(t - W + 1, t + 1)
            true_range = [
                max(b.high[i], b.close[i - 1]) - min(b.low[i], b.close[i - 1])
                for i in range(t - W + 1, t + 1)
            ]
            width = b.high[seen].max() - b.low[seen].min()
            assert range_position.choppiness(b, W)[t] == pytest.approx(
                np.log(np.sum(true_range) / width) / np.log(W)
            )
            assert range_position.squeeze(b, W)[t] == pytest.approx(
                np.log(b.close[seen].std() / np.mean(true_range)), rel=1e-8
            )

    def test_a_straight_climb_is_no_chop(self, make_bars):
        climb = make_bars(close=np.exp(0.01 * np.arange(60.0)))
        assert range_position.choppiness(climb, W)[40] < 0.05
        still = make_bars(close=np.full(60, 4.0))
        assert (range_position.choppiness(still, W)[W:] == 0.0).all()

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

    def test_engulfing_turns_and_encloses(self, make_bars):
        bars = make_bars(
            open=[10.0, 8.5, 11.5, 10.0, 10.0],
            close=[9.0, 11.0, 8.0, 10.5, 11.0],
        )
        np.testing.assert_array_equal(
            # Rise over the fall, fall over the rise, inside, the same direction.
            candles.engulfing(bars),
            [np.nan, 1.0, -1.0, 0.0, 0.0],
        )

    def test_candle_size(self, random_bars):
        b = random_bars
        expected = np.mean(np.log(b.high / b.low)[98:101]) / rms(b.log_return[80:101])
        assert candles.candle_size(b, 3)[100] == pytest.approx(expected)
