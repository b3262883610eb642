"""Volume, moments, autocorrelation, market, BTC, dominance, calendar, fractional."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fleet_kedro.features.families import (
    autocorrelation,
    bitcoin,
    calendar,
    dominance,
    fractional,
    market,
    moments,
    volume,
)
from fleet_kedro.features.fractional import FractionalDifference, fractional_weights

W = 13
ROWS = (40, 41, 137, 299)


def last(values: np.ndarray, t: int, window: int = W) -> np.ndarray:
    return values[t - window + 1 : t + 1]


class TestVolume:
    def test_volume_z_ratio_and_concentration(self, random_bars):
        b = random_bars
        for t in ROWS:
            seen, usual = last(b.volume, t), last(b.volume, t, 39)
            assert volume.volume_z(b, W)[t] == pytest.approx(
                (seen[-1] - seen.mean()) / seen.std(), rel=1e-9
            )
            assert volume.volume_ratio(b, W)[t] == pytest.approx(
                np.log(seen.mean() / usual.mean())
            )
            assert volume.volume_concentration(b, W)[t] == pytest.approx(
                np.log(np.mean(seen**2) / seen.mean() ** 2)
            )
            line = stats.linregress(np.arange(W), seen)
            assert volume.volume_trend(b, W)[t] == pytest.approx(
                np.sign(line.slope) * line.rvalue**2, rel=1e-9
            )

    def test_amihud_and_kyle_compare_with_a_window_three_times_as_long(
        self, random_bars
    ):
        b = random_bars
        moves = np.diff(np.log(b.close), prepend=np.nan)
        direction = np.sign(moves)

        def amihud(t: int, window: int) -> float:
            turnover = last(b.close * b.volume, t, window)
            return np.abs(last(moves, t, window)).sum() / turnover.sum()

        def kyle(t: int, window: int) -> float:
            flow = last(direction * b.volume, t, window)
            impact = np.linalg.lstsq(flow[:, None], last(moves, t, window), rcond=None)
            return impact[0][0]

        for t in ROWS:
            assert volume.amihud(b, W)[t] == pytest.approx(
                np.log(amihud(t, W) / amihud(t, 3 * W))
            )
            assert volume.kyle_lambda(b, W)[t] == pytest.approx(
                np.log(kyle(t, W) / kyle(t, 3 * W))
            )

    def test_vwap_distance(self, random_bars):
        b = random_bars
        typical = (b.high + b.low + b.close) / 3
        for t in ROWS:
            average = np.average(last(typical, t), weights=last(b.volume, t))
            yardstick = np.sqrt(np.mean(last(b.log_return, t, 21) ** 2) * W / 3)
            assert volume.vwap_distance(b, W)[t] == pytest.approx(
                np.log(b.close[t] / average) / yardstick, rel=1e-9
            )

    def test_signed_volume_obv_and_accumulation(self, random_bars):
        b = random_bars
        direction = np.sign(np.diff(b.close, prepend=np.nan))
        obv = np.cumsum(np.nan_to_num(direction) * b.volume)
        place = (2 * b.close - b.high - b.low) / (b.high - b.low)
        for t in ROWS:
            seen = last(b.volume, t)
            assert volume.signed_volume(b, W)[t] == pytest.approx(
                np.sum(last(direction, t) * seen) / seen.sum()
            )
            slope = stats.linregress(np.arange(W), last(obv, t)).slope
            assert volume.obv_slope(b, W)[t] == pytest.approx(
                slope * np.sqrt(W) / np.sqrt(np.mean(seen**2)), rel=1e-9
            )
            assert volume.accumulation(b, W)[t] == pytest.approx(
                np.average(last(place, t), weights=seen)
            )

    def test_correlations(self, random_bars):
        b = random_bars
        for t in ROWS:
            moves, seen = last(b.log_return, t), last(b.volume, t)
            assert volume.return_volume_correlation(b, W)[t] == pytest.approx(
                np.corrcoef(moves, seen)[0, 1], rel=1e-9
            )
            assert volume.size_volume_correlation(b, W)[t] == pytest.approx(
                np.corrcoef(np.abs(moves), seen)[0, 1], rel=1e-9
            )

    @pytest.mark.parametrize(
        "compute",
        [
            volume.volume_z,
            volume.volume_ratio,
            volume.volume_concentration,
            volume.signed_volume,
            volume.obv_slope,
            volume.accumulation,
            volume.amihud,
            volume.kyle_lambda,
        ],
        ids=lambda compute: compute.name,
    )
    def test_a_window_without_trades_says_nothing(self, compute, make_bars):
        bars = make_bars(close=np.exp(0.01 * np.arange(60.0)), volume=np.zeros(60))
        assert (compute(bars, 8)[30:] == 0.0).all()

    def test_ratios_are_held_within_a_hundredfold(self):
        ratio = volume.log_ratio(np.array([0.0, 1e9, 3.0]), np.array([1.0, 1.0, 0.0]))
        np.testing.assert_allclose(ratio, [-np.log(100), np.log(100), 0.0])


class TestMoments:
    def test_skewness_and_kurtosis(self, random_bars):
        for t in ROWS:
            moves = last(random_bars.log_return, t, 34)
            assert moments.skewness(random_bars, 34)[t] == pytest.approx(
                stats.skew(moves), rel=1e-8
            )
            assert moments.excess_kurtosis(random_bars, 34)[t] == pytest.approx(
                stats.kurtosis(moves), rel=1e-8
            )

    def test_tails(self, make_bars):
        bars = make_bars(close=np.exp(np.cumsum([0.0, 0.03, -0.01, 0.0, 0.01])))
        assert moments.tail_balance(bars, 3)[3] == pytest.approx(0.5)
        assert moments.tail_balance(bars, 3)[4] == pytest.approx(0.0, abs=1e-12)
        ordinary = np.sqrt((9 + 1) / 3)
        assert moments.largest_move(bars, 3)[3] == pytest.approx(
            3 / (ordinary * np.sqrt(2 * np.log(3)))
        )

    def test_flat_window_has_no_shape(self, make_bars):
        bars = make_bars(close=np.full(30, 0.1))
        for compute in (
            moments.skewness,
            moments.excess_kurtosis,
            moments.tail_balance,
            moments.largest_move,
        ):
            assert (compute(bars, 8)[8:] == 0.0).all()


class TestAutocorrelation:
    def test_correlations_with_the_bar_before(self, random_bars):
        moves = random_bars.log_return
        for t in ROWS:
            now, before = last(moves, t, 21), last(moves, t - 1, 21)
            for compute, x, y in [
                (autocorrelation.return_autocorrelation, now, before),
                (autocorrelation.size_autocorrelation, np.abs(now), np.abs(before)),
                (autocorrelation.leverage, np.abs(now), before),
            ]:
                assert compute(random_bars, 21)[t] == pytest.approx(
                    np.corrcoef(x, y)[0, 1], rel=1e-8
                )

    def test_variance_ratio(self, random_bars):
        b = random_bars
        log_close = np.log(b.close)
        for t in ROWS:
            long = [log_close[i] - log_close[i - 5] for i in range(t - W + 1, t + 1)]
            short = last(b.log_return, t)
            assert autocorrelation.variance_ratio(b, W)[t] == pytest.approx(
                np.log(np.sum(np.square(long)) / (5 * np.sum(short**2)))
            )

    def test_zigzag_never_persists(self, make_bars):
        bars = make_bars(close=np.resize([1.0, 1.01], 30))
        assert (autocorrelation.sign_persistence(bars, 8)[9:] == -1.0).all()


class TestMarket:
    def test_beta_correlation_and_residual(self, random_bars):
        b = random_bars
        other = b.surroundings.market_log_return
        for t in ROWS:
            own, market_moves = last(b.log_return, t, 34), last(other, t, 34)
            beta = np.polyfit(market_moves, own, 1)[0]
            assert market.market_beta(b, 34)[t] == pytest.approx(beta, rel=1e-8)
            assert market.market_correlation(b, 34)[t] == pytest.approx(
                np.corrcoef(own, market_moves)[0, 1], rel=1e-8
            )
            left = np.sum(own - beta * market_moves)
            yardstick = np.sqrt(np.mean(own**2) * 34)
            assert market.market_residual(b, 34)[t] == pytest.approx(
                left / yardstick, rel=1e-7
            )

    def test_lead_pairs_the_return_with_the_market_one_bar_earlier(self, random_bars):
        b = random_bars
        before = b.surroundings.market_log_return
        for t in ROWS:
            expected = np.corrcoef(last(b.log_return, t), last(before, t - 1))[0, 1]
            assert market.market_lead(b, W)[t] == pytest.approx(expected, rel=1e-8)

    def test_momentum_breadth_dispersion_and_relative_volatility(self, random_bars):
        b, around = random_bars, random_bars.surroundings
        for t in ROWS:
            moves = last(around.market_log_return, t, 34)
            assert market.market_momentum(b, 34)[t] == pytest.approx(
                moves.sum() / np.sqrt(np.mean(moves**2) * 34)
            )
            assert market.market_breadth(b, W)[t] == pytest.approx(
                last(around.breadth, t).mean()
            )
            assert market.market_dispersion(b, W)[t] == pytest.approx(
                np.log(last(around.dispersion, t).mean() / 0.01)
            )
            own = last(b.log_return, t, 34)
            assert market.market_relative_volatility(b, 34)[t] == pytest.approx(
                0.5 * np.log(np.mean(own**2) / np.mean(moves**2))
            )

    def test_bitcoin_against_itself_is_one_and_nothing_unexplained(self, make_bars):
        close = np.exp(np.cumsum(np.random.default_rng(0).normal(0.0, 0.01, 80)))
        own = np.diff(np.log(close), prepend=np.log(close[0]))
        bars = make_bars(close=close, btc_log_return=own)
        np.testing.assert_allclose(bitcoin.btc_beta(bars, 21)[21:], 1.0)
        np.testing.assert_allclose(bitcoin.btc_correlation(bars, 21)[21:], 1.0)
        np.testing.assert_allclose(bitcoin.btc_residual(bars, 21)[21:], 0.0, atol=1e-9)
        np.testing.assert_allclose(
            bitcoin.btc_relative_volatility(bars, 21)[21:], 0.0, atol=1e-9
        )

    def test_bitcoin_formulas_read_bitcoin(self, random_bars):
        b = random_bars
        btc = b.surroundings.btc_log_return
        for t in ROWS:
            own = last(b.log_return, t, 34)
            assert bitcoin.btc_beta(b, 34)[t] == pytest.approx(
                np.polyfit(last(btc, t, 34), own, 1)[0], rel=1e-7
            )
            assert bitcoin.btc_lead(b, 34)[t] == pytest.approx(
                np.corrcoef(own, last(btc, t - 1, 34))[0, 1], rel=1e-7
            )
            moves = last(btc, t, 34)
            assert bitcoin.btc_momentum(b, 34)[t] == pytest.approx(
                moves.sum() / np.sqrt(np.mean(moves**2) * 34)
            )


class TestDominance:
    def test_levels_and_changes(self, make_bars):
        btc = np.repeat([np.nan, 50.0, 55.0], 24)
        bars = make_bars(btc_dominance_pct=btc, usdt_dominance_pct=btc / 10)
        np.testing.assert_allclose(
            dominance.btc_dominance(bars)[[0, 24, 48]], [0.0, 0.0, 0.5]
        )
        np.testing.assert_allclose(
            dominance.usdt_dominance(bars)[[0, 24, 48]], [0.0, 0.0, 0.25]
        )
        change = dominance.btc_dominance_change(bars, 24)
        assert np.isnan(change[:24]).all()
        assert (change[24:48] == 0.0).all()
        np.testing.assert_allclose(change[48:], np.log(1.1) / 0.01)
        np.testing.assert_allclose(
            dominance.usdt_dominance_change(bars, 24), change, rtol=1e-12
        )


class TestCalendar:
    def test_phases_are_those_of_the_clock(self, make_bars):
        bars = make_bars(close=np.ones(400))
        stamps = pd.DatetimeIndex(bars.timestamp)
        hour = np.asarray(stamps.hour)
        since_monday = np.asarray(stamps.day_of_week * 24 + stamps.hour)
        for compute, wave, phase in [
            (calendar.hour_sine, np.sin, hour / 24),
            (calendar.hour_cosine, np.cos, hour / 24),
            (calendar.weekday_sine, np.sin, since_monday / 168),
            (calendar.weekday_cosine, np.cos, since_monday / 168),
            (calendar.funding_sine, np.sin, hour / 8),
            (calendar.funding_cosine, np.cos, hour / 8),
        ]:
            np.testing.assert_allclose(
                compute(bars), wave(2 * np.pi * phase), atol=1e-12
            )
        np.testing.assert_array_equal(calendar.weekend(bars), stamps.day_of_week >= 5)


class TestFractional:
    def test_memory_is_the_running_sum_of_the_weights_of_the_difference(self):
        config = FractionalDifference(weight_cutoff=1e-9, max_window_bars=34)
        weights = fractional_weights(0.4, config)
        np.testing.assert_allclose(
            fractional.fractional_memory(0.4, 34), np.cumsum(weights), rtol=1e-10
        )

    def test_order_one_is_the_last_return_and_order_zero_the_whole_move(self):
        np.testing.assert_array_equal(
            fractional.fractional_memory(1.0, 4), [1.0, 0.0, 0.0, 0.0]
        )
        np.testing.assert_array_equal(fractional.fractional_memory(0.0, 4), np.ones(4))

    def test_value_is_the_weighted_sum_of_returns(self, random_bars):
        memory = fractional.fractional_memory(0.5, 34)
        value = fractional.fractional_50(random_bars, 34)
        for t in ROWS:
            moves = last(random_bars.log_return, t, 34)
            yardstick = np.sqrt(np.mean(moves**2) * np.sum(memory**2))
            expected = np.sum(memory * moves[::-1]) / yardstick
            assert value[t] == pytest.approx(expected, rel=1e-9)
