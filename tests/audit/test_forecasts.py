"""Oracles are refused; honest forecasts pass, the best possible ones included."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from fleet_kedro.audit.forecasts import HonestBounds, check_forecasts, refuse_oracles
from fleet_kedro.labels.forward_return import forward_return
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.backtest.performance import daily_returns, monthly_returns
from fleet_kedro.signals.backtest.rules import TradingRules
from fleet_kedro.signals.backtest.trades import trades_of

NOISE = 0.0045
THRESHOLD = 0.0075
DEFAULT_EDGE = 0.1
BOUNDS = HonestBounds()


def outcomes(own, horizon):
    """Forward returns of one asset, segment by segment."""
    return np.concatenate(
        [
            forward_return(
                part["open"].to_numpy(), part["is_filled"].to_numpy(), horizon
            )
            for _, part in own.groupby("segment")
        ]
    )


def driver(own):
    """What the wicks tell of the planted driver, to whoever knows how to read them."""
    top, bottom = own[["open", "close"]].max(axis=1), own[["open", "close"]].min(axis=1)
    above, below = own["high"] - top, bottom - own["low"]
    wicks = (above + below).where(above + below > 0)
    return ndtri((above / wicks).fillna(0.5).clip(1e-9, 1 - 1e-9).to_numpy())


@pytest.fixture(scope="module")
def planted(make_fleet):
    return make_fleet(edge=DEFAULT_EDGE, days=120).candles


@pytest.fixture(scope="module")
def null(make_fleet):
    return make_fleet(edge=0.0, days=90).candles


class TestKnownValues:
    def test_bounds_of_the_table(self):
        """16² / 8760 = 0.0292 per hour; at 1 h √(0.0292 / 1.0292) = 0.1685."""
        assert BOUNDS.largest_correlation(1) == pytest.approx(0.1685, abs=5e-5)
        assert BOUNDS.largest_correlation(12) == pytest.approx(0.5095, abs=5e-5)
        assert BOUNDS.largest_accuracy(1) == pytest.approx(0.554, abs=5e-4)
        assert BOUNDS.largest_accuracy(12) == pytest.approx(0.670, abs=5e-4)

    def test_figures_by_hand(self):
        """Ranks agree, one sign of five is wrong, and one error of 0.1001 is made."""
        came = np.array([-0.3, -0.1, 0.1, 0.2, 0.4, np.nan])
        said = np.array([-0.3, -0.1, -0.0001, 0.2, 0.4, 9.0])
        told = check_forecasts(said, came, 1, BOUNDS)
        assert told.correlation == pytest.approx(1.0)
        assert told.accuracy == pytest.approx(0.8)
        assert told.skill == pytest.approx(1 - 0.1001 / np.sqrt(0.31), abs=1e-4)
        assert told.effective_rows == 5

    def test_zero_forecasts_say_nothing(self):
        told = check_forecasts(np.zeros(50), np.linspace(-1, 1, 50), 1, BOUNDS)
        assert np.isnan(told.correlation)
        assert np.isnan(told.accuracy)
        assert told.skill == 0
        assert not told.is_too_good


class TestOracles:
    @pytest.mark.parametrize("horizon", [1, 12])
    @pytest.mark.parametrize("market", ["planted", "null"])
    def test_the_next_price_with_noise_is_refused(self, market, horizon, request):
        candles = request.getfixturevalue(market)
        rng = np.random.default_rng(5)
        rows = []
        for asset, own in candles.groupby("asset"):
            came = outcomes(own, horizon)
            said = came + NOISE * rng.standard_normal(came.size)
            rows.append(
                pd.DataFrame({"asset": asset, "forecast": said, "forward_return": came})
            )
            assert check_forecasts(said, came, horizon, BOUNDS).is_too_good
        with pytest.raises(
            ValueError, match=r"too good to be true: BTC has .* ETH has"
        ):
            refuse_oracles(pd.concat(rows), horizon, BOUNDS)

    def test_one_that_has_less_skill_than_zero_is_refused(self):
        """0.36 % an hour against 0.45 % of noise: the seeming failure is a leak."""
        rng = np.random.default_rng(6)
        came = 0.0036 * rng.standard_normal(2000)
        told = check_forecasts(
            came + NOISE * rng.standard_normal(2000), came, 1, BOUNDS
        )
        assert told.skill < 0
        assert told.correlation == pytest.approx(0.62, abs=0.05)
        assert told.is_too_good

    def test_signs_alone_convict(self):
        rng = np.random.default_rng(7)
        came = rng.standard_normal(3000)
        said = np.sign(came) * np.where(rng.random(3000) < 0.62, 1, -1)
        assert check_forecasts(said, came, 1, BOUNDS).is_too_good

    def test_a_few_rows_convict_nobody(self):
        came = np.random.default_rng(8).standard_normal(10)
        assert not check_forecasts(came, came, 12, BOUNDS).is_too_good

    def test_honest_assets_are_returned(self):
        rng = np.random.default_rng(9)
        rows = pd.DataFrame(
            {
                "asset": np.repeat(["BTC", "ETH"], 900),
                "forecast": rng.standard_normal(1800),
                "forward_return": rng.standard_normal(1800),
            }
        )
        told = refuse_oracles(rows, 12, BOUNDS)
        assert list(told) == ["BTC", "ETH"]
        assert told["ETH"].effective_rows == 75


class TestHonestForecasts:
    @pytest.mark.parametrize("horizon", [1, 12])
    def test_the_planted_optimum_passes_and_is_seen(self, planted, horizon):
        for _, own in planted.groupby("asset"):
            told = check_forecasts(driver(own), outcomes(own, horizon), horizon, BOUNDS)
            assert not told.is_too_good
            assert 0.05 < told.correlation < told.correlation_bound

    def test_at_the_bound_itself_luck_convicts_almost_nobody(self):
        """Three standard errors: one in 700, on either of two figures."""
        rng = np.random.default_rng(10)
        largest = BOUNDS.largest_correlation(1)
        noise = np.sqrt(1 - largest**2)
        convicted = 0
        for _ in range(300):
            said = rng.standard_normal(1500)
            came = largest * said + noise * rng.standard_normal(1500)
            convicted += check_forecasts(said, came, 1, BOUNDS).is_too_good
        assert convicted <= 3

    def test_slow_forecasts_of_overlapping_outcomes_pass(self):
        """Both drift, so a chance correlation is far larger than rows would say."""
        rng = np.random.default_rng(11)
        found = []
        for _ in range(100):
            step = 0.01 * rng.standard_t(3, 1500)
            price = np.exp(np.cumsum(step))
            came = price[13:] / price[1:-12] - 1
            slow = np.convolve(rng.standard_normal(1500 + 99), np.ones(100), "valid")
            told = check_forecasts(slow[: came.size], came, 12, BOUNDS)
            assert not told.is_too_good
            found.append(told.correlation)
        # The test would say little if chance correlations were small.
        assert np.max(np.abs(found)) > 0.15


class TestWhatALeakLooksLike:
    def test_an_unaudited_oracle_wins_eight_to_nine_trades_of_ten(self, null):
        """Held while the next hour is "forecast" above 0.75 %, on a null market."""
        oracle, market = traded(null, skill=1.0)
        trades = trades_of(oracle)
        win_rate = (trades["pnl"] > 0).mean()
        assert len(trades) > 500
        assert 0.8 < win_rate < 0.9
        assert (monthly_returns(daily_returns(oracle))["monthly_return"] > 0.2).all()

        blind, _ = traded(null, skill=0.0)
        assert (trades_of(blind)["pnl"] > 0).mean() < 0.55
        assert blind.equity[-1] < blind.capital
        assert market.shape[1] == 3


def traded(candles, skill):
    market = market_of(candles)
    came = np.full(market.shape, np.nan)
    came[:-2] = market.open[2:] / market.open[1:-1] - 1
    noise = np.random.default_rng(12).standard_normal(market.shape)
    said = skill * came + (NOISE if skill else 0.008) * noise
    weight = np.where(said > THRESHOLD, 1 / 3, 0.0)
    weight[np.isnan(said)] = np.nan
    rules = TradingRules(fee_bps=10.0, slippage_bps=2.0)
    return trade(market, Decisions.of_weights(weight), rules), market
