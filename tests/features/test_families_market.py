"""Market-relative, BTC-relative, the whole market, and ranks among the assets."""

from dataclasses import replace

import numpy as np
import pytest
from by_hand import W, last, rms

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.families import bitcoin, market, ranks, regime

ROWS = (40, 41, 137, 299)


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
            assert regime.market_breadth(b, W)[t] == pytest.approx(
                last(around.breadth, t).mean()
            )
            assert regime.market_dispersion(b, W)[t] == pytest.approx(
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
        assert (bitcoin.btc_spread_position(bars, 21)[21:] == 0.0).all()
        np.testing.assert_allclose(
            bitcoin.btc_beta_asymmetry(bars, 21)[21:], 0.0, atol=1e-9
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

    def test_spread_position_is_the_z_score_of_the_paths_apart(self, random_bars):
        b, around = random_bars, random_bars.surroundings
        for compute, other in [
            (market.market_spread_position, around.market_log_return),
            (bitcoin.btc_spread_position, around.btc_log_return),
        ]:
            apart = np.cumsum(b.log_return[1:] - other[1:])
            for t in ROWS:
                seen = last(apart, t - 1)
                assert compute(b, W)[t] == pytest.approx(
                    (seen[-1] - seen.mean()) / seen.std(), rel=1e-8
                )

    def test_led_move_is_the_regression_on_the_bar_before_applied_to_this_one(
        self, random_bars
    ):
        b, around = random_bars, random_bars.surroundings
        for compute, leader in [
            (market.market_led_move, around.market_log_return),
            (bitcoin.btc_led_move, around.btc_log_return),
        ]:
            for t in ROWS:
                slope = np.polyfit(
                    last(leader, t - 1, 34), last(b.log_return, t, 34), 1
                )
                expected = slope[0] * leader[t] / rms(last(b.log_return, t, 34))
                assert compute(b, 34)[t] == pytest.approx(expected, rel=1e-7)

    @pytest.mark.parametrize("lag", [2, 3])
    def test_btc_leads_by_more_than_one_bar(self, lag, random_bars):
        b = random_bars
        compute = getattr(bitcoin, f"btc_lead_lag_{lag}")
        before = b.surroundings.btc_log_return
        for t in ROWS:
            expected = np.corrcoef(last(b.log_return, t), last(before, t - lag))[0, 1]
            assert compute(b, W)[t] == pytest.approx(expected, rel=1e-8)

    def test_follow_pairs_the_market_with_the_asset_one_bar_earlier(self, random_bars):
        b = random_bars
        now = b.surroundings.market_log_return
        for t in ROWS:
            expected = np.corrcoef(last(now, t), last(b.log_return, t - 1))[0, 1]
            assert market.market_follow(b, W)[t] == pytest.approx(expected, rel=1e-8)

    def test_beta_asymmetry_finds_the_two_betas(self, make_bars):
        other = np.random.default_rng(2).normal(0.0, 0.01, 80)
        own = np.where(other < 0.0, 1.5, 0.5) * other
        bars = make_bars(
            close=np.exp(np.cumsum(own)), market_log_return=other, btc_log_return=other
        )
        for compute in (market.market_beta_asymmetry, bitcoin.btc_beta_asymmetry):
            np.testing.assert_allclose(compute(bars, 34)[34:], 1.0, rtol=1e-9)

    def test_coskewness(self, random_bars):
        b, other = random_bars, random_bars.surroundings.market_log_return
        for t in ROWS:
            own, moves = last(b.log_return, t), last(other, t)
            expected = np.mean(own * moves**2) / (rms(own) * np.mean(moves**2))
            assert market.market_coskewness(b, W)[t] == pytest.approx(expected)


class TestRegime:
    def test_unity_is_the_common_share_of_the_squares(self, random_bars):
        b, around = random_bars, random_bars.surroundings
        for t in ROWS:
            common = np.sum(last(around.market_log_return, t) ** 2)
            apart = np.sum(last(around.dispersion, t) ** 2)
            assert regime.market_unity(b, W)[t] == pytest.approx(
                common / (common + apart)
            )

    def test_levels_and_changes_of_volatility_and_dispersion(self, random_bars):
        b, around = random_bars, random_bars.surroundings
        other, btc = around.market_log_return, around.btc_log_return
        for t in ROWS:
            apart = last(around.dispersion, t).mean()
            usual = last(around.dispersion, t, 3 * W).mean()
            for value, expected in [
                (regime.market_volatility(b, W), rms(last(other, t)) / 0.01),
                (bitcoin.btc_volatility(b, W), rms(last(btc, t)) / 0.01),
                (
                    regime.market_volatility_ratio(b, W),
                    rms(last(other, t)) / rms(last(other, t, 3 * W)),
                ),
                (
                    bitcoin.btc_volatility_ratio(b, W),
                    rms(last(btc, t)) / rms(last(btc, t, 3 * W)),
                ),
                (regime.market_dispersion_ratio(b, W), apart / usual),
            ]:
                assert value[t] == pytest.approx(np.log(expected), rel=1e-9)

    def test_drawdown_and_run_up_of_the_market_and_of_btc(self, random_bars):
        b, around = random_bars, random_bars.surroundings
        for below, above, other in [
            (regime.market_drawdown, regime.market_run_up, around.market_log_return),
            (bitcoin.btc_drawdown, bitcoin.btc_run_up, around.btc_log_return),
        ]:
            path = np.cumsum(other)
            for t in ROWS:
                seen = last(path, t, 34)
                yardstick = rms(last(other, t, 34)) * np.sqrt(34)
                assert below(b, 34)[t] == pytest.approx(
                    (seen[-1] - seen.max()) / yardstick, rel=1e-9
                )
                assert above(b, 34)[t] == pytest.approx(
                    (seen[-1] - seen.min()) / yardstick, rel=1e-9
                )

    def test_rotation_and_autocorrelation(self, random_bars):
        b, around = random_bars, random_bars.surroundings
        other = around.market_log_return
        for t in ROWS:
            gap = last(other - around.btc_log_return, t, 34)
            assert regime.altcoin_rotation(b, 34)[t] == pytest.approx(
                gap.sum() / (rms(gap) * np.sqrt(34))
            )
            expected = np.corrcoef(last(other, t), last(other, t - 1))[0, 1]
            assert regime.market_autocorrelation(b, W)[t] == pytest.approx(
                expected, rel=1e-8
            )


class TestReadFromTheContext:
    """Signals whose numbers are made where all assets are seen side by side."""

    @pytest.fixture
    def marked(self, random_bars) -> Bars:
        """Every state of the context holds a number of its own."""
        around = random_bars.surroundings
        states = {
            name: {
                key: np.full(len(random_bars), start + place / 100.0)
                for place, key in enumerate(getattr(around, name))
            }
            for name, start in (("ranks", -0.9), ("rising", 0.1), ("attention", 0.5))
        }
        return replace(random_bars, surroundings=replace(around, **states))

    @pytest.mark.parametrize(
        ("compute", "kind", "window"),
        [
            (ranks.return_rank, "return", 34),
            (ranks.residual_rank, "residual", 21),
            (ranks.volatility_rank, "volatility", 144),
            (ranks.volume_rank, "volume", 8),
            (ranks.peak_rank, "peak", 55),
            (ranks.skewness_rank, "skewness", 233),
            (ranks.beta_rank, "beta", 233),
        ],
    )
    def test_rank(self, compute, kind, window, marked):
        expected = marked.surroundings.ranks[kind, window]
        np.testing.assert_array_equal(compute(marked, window), expected)

    def test_breadth_and_attention(self, marked):
        around = marked.surroundings
        np.testing.assert_array_equal(regime.trend_breadth(marked, 8), around.rising[8])
        np.testing.assert_array_equal(
            regime.market_attention(marked, 21), around.attention[21]
        )
