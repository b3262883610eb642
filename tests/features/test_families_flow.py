"""Volume, liquidity, moments, autocorrelation, dominance and fractional derivatives."""

from dataclasses import replace

import numpy as np
import pytest
from by_hand import W, last, rms
from scipy import stats

from fleet_kedro.features.families import (
    autocorrelation,
    dominance,
    fractional,
    liquidity,
    moments,
    volume,
)
from fleet_kedro.features.families.levels import log_ratio
from fleet_kedro.features.fractional import FractionalDifference, fractional_weights

ROWS = (40, 41, 137, 299)


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
            assert liquidity.amihud(b, W)[t] == pytest.approx(
                np.log(amihud(t, W) / amihud(t, 3 * W))
            )
            assert liquidity.kyle_lambda(b, W)[t] == pytest.approx(
                np.log(kyle(t, W) / kyle(t, 3 * W))
            )

    def test_vwap_distance(self, random_bars):
        b = random_bars
        typical = (b.high + b.low + b.close) / 3
        for t in ROWS:
            average = np.average(last(typical, t), weights=last(b.volume, t))
            yardstick = np.sqrt(np.mean(last(b.log_return, t, 21) ** 2) * W / 3)
            assert liquidity.vwap_distance(b, W)[t] == pytest.approx(
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

    def test_up_down_volume_compares_an_average_rise_with_an_average_fall(
        self, make_bars
    ):
        bars = make_bars(
            close=[1.0, 2.0, 3.0, 2.0, 2.0, 3.0], volume=[9.0, 2.0, 4.0, 1.0, 7.0, 5.0]
        )
        value = volume.up_down_volume(bars, 3)
        assert value[3] == pytest.approx(np.log(3.0 / 1.0))
        # Bar 4 stands still and counts on neither side.
        assert value[5] == pytest.approx(np.log(5.0 / 1.0))
        only_rises = make_bars(close=np.arange(1.0, 9.0), volume=np.ones(8))
        assert (volume.up_down_volume(only_rises, 3)[3:] == 0.0).all()

    def test_bulk_imbalance_and_toxicity_weigh_gaussian_shares(self, random_bars):
        b = random_bars
        for t in ROWS:
            yardstick = [
                rms(last(b.log_return, i, 21)) for i in range(t - W + 1, t + 1)
            ]
            share = 2 * stats.norm.cdf(last(b.log_return, t) / yardstick) - 1
            for compute, expected in [
                (liquidity.bulk_imbalance, share),
                (liquidity.order_toxicity, np.abs(share)),
            ]:
                assert compute(b, W)[t] == pytest.approx(
                    np.average(expected, weights=last(b.volume, t)), rel=1e-9
                )

    def test_quiet_and_busy_moves_share_the_whole_move(self, random_bars):
        b = random_bars
        quiet, busy = volume.quiet_momentum(b, 34), volume.busy_momentum(b, 34)
        for t in ROWS[1:]:
            moves, seen = last(b.log_return, t, 34), last(b.volume, t, 35)
            yardstick = rms(moves) * np.sqrt(17)
            shrinks = np.diff(seen) < 0
            assert quiet[t] == pytest.approx(moves[shrinks].sum() / yardstick, rel=1e-9)
            assert busy[t] == pytest.approx(moves[~shrinks].sum() / yardstick, rel=1e-9)

    def test_volume_correlations(self, random_bars):
        b = random_bars
        for t in ROWS:
            seen = last(b.volume, t)
            assert volume.price_volume_correlation(b, W)[t] == pytest.approx(
                np.corrcoef(np.log(last(b.close, t)), seen)[0, 1], rel=1e-8
            )
            assert volume.volume_autocorrelation(b, W)[t] == pytest.approx(
                np.corrcoef(seen, last(b.volume, t - 1))[0, 1], rel=1e-8
            )

    def test_spread_estimators_find_a_planted_spread(self, make_bars):
        # A still price quoted 1 % wide: highs at the ask, lows at the bid, closes at
        # either by turns. Both estimators are exact for their own half of that.
        n_bars, half = 60, 0.005
        side = np.resize([half, -half, -half, half, half], n_bars)
        bars = make_bars(
            close=np.exp(side),
            high=np.full(n_bars, np.exp(half)),
            low=np.full(n_bars, np.exp(-half)),
        )
        yardstick = bars.volatility(21)[50]
        assert liquidity.high_low_spread(bars, 21)[50] * yardstick == pytest.approx(
            2 * np.tanh(half), rel=1e-9
        )
        assert liquidity.close_range_spread(bars, 20)[50] * yardstick == pytest.approx(
            2 * half, rel=1e-9
        )

    def test_relative_attention_is_beyond_the_market(self, random_bars):
        b = random_bars
        around = replace(b.surroundings, attention={8: np.full(len(b), 0.3)})
        value = volume.relative_attention(replace(b, surroundings=around), 8)
        np.testing.assert_allclose(value, volume.volume_ratio(b, 8) - 0.3)

    @pytest.mark.parametrize(
        "compute",
        [
            volume.volume_z,
            volume.volume_ratio,
            volume.volume_concentration,
            volume.signed_volume,
            volume.obv_slope,
            volume.accumulation,
            liquidity.amihud,
            liquidity.kyle_lambda,
            volume.up_down_volume,
            liquidity.bulk_imbalance,
            liquidity.order_toxicity,
            volume.quiet_momentum,
            volume.busy_momentum,
            volume.price_volume_correlation,
            volume.volume_autocorrelation,
        ],
        ids=lambda compute: compute.name,
    )
    def test_a_window_without_trades_says_nothing(self, compute, make_bars):
        bars = make_bars(close=np.exp(0.01 * np.arange(60.0)), volume=np.zeros(60))
        assert (compute(bars, 8)[30:] == 0.0).all()

    def test_ratios_are_held_within_a_hundredfold(self):
        ratio = log_ratio(np.array([0.0, 1e9, 3.0]), np.array([1.0, 1.0, 0.0]))
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

    def test_largest_rise_and_fall_are_the_extremes(self, random_bars):
        for t in ROWS:
            moves = last(random_bars.log_return, t)
            expected = rms(moves) * np.sqrt(2 * np.log(W))
            assert moments.largest_rise(random_bars, W)[t] == pytest.approx(
                moves.max() / expected
            )
            assert moments.largest_fall(random_bars, W)[t] == pytest.approx(
                -moves.min() / expected
            )

    def test_flat_window_has_no_shape(self, make_bars):
        bars = make_bars(close=np.full(30, 0.1))
        for compute in (
            moments.skewness,
            moments.excess_kurtosis,
            moments.tail_balance,
            moments.largest_move,
            moments.largest_rise,
            moments.largest_fall,
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

    @pytest.mark.parametrize("lag", [2, 3, 24])
    def test_correlations_at_a_lag(self, lag, random_bars):
        moves = random_bars.log_return
        compute = getattr(autocorrelation, f"autocorrelation_lag_{lag}")
        for t in ROWS[1:]:
            now, before = last(moves, t), last(moves, t - lag)
            assert compute(random_bars, W)[t] == pytest.approx(
                np.corrcoef(now, before)[0, 1], rel=1e-8
            )

    def test_long_variance_ratio(self, random_bars):
        log_close = np.log(random_bars.close)
        for t in ROWS[1:]:
            long = [log_close[i] - log_close[i - 21] for i in range(t - W + 1, t + 1)]
            short = last(random_bars.log_return, t)
            assert autocorrelation.long_variance_ratio(random_bars, W)[
                t
            ] == pytest.approx(
                np.log(np.sum(np.square(long)) / (21 * np.sum(short**2)))
            )

    def test_time_runs_backwards_with_the_opposite_sign(self, make_bars):
        """Slow, sharp, slow, sharp: a saw whose teeth lean, read from both ends."""
        moves = np.cumsum(np.resize([0.01, 0.02, -0.03, 0.0], 40))
        forwards = make_bars(close=np.exp(moves))
        backwards = make_bars(close=np.exp(moves[::-1]))
        compute = autocorrelation.time_irreversibility
        there, back = compute(forwards, 20)[-1], compute(backwards, 20)[-1]
        products = 0.02 * 0.01 * (0.02 - 0.01) + -0.03 * 0.02 * (-0.03 - 0.02)
        sizes = 0.01**3 + 0.02**3 + 0.03**3
        assert there == pytest.approx(products / sizes)
        assert back == pytest.approx(products / sizes)

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

    def test_position_is_a_z_score_and_neutral_where_unknown(self, make_bars):
        btc = np.concatenate([[np.nan] * 24, 50.0 + np.arange(48.0)])
        bars = make_bars(btc_dominance_pct=btc, usdt_dominance_pct=np.full(72, 6.0))
        position = dominance.btc_dominance_position(bars, 24)
        assert np.isnan(position[:23]).all()
        assert (position[23:47] == 0.0).all()
        np.testing.assert_allclose(
            position[47:], 11.5 / np.std(np.arange(24.0)), rtol=1e-12
        )
        assert (dominance.usdt_dominance_position(bars, 24)[23:] == 0.0).all()


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
