import numpy as np
import pytest

from fleet_kedro.signals.backtest.benchmarks import (
    always_cash,
    buy_and_hold,
    equal_weight,
    perfect_foresight,
    shuffled,
)
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.luck import Luck, shuffled_sharpes
from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.backtest.performance import annual_sharpe, daily_returns
from fleet_kedro.signals.backtest.rules import TradingRules
from fleet_kedro.signals.backtest.trades import trades_of

COSTLY = TradingRules(
    capital=1000.0, fee_bps=10.0, slippage_bps=5.0, rebalance_band=0.0
)
FREE = TradingRules(capital=1000.0, fee_bps=0.0, slippage_bps=0.0, rebalance_band=0.0)
ROUND_TRIP = (1 - 0.0005) * (1 - 0.001) / ((1 + 0.0005) * (1 + 0.001))


class TestCash:
    def test_always_cash_is_flat(self, wild):
        market = market_of(wild(np.random.default_rng(0), 50, 3))
        ledger = trade(market, always_cash(market), COSTLY)
        assert ledger.fills == ()
        np.testing.assert_array_equal(ledger.equity, 1000.0)


class TestBuyAndHold:
    def test_it_earns_the_price_less_one_round_trip(self, path):
        market = market_of(path({"A": [100, 104, 90, 131], "B": [5, 5, 5, 5]}))
        ledger = trade(market, buy_and_hold(market, "A"), COSTLY)
        # In at the open of the second candle, which is the close of the first.
        assert ledger.equity[-1] == pytest.approx(1000 * 1.31 * ROUND_TRIP, rel=1e-12)

    def test_always_long_is_buy_and_hold(self, path):
        market = market_of(path({"A": [100, 104, 90, 131]}))
        always = Decisions.of_weights(np.ones(market.shape))
        # Nothing is left to rebalance: all of the equity is in the coin.
        one = trade(market, always, COSTLY)
        other = trade(market, buy_and_hold(market, "A"), COSTLY)
        np.testing.assert_allclose(one.equity, other.equity, rtol=1e-12)
        assert len(one.fills) == 2

    def test_after_a_halt_it_is_bought_again(self, panel):
        flat = (100, 100, 100, 100, False)
        bars = [(hour, *flat, hour // 5) for hour in (0, 1, 2, 5, 6, 7)]
        market = market_of(panel({"A": bars}))
        ledger = trade(market, buy_and_hold(market, "A"), FREE)
        assert [fill.hour for fill in ledger.fills] == [1, 5, 6, 7]

    def test_an_unknown_asset(self, path):
        market = market_of(path({"A": [1, 1]}))
        with pytest.raises(ValueError, match="B is no asset of the market"):
            buy_and_hold(market, "B")


class TestEqualWeight:
    def test_it_is_put_right_each_month(self, path):
        hours = 24 * 31 + 5
        doubled = [100.0] * 50 + [200.0] * (hours - 50)
        market = market_of(path({"A": doubled, "B": [10.0] * hours}))
        ledger = trade(market, equal_weight(market), FREE)
        np.testing.assert_allclose(ledger.exposure[30], [0.5, 0.5])
        np.testing.assert_allclose(ledger.exposure[700], [2 / 3, 1 / 3])
        first_open_of_february = 24 * 31
        np.testing.assert_allclose(ledger.exposure[first_open_of_february], [0.5, 0.5])
        assert ledger.equity[-1] == pytest.approx(1500)
        assert {fill.hour for fill in ledger.fills} == {
            1,
            first_open_of_february,
            hours - 1,
        }

    def test_a_late_asset_joins_with_the_next_month(self, panel):
        hours = 24 * 31 + 3
        a = [(hour, 10, 10, 10, 10) for hour in range(hours)]
        b = [(hour, 5, 5, 5, 5) for hour in range(100, hours)]
        market = market_of(panel({"A": a, "B": b}))
        ledger = trade(market, equal_weight(market), FREE)
        np.testing.assert_allclose(ledger.exposure[400], [1, 0])
        np.testing.assert_allclose(ledger.exposure[-1], [0.5, 0.5])


class TestForesight:
    def test_a_known_path(self, path):
        """+10 %, −20 %, +50 %: held twice, so two round trips are paid."""
        market = market_of(path({"A": [100, 100, 110, 88, 132]}))
        ledger = trade(market, perfect_foresight(market, COSTLY), COSTLY)
        assert ledger.equity[-1] == pytest.approx(
            1000 * 1.1 * 1.5 * ROUND_TRIP**2, rel=1e-12
        )

    def test_it_sits_through_a_loss_that_is_smaller_than_the_costs(self, path):
        market = market_of(path({"A": [100, 100, 110, 109.9, 132]}))
        ledger = trade(market, perfect_foresight(market, COSTLY), COSTLY)
        assert len(trades_of(ledger)) == 1
        assert ledger.equity[-1] == pytest.approx(1320 * ROUND_TRIP, rel=1e-12)

    def test_it_moves_to_whatever_rises(self, path):
        market = market_of(path({"A": [10, 10, 11, 11, 11], "B": [10, 10, 10, 12, 12]}))
        ledger = trade(market, perfect_foresight(market, COSTLY), COSTLY)
        assert ledger.equity[-1] == pytest.approx(
            1000 * 1.1 * 1.2 * ROUND_TRIP**2, rel=1e-12
        )

    @pytest.mark.parametrize("seed", range(8))
    def test_no_account_that_trades_at_opens_ends_with_more(self, wild, seed):
        rng = np.random.default_rng(seed)
        market = market_of(wild(rng, 30, 2))
        best = trade(market, perfect_foresight(market, COSTLY), COSTLY).equity[-1]
        assert best >= 1000.0
        for _ in range(20):
            weight = rng.choice([np.nan, 0.0, 0.5], size=market.shape)
            other = trade(market, Decisions.of_weights(weight), COSTLY).equity[-1]
            assert other <= best * (1 + 1e-9)
        for asset in market.assets:
            held = trade(market, buy_and_hold(market, asset), COSTLY).equity[-1]
            assert held <= best * (1 + 1e-9)

    def test_every_way_of_holding_one_asset_is_tried(self, path):
        """All 2^5 plans of five opens, one by one."""
        market = market_of(path({"A": [100, 103, 102, 102.2, 101.7, 104]}))
        best = trade(market, perfect_foresight(market, COSTLY), COSTLY).equity[-1]
        plans = [[(plan >> hour) & 1 for hour in range(5)] for plan in range(32)]
        ends = [
            trade(
                market,
                Decisions.of_weights(np.array([*plan, 0.0], dtype=float)[:, None]),
                COSTLY,
            ).equity[-1]
            for plan in plans
        ]
        assert best == pytest.approx(max(ends), rel=1e-12)


class TestShuffled:
    def test_weights_are_the_same_but_for_their_moments(self, path):
        rng = np.random.default_rng(1)
        market = market_of(path({"A": [100.0] * 95}))
        weight = np.linspace(0.0, 0.9, 95)[:, None]
        told = shuffled(market, Decisions.of_weights(weight), 10, rng)
        assert not np.array_equal(told.weight, weight)
        np.testing.assert_array_equal(np.sort(told.weight, axis=0), weight)
        steps = np.diff(told.weight[:, 0])
        assert np.isclose(steps, 0.9 / 94).sum() >= 94 - 10

    def test_a_block_begins_with_the_decision_that_stood(self, path):
        market = market_of(path({"A": [100, 110, 121, 100, 100, 100]}))
        nothing = np.full((6, 1), np.nan)
        weight, stop = nothing.copy(), nothing.copy()
        weight[1], stop[1] = 0.5, 99.0
        rng = np.random.default_rng(3)
        told = shuffled(market, Decisions(weight, stop, nothing), 3, rng)
        # The blocks change places: the second one stands at half, 10 % above its stop.
        np.testing.assert_array_equal(
            told.weight[:, 0], [0.5, np.nan, np.nan, 0, 0.5, np.nan]
        )
        np.testing.assert_allclose(told.stop_price[[0, 4], 0], [90, 90])

    def test_the_seed_decides(self, wild):
        market = market_of(wild(np.random.default_rng(2), 60, 2))
        said = Decisions.of_weights(
            np.random.default_rng(3).choice([np.nan, 0.0, 0.4], size=market.shape)
        )
        one, same, other = (
            shuffled(market, said, 12, np.random.default_rng(seed)).weight
            for seed in (5, 5, 6)
        )
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other, equal_nan=True)

    def test_on_a_random_walk_it_earns_minus_its_costs(self, random_walk):
        """Shuffled foresight: the same trades, at moments that know nothing."""
        earned, costs = [], []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            market = market_of(random_walk(rng, 120))
            knowing = perfect_foresight(market, COSTLY)
            ledger = trade(market, shuffled(market, knowing, 8, rng), COSTLY)
            earned.append(ledger.equity[-1] - 1000)
            costs.append(sum(_cost(fill) for fill in ledger.fills))
        before_costs = np.array(earned) + np.array(costs)
        error = before_costs.std(ddof=1) / np.sqrt(len(before_costs))
        assert abs(before_costs.mean()) < 3 * error
        assert np.mean(earned) < -3 * np.std(earned, ddof=1) / np.sqrt(len(earned))


def _cost(fill):
    """The fee, and what the slippage made the price worse by."""
    side = np.sign(fill.quantity)
    candle_price = fill.price / (1 + side * COSTLY.slippage)
    return fill.fee + abs(fill.quantity) * abs(fill.price - candle_price)


class TestLuck:
    def test_foresight_beats_each_of_its_shuffles(self, random_walk):
        market = market_of(random_walk(np.random.default_rng(4), 500))
        knowing = perfect_foresight(market, COSTLY)
        luck = Luck(block_hours=24, draws=4, seed=3)
        told = shuffled_sharpes(market, knowing, COSTLY, luck)
        assert told.shape == (4,)
        assert np.unique(told).size == 4
        own = annual_sharpe(daily_returns(trade(market, knowing, COSTLY)))
        assert (told < own / 2).all()

    def test_more_draws_leave_the_first_ones_alone(self, random_walk):
        market = market_of(random_walk(np.random.default_rng(4), 100))
        knowing = perfect_foresight(market, COSTLY)
        few, many = (
            shuffled_sharpes(
                market, knowing, COSTLY, Luck(block_hours=10, draws=draws, seed=3)
            )
            for draws in (2, 4)
        )
        np.testing.assert_array_equal(few, many[:2])
