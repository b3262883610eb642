"""The accounts beside a strategy, and a market that is entered late."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.signals.backtest.book import Reason
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.luck import Luck, shuffled_sharpes
from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.backtest.performance import annual_sharpe, daily_returns
from fleet_kedro.signals.backtest.rivals import (
    CASH,
    EQUAL_WEIGHT,
    SHUFFLED,
    rival_accounts,
)
from fleet_kedro.signals.backtest.rules import TradingRules

RULES = TradingRules(fee_bps=10.0, slippage_bps=0.0, rebalance_band=0.2)
LUCK = Luck(block_hours=24, draws=2, seed=3)


@pytest.fixture(scope="module")
def market(path):
    rng = np.random.default_rng(8)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((800, 2)), axis=0))
    return market_of(path({"BTC": list(close[:, 0]), "ETH": list(close[:, 1])}))


@pytest.fixture(scope="module")
def decisions(market):
    weight = np.full(market.shape, np.nan)
    weight[::24] = np.random.default_rng(9).choice([0.0, 0.4], size=(34, 2))
    return Decisions.of_weights(weight)


@pytest.fixture(scope="module")
def accounts(market, decisions):
    return rival_accounts(market, decisions, RULES, LUCK)


def test_all_stand_in_order(accounts):
    assert list(accounts) == [EQUAL_WEIGHT, SHUFFLED, CASH, "BTC held", "ETH held"]


def test_holding_earns_the_price_less_its_costs(market, accounts):
    grown = market.close[-1, 0] / market.open[1, 0]
    expected = RULES.capital * grown * RULES.kept_when_bought * RULES.kept_when_sold

    assert accounts["BTC held"].equity[-1] == pytest.approx(expected)
    assert (accounts[CASH].equity == RULES.capital).all()


def test_the_basket_ignores_the_band(market, accounts):
    """A band of 0.2 would not let the first of February pass."""
    basket = accounts[EQUAL_WEIGHT]
    hours = {fill.hour for fill in basket.fills if fill.reason is Reason.SIGNAL}

    assert hours == {1, 31 * 24}
    assert np.ptp(basket.exposure[31 * 24 - 1]) > 0.02
    # What the move of the hour leaves of equal shares.
    assert np.ptp(basket.exposure[31 * 24]) < 0.02
    assert basket.hours[31 * 24] == market.hours[0] + pd.Timedelta(days=31)


def test_chance_is_the_first_draw_of_luck(market, decisions, accounts):
    first = shuffled_sharpes(market, decisions, RULES, LUCK)[0]

    assert annual_sharpe(daily_returns(accounts[SHUFFLED])) == first
    assert accounts[SHUFFLED].fills


class TestBetween:
    def test_rows_are_cut_and_the_first_candle_starts(self, market):
        late = market.between(100, 150)

        assert late.shape == (50, 2)
        assert late.hours[0] == market.hours[100]
        np.testing.assert_array_equal(late.close, market.close[100:150])
        assert late.is_start[0].all()
        assert not late.is_start[1:].any()

    def test_a_filled_first_candle_is_no_start(self, panel):
        bars = [(hour, 1.0, 1.0, 1.0, 1.0, hour == 2) for hour in range(6)]
        late = market_of(panel({"BTC": bars})).between(2, 6)

        assert late.is_start[:, 0].tolist() == [False, True, False, False]

    def test_a_new_segment_stays_a_start(self, panel):
        bars = [(h, 1.0, 1.0, 1.0, 1.0, False, int(h > 3)) for h in range(6)]
        late = market_of(panel({"BTC": bars})).between(1, 6)

        assert late.is_start[:, 0].tolist() == [True, False, False, True, False]
