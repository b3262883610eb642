import numpy as np
import pandas as pd
import pytest

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.sharpe import deflated_sharpe_ratio
from fleet_kedro.signals.backtest.benchmarks import always_cash, buy_and_hold
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.backtest.performance import (
    PLAIN,
    WITH_INTERVAL,
    daily_returns,
    deflated_sharpe,
    drawdowns,
    measured,
    monthly_returns,
    performance_table,
)
from fleet_kedro.signals.backtest.rules import TradingRules

FREE = TradingRules(fee_bps=0.0, slippage_bps=0.0, rebalance_band=0.0, capital=1000.0)
DRAWS = BlockBootstrap(block_days=2, draws=200, level=0.9, seed=4)


def held(path, close, rules=FREE):
    market = market_of(path({"A": close}))
    return trade(market, buy_and_hold(market, "A"), rules)


@pytest.fixture(scope="module")
def four_days(path):
    """Bought at 100; the days end at 110, 99, 99 and 118.8: +10, −10, 0 and +20 %."""
    close = [100.0] * 23 + [110.0]
    close += [110.0] * 10 + [88.0] + [99.0] * 13
    close += [99.0] * 24
    close += [99.0] * 23 + [118.8]
    return held(path, close)


class TestKnownValues:
    def test_daily_returns(self, four_days):
        told = daily_returns(four_days)
        np.testing.assert_allclose(told, [0.1, -0.1, 0.0, 0.2], atol=1e-12)
        assert list(told.index.day) == [1, 2, 3, 4]

    def test_every_number(self, four_days):
        told = measured(four_days, DRAWS)
        r = np.array([0.1, -0.1, 0.0, 0.2])
        assert told["total_return"] == pytest.approx(0.188)
        assert told["annual_return"] == pytest.approx(1.188 ** (365 / 4) - 1)
        assert told["monthly_return"] == pytest.approx(1.188 ** (365 / 48) - 1)
        assert told["annual_volatility"] == pytest.approx(r.std(ddof=1) * 365**0.5)
        assert told["sharpe"] == pytest.approx(0.05 / r.std(ddof=1) * 365**0.5)
        # Only one day of four lost: √(0.01 / 4) = 0.05.
        assert told["sortino"] == pytest.approx(0.05 / 0.05 * 365**0.5)
        # From 110 to 88 within a day, which no daily close shows.
        assert told["max_drawdown"] == pytest.approx(0.2)
        assert told["calmar"] == pytest.approx(told["annual_return"] / 0.2)
        assert told["trades"] == 1
        assert told["win_rate"] == 1
        assert told["trade_return"] == pytest.approx(0.188)
        # Bought with all of the equity and sold with all of it, in four days.
        assert told["turnover"] == pytest.approx(2 * 365 / 4)
        assert told["exposure"] == told["hours_invested"] == pytest.approx(95 / 96)
        assert told["fees"] == 0

    def test_fees_over_the_capital(self, path):
        ledger = held(
            path, [100.0, 100.0, 100.0], FREE.model_copy(update={"fee_bps": 10.0})
        )
        bought = 1000 / 1.001
        assert measured(ledger, DRAWS)["fees"] == pytest.approx(0.002 * bought / 1000)

    def test_drawdown_counts_from_the_capital(self, path):
        told = drawdowns(held(path, [100.0, 90.0, 95.0, 120.0]))
        np.testing.assert_allclose(told, [0, 0.1, 0.05, 0], atol=1e-12)
        told = drawdowns(held(path, [100.0, 100.0, 90.0, 120.0, 108.0]))
        np.testing.assert_allclose(told, [0, 0, 0.1, 0, 0.1], atol=1e-12)

    def test_months(self):
        days = pd.date_range("2023-01-30", "2023-03-01", tz="UTC", unit="us")
        daily = pd.Series(0.01, index=days)
        told = monthly_returns(daily)
        assert list(told["days"]) == [2, 28, 1]
        np.testing.assert_allclose(
            told["monthly_return"], [1.01**2 - 1, 1.01**28 - 1, 0.01]
        )

    def test_a_cash_account(self, path):
        market = market_of(path({"A": [100.0] * 60}))
        told = measured(trade(market, always_cash(market), FREE), DRAWS)
        assert told["total_return"] == told["sharpe"] == told["max_drawdown"] == 0
        assert told["trades"] == told["turnover"] == 0
        for name in ("sortino", "calmar", "win_rate", "win_rate_low", "trade_return"):
            assert np.isnan(told[name])

    def test_a_lost_account_stays_lost(self, panel):
        bars = [(0, 100, 100, 100, 100), (1, 100, 100, 100, 100)]
        bars += [(hour, 400, 400, 400, 400) for hour in range(2, 60)]
        market = market_of(panel({"A": bars}))
        short = Decisions.of_weights(np.full((60, 1), -1.0))
        rules = FREE.model_copy(update={"allow_short": True})
        told = daily_returns(trade(market, short, rules))
        assert list(told) == [-1.0, 0.0, 0.0]


class TestProperties:
    def test_the_table_has_a_row_per_account(self, path):
        accounts = {
            name: held(path, list(100 * np.exp(drift * np.arange(200.0))))
            for name, drift in (("up", 0.001), ("down", -0.001))
        }
        table = performance_table(accounts, DRAWS)
        assert list(table["name"]) == ["up", "down"]
        assert set(PLAIN) | set(WITH_INTERVAL) < set(table.columns)
        assert table["annual_return"].iloc[0] > 0 > table["annual_return"].iloc[1]

    def test_intervals_hold_the_value_and_shrink_with_time(self, random_walk):
        width = {}
        for hours in (24 * 50, 24 * 450):
            market = market_of(random_walk(np.random.default_rng(9), hours))
            ledger = trade(market, buy_and_hold(market, "A"), FREE)
            told = measured(ledger, DRAWS)
            assert told["sharpe_low"] < told["sharpe"] < told["sharpe_high"]
            width[hours] = told["sharpe_high"] - told["sharpe_low"]
        # √9 = 3 in theory
        assert 2 < width[1200] / width[10800] < 4.5

    def test_deflated_sharpe_is_that_of_the_metrics_chapter(self):
        rng = np.random.default_rng(5)
        daily, trials = rng.normal(0.001, 0.01, 300), rng.normal(0, 0.05, 40)
        assert deflated_sharpe(daily, 40, float(trials.var(ddof=1))) == pytest.approx(
            deflated_sharpe_ratio(daily, trials)
        )
