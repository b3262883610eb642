"""Ensembles on a market: simple returns at their hours, and nothing elsewhere."""

import numpy as np
import pytest

from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.ensemble_returns import ensemble_returns
from fleet_kedro.signals.expectation import Absence


@pytest.fixture(scope="module")
def candles(walk_with):
    return walk_with(folds=1, fold_hours=24, warmup_hours=6)[0]


@pytest.fixture(scope="module")
def market(candles):
    return market_of(candles)


def walk_of(candles, asset, hours):
    own = candles.loc[candles["asset"] == asset].iloc[hours]
    size = np.linspace(-0.01, 0.02, len(own))
    return own[["timestamp", "close"]].assign(
        forecast_12h=size, low_12h=size - 0.03, high_12h=size + 0.03
    )


def test_log_returns_become_simple_ones_where_they_were_said(candles, market):
    walk = walk_of(candles, "ETH", slice(10, 14))
    got = ensemble_returns({"ETH": walk}, market, 12)
    eth = market.assets.index("ETH")

    np.testing.assert_allclose(
        got.expected_return[10:14, eth], np.expm1([-0.01, 0.0, 0.01, 0.02])
    )
    np.testing.assert_allclose(got.high[10, eth], np.expm1(0.02))
    assert np.isfinite(got.expected_return).sum() == 4


def test_it_tells_no_model_from_no_forecast(candles, market):
    walk = walk_of(candles, "ETH", slice(10, 14))
    absence = ensemble_returns({"ETH": walk}, market, 12).absence
    eth, btc = market.assets.index("ETH"), market.assets.index("BTC")

    assert set(absence[:, btc]) == {Absence.NO_MODEL}
    assert (absence[10:14, eth] == Absence.NONE).all()
    assert (absence[:10, eth] == Absence.NO_FORECAST).all()


def test_an_asset_that_is_not_traded_is_left_out(candles, market):
    walk = walk_of(candles, "ETH", slice(10, 14))
    alone = ensemble_returns({"ETH": walk}, market, 12)
    beside = ensemble_returns({"ETH": walk, "DOGE": walk}, market, 12)

    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_unknown_interval_stays_unknown(candles, market):
    walk = walk_of(candles, "ETH", slice(10, 14)).assign(low_12h=np.nan)
    got = ensemble_returns({"ETH": walk}, market, 12)

    assert np.isfinite(got.expected_return).sum() == 4
    assert np.isnan(got.low).all()
    assert np.isnan(got.high).all()


def test_a_walk_on_other_candles_is_refused(candles, market):
    walk = walk_of(candles, "ETH", slice(10, 14))
    walk.iloc[2, walk.columns.get_loc("close")] *= 1.01
    with pytest.raises(ValueError, match="ensemble of ETH saw a close of"):
        ensemble_returns({"ETH": walk}, market, 12)


def test_a_walk_for_another_horizon_is_refused(candles, market):
    walk = walk_of(candles, "ETH", slice(10, 14))
    with pytest.raises(ValueError, match="no forecast_24h"):
        ensemble_returns({"ETH": walk}, market, 24)
