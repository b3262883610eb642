"""The steps of the ladder: their order, and what each of them changes."""

import numpy as np
import pytest

from fleet_kedro.market.by_asset import by_asset
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.luck import Luck
from fleet_kedro.signals.backtest.rules import TradingRules
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.expectation import ExpectedReturns
from fleet_kedro.signals.history import History, Lookout
from fleet_kedro.signals.levels import LevelSettings, price_levels
from fleet_kedro.signals.phases import (
    DEFAULT,
    TUNED,
    BacktestSettings,
    phases,
    rules_for,
    strategy_decisions,
    thresholds_used,
    trade_phases,
    trade_thresholds,
)
from fleet_kedro.signals.walked_history import fleet_market

FLEET = ("ADA", "BTC", "ETH", "SOL")
SETTINGS = SignalSettings()
BACKTEST = BacktestSettings(lookout=Lookout(every_hours=12), luck=Luck(seed=1))
NAMES = [
    "BTC only",
    "BTC + ETH + SOL",
    "with dominance",
    "with stops and targets",
    "Fleet of 4",
]


@pytest.fixture(scope="module")
def history(walk_with):
    candles, _ = walk_with(folds=1, fold_hours=480, warmup_hours=20, assets=FLEET)
    market = fleet_market(by_asset(candles))
    middle = np.random.default_rng(2).normal(scale=0.01, size=market.shape)
    levels = price_levels(market.high, market.low, market.close, LevelSettings())
    n_hours = len(market.hours)
    return History(
        market,
        ExpectedReturns.of(middle, middle - 0.005, middle + 0.005),
        np.ones(market.shape),
        levels,
        np.full(n_hours, 5.5),
        np.full(n_hours, 55.0),
    )


def test_steps_come_in_order_and_each_adds_one_thing():
    steps = phases(FLEET, SETTINGS, BACKTEST)

    assert [step.name for step in steps] == NAMES
    assert [len(step.assets) for step in steps] == [1, 3, 3, 3, 4]
    assert [step.settings.regime.is_used for step in steps] == [0, 0, 1, 1, 1]
    assert [step.settings.levels.is_used for step in steps] == [0, 0, 0, 1, 1]


def test_what_is_switched_off_stays_off():
    settings = SignalSettings.model_validate({"levels": {"is_used": False}})
    steps = phases(FLEET, settings, BACKTEST)

    assert not any(step.settings.levels.is_used for step in steps)


def test_a_small_fleet_takes_what_it_has_of_the_core():
    steps = phases(("BTC", "ETH"), SETTINGS, BACKTEST)

    assert steps[1].name == "BTC + ETH"
    assert steps[-1].assets == ("BTC", "ETH")


def test_every_step_holds_its_own_assets_only(history):
    steps = trade_phases(history, SETTINGS, BACKTEST)
    held = {
        name: {account.assets[fill.asset] for fill in account.fills}
        for name, account in steps.items()
    }

    assert list(steps) == NAMES
    assert held["BTC only"] == {"BTC"}
    assert held["BTC + ETH + SOL"] == held["with dominance"] == {"BTC", "ETH", "SOL"}
    assert held["Fleet of 4"] == {*FLEET}


def test_each_step_does_what_it_is_named_for(history):
    steps = trade_phases(history, SETTINGS, BACKTEST)
    exposure = {name: account.exposure.sum(axis=1) for name, account in steps.items()}
    reasons = {
        name: {fill.reason.word for fill in account.fills}
        for name, account in steps.items()
    }

    # Fear leaves 40 % of what may be invested.
    assert exposure["BTC + ETH + SOL"].max() > 0.75
    assert exposure["with dominance"].max() < 0.4
    assert "stop" not in reasons["with dominance"]
    assert "stop" in reasons["with stops and targets"]


def test_the_last_step_is_the_strategy(history):
    decisions = strategy_decisions(history, SETTINGS, BACKTEST)
    own = trade(history.market, decisions, BACKTEST.rules)
    last = trade_phases(history, SETTINGS, BACKTEST)["Fleet of 4"]

    np.testing.assert_array_equal(own.equity, last.equity)
    assert own.fills == last.fills != ()


def test_a_fleet_without_the_first_asset_is_refused():
    with pytest.raises(ValueError, match="begins with BTC"):
        phases(("ADA", "SOL"), SETTINGS, BACKTEST)


def test_signals_and_account_must_agree_about_shorts():
    with pytest.raises(ValueError, match="give both the same"):
        rules_for(SETTINGS, TradingRules(allow_short=True))


def with_tuned(is_tuned):
    return SignalSettings.model_validate({"threshold": {"tuned": is_tuned}})


class TestThresholds:
    def test_without_tuned_ones_the_default_is_used_whatever_is_asked(self, history):
        settings = with_tuned(is_tuned=True)
        steps = trade_phases(history, settings, BACKTEST)
        found = trade_thresholds(history, steps, settings, BACKTEST)

        assert thresholds_used(history, settings) == DEFAULT
        assert list(found) == [DEFAULT]
        assert found[DEFAULT] is steps["Fleet of 4"]

    @pytest.mark.parametrize("is_tuned", [False, True])
    def test_the_strategys_own_are_not_traded_twice(self, history, is_tuned):
        strict = history._replace(tuned_factor=np.full(history.market.shape, 2.0))
        settings = with_tuned(is_tuned)
        steps = trade_phases(strict, settings, BACKTEST)
        found = trade_thresholds(strict, steps, settings, BACKTEST)

        assert list(found) == [DEFAULT, TUNED]
        assert found[thresholds_used(strict, settings)] is steps["Fleet of 4"]
        assert 0 < len(found[TUNED].fills) < len(found[DEFAULT].fills)

    def test_which_one_is_used_changes_neither_account(self, history):
        strict = history._replace(tuned_factor=np.full(history.market.shape, 2.0))
        by_use = []
        for is_tuned in (False, True):
            settings = with_tuned(is_tuned)
            steps = trade_phases(strict, settings, BACKTEST)
            by_use.append(trade_thresholds(strict, steps, settings, BACKTEST))

        for name in (DEFAULT, TUNED):
            one, other = (accounts[name].equity for accounts in by_use)
            np.testing.assert_array_equal(one, other)

    @pytest.mark.parametrize("factor", [1.0, np.nan])
    def test_a_factor_of_one_or_none_is_the_default(self, history, factor):
        same = history._replace(tuned_factor=np.full(history.market.shape, factor))
        settings = with_tuned(is_tuned=True)
        steps = trade_phases(same, settings, BACKTEST)
        found = trade_thresholds(same, steps, settings, BACKTEST)

        np.testing.assert_array_equal(found[TUNED].equity, found[DEFAULT].equity)
        assert len(found[TUNED].fills) > 0
