"""Today's signal is what the history would say of today, computed in bulk."""

import numpy as np
import pandas as pd
import pytest
from signal_stock import ASSETS, FORECASTERS, HALF_WIDTH, WEIGHTS, draw_rules

from fleet_kedro.features.newest import NewestFeatures
from fleet_kedro.market.by_asset import by_asset
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.conformal import interval_scale
from fleet_kedro.models.ensemble import combine
from fleet_kedro.models.forecasters.bars import asset_bars
from fleet_kedro.models.forecasters.settings import make_forecaster
from fleet_kedro.signals.brain_answer import ask_brain
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.ensemble_answer import ask_ensembles
from fleet_kedro.signals.ensemble_returns import ensemble_returns
from fleet_kedro.signals.expectation import choose_source
from fleet_kedro.signals.history import History, Lookout, decide_history
from fleet_kedro.signals.levels import price_levels
from fleet_kedro.signals.return_thresholds import factors_along
from fleet_kedro.signals.spread import spread
from fleet_kedro.signals.volatility_ratio import volatility_ratio
from fleet_kedro.signals.walked_history import (
    fleet_market,
    market_volatility,
    move_unit,
)
from fleet_kedro.store.bundle import read_bundle
from fleet_kedro.store.serving import Served
from fleet_kedro.validation.forecast_ensemble import EnsembleWalkSettings

# Hours before the end; the last one is among them, and one at night.
CUTS = (0, 1, 37, 250)


@pytest.fixture(scope="module")
def settings(configuration):
    return SignalSettings.model_validate(configuration[0]["signalling"])


@pytest.fixture(scope="module")
def intervals(configuration):
    block = configuration[0]["ensemble"]
    return EnsembleWalkSettings.model_validate(block).intervals


@pytest.fixture(scope="module")
def market(planted_fleet):
    return fleet_market(by_asset(planted_fleet.candles))


@pytest.fixture(scope="module")
def said_by_brain(trained_brain, fleet_features):
    return trained_brain.forecast(fleet_features).table


@pytest.fixture(scope="module")
def walk_of_btc(stocked, planted_fleet, fleet_features, intervals):
    """Every hour of BTC, forecast in one go, in the shape of an ensemble's walk."""
    candles = planted_fleet.candles
    own = candles.loc[candles["asset"] == "BTC"].reset_index(drop=True)
    bars = asset_bars(fleet_features["BTC"](), own, FORECASTERS.bars)
    rows = np.flatnonzero(bars.is_usable)
    said = []
    for kind in WEIGHTS:
        files = read_bundle(stocked / "data/06_models/forecasters/BTC" / kind).files
        forecaster = make_forecaster(kind, FORECASTERS).load_files(files)
        said.append(forecaster.predict(bars, rows)[:, 1])
    middle = combine(np.column_stack(said), np.array(list(WEIGHTS.values())))
    half = HALF_WIDTH * interval_scale(bars.volatility[rows], intervals) * np.sqrt(12)
    return pd.DataFrame(
        {
            "timestamp": bars.timestamp[rows],
            "close": bars.close[rows],
            "forecast_12h": middle,
            "low_12h": middle - half,
            "high_12h": middle + half,
        }
    )


@pytest.fixture(scope="module")
def history(market, planted_fleet, said_by_brain, walk_of_btc, settings):
    volatility = market_volatility(market, settings)
    probability = spread(said_by_brain, said_by_brain["probability"].to_numpy(), market)
    rules = draw_rules()
    brain = rules.curves.curves.expect(
        probability, move_unit(volatility, 12), market.assets
    )
    ensemble = ensemble_returns({"BTC": walk_of_btc}, market, 12)
    real = [
        np.where(market.is_tradable, price, np.nan)
        for price in (market.high, market.low, market.close)
    ]
    shares = join_dominance(market.hours, planted_fleet.dominance, DominancePolicy())
    factor = factors_along(rules.thresholds.assets, market.assets)
    return History(
        market,
        choose_source(ensemble, brain, "both"),
        volatility_ratio(volatility, market.assets, "BTC"),
        price_levels(*real, settings.levels),
        shares["usdt_dominance_pct"].to_numpy(),
        shares["btc_dominance_pct"].to_numpy(),
        np.broadcast_to(factor, market.shape),
    )


@pytest.fixture(scope="module")
def decisions(history, settings):
    return decide_history(history, ASSETS, settings, Lookout(every_hours=1))


@pytest.mark.parametrize("cut", CUTS)
def test_a_truncated_market_gives_the_row_of_the_history(
    workplace, history, decisions, cut
):
    last = len(history.market.hours) - 1 - cut
    for asset in ASSETS:
        workplace.change_candles(asset, lambda own: own.iloc[: len(own) - cut])
    signal = workplace.signal()
    told = [signal.individual_signals[asset] for asset in ASSETS]

    def same(got, expected, digits=1.01e-6):
        known = [np.nan if value is None else value for value in got]
        np.testing.assert_allclose(known, expected, rtol=1e-9, atol=digits)

    assert signal.timestamp == history.market.hours[last] + BAR
    assert np.isfinite(history.expected.expected_return[last]).all()
    same([own.expected_return for own in told], history.expected.expected_return[last])
    same([own.interval.low for own in told], history.expected.low[last])
    same([own.interval.high for own in told], history.expected.high[last])
    same([own.levels.support for own in told], history.levels.support[last])
    same([own.levels.stop_loss for own in told], decisions.stop_price[last])
    same([own.levels.take_profit for own in told], decisions.target_price[last])
    weights = [signal.portfolio_allocation[asset] for asset in ASSETS]
    same(weights, decisions.weight[last])


def test_the_history_trades_at_some_of_these_hours(history, decisions):
    """Else the comparison above would be one of zeros."""
    rows = [len(history.market.hours) - 1 - cut for cut in CUTS]

    assert np.count_nonzero(decisions.weight[rows] > 0) >= 3
    assert np.isfinite(decisions.stop_price[rows]).any()


class TestEachModel:
    @pytest.fixture(params=CUTS)
    def tails(self, planted_fleet, request):
        return {
            asset: own.iloc[: len(own) - request.param].reset_index(drop=True)
            for asset, own in planted_fleet.candles.groupby("asset")
        }

    @pytest.fixture
    def newest(self, planted_fleet, tails):
        hours = pd.DatetimeIndex(tails["BTC"]["timestamp"])
        shares = join_dominance(hours, planted_fleet.dominance, DominancePolicy())
        return NewestFeatures(tails, shares)

    def test_the_brain_says_the_same_to_the_last_bit(
        self, stocked, tails, newest, said_by_brain
    ):
        served = Served(stocked, stocked / "data/06_models", "latest")
        answer = ask_brain(newest, served)
        moment = tails["BTC"]["timestamp"].iloc[-1]
        row = said_by_brain.loc[said_by_brain["timestamp"] == moment]
        own = row.set_index("asset")

        assert answer.trouble == ""
        assert answer.probability == own["probability"].to_dict()
        for asset, weights in answer.gate_weights.items():
            gates = {name: own.loc[asset, f"gate_{name}"] for name in weights}
            assert weights == gates
            assert sum(weights.values()) == pytest.approx(1)
        assert all(len(told) == 5 for told in answer.top_latents.values())

    def test_the_ensemble_says_the_same_but_for_rounding(
        self, stocked, newest, tails, walk_of_btc
    ):
        served = Served(stocked, stocked / "data/06_models", "latest")
        answer = ask_ensembles(newest, served, 12)
        moment = tails["BTC"]["timestamp"].iloc[-1]
        row = walk_of_btc.loc[walk_of_btc["timestamp"] == moment].iloc[0]

        assert answer.troubles == {}
        expected = row[["forecast_12h", "low_12h", "high_12h"]].astype(float)
        np.testing.assert_allclose(answer.forecast["BTC"], expected, rtol=1e-9)
        assert answer.forecast["BTC"].middle != 0
