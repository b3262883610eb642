"""The past is laid out with what was known at each hour, and with nothing else."""

import logging

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.by_asset import by_asset
from fleet_kedro.signals.calibrated_return import CalibrationSettings
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.history import History
from fleet_kedro.signals.walked_history import Walks, fleet_market, lay_out_history

CALIBRATION = CalibrationSettings(horizon_bars=12, rows_per_bin=50, prior_trades=20.0)
SETTINGS = {
    "threshold": {"volatility_bars": 168},
    "levels": {"pivot_bars": 6, "lookback_bars": 200, "range_bars": 48},
}


def lay_out(candles, walks, **changes):
    market = fleet_market(by_asset(candles))
    shares = pd.DataFrame(
        {
            "usdt_dominance_pct": np.linspace(3, 6, len(market.hours)),
            "btc_dominance_pct": np.linspace(45, 65, len(market.hours)),
        },
        index=market.hours,
    )
    settings = SignalSettings.model_validate(SETTINGS | changes)
    return lay_out_history(market, shares, walks, settings, CALIBRATION)


def arrays(history: History, rows: slice):
    market, expected, ratio, levels, usdt, btc, _ = history
    every = [*expected, ratio, *levels, usdt, btc, market.close, market.open]
    return [values[rows] for values in every]


def ensemble_of(candles, asset, hours):
    own = candles.loc[candles["asset"] == asset].iloc[hours]
    return own[["timestamp", "close"]].assign(
        forecast_12h=0.01, low_12h=-0.01, high_12h=0.03
    )


@pytest.fixture(scope="module")
def walk(walk_with):
    return walk_with()


@pytest.fixture(scope="module")
def history(walk):
    return lay_out(walk[0], Walks(walk[1], {}))


def test_it_spans_the_second_fold_to_the_last_outcome(walk, history):
    candles, forecasts = walk
    second = forecasts.loc[forecasts["fold"] == 2, "timestamp"].min()

    assert history.market.hours[0] == second
    assert history.market.hours[-1] == candles["timestamp"].max()
    assert history.market.is_start.sum() == history.market.is_start[0].sum() == 3


def test_what_comes_later_changes_nothing(walk, history):
    candles, forecasts = walk
    third = forecasts.loc[forecasts["fold"] == 3, "timestamp"].min()
    early = lay_out(
        candles.loc[candles["timestamp"] <= third + pd.Timedelta(hours=12)],
        Walks(forecasts.loc[forecasts["fold"] <= 2], {}),
    )
    n_hours = int((third - history.market.hours[0]) / pd.Timedelta(hours=1))

    assert n_hours == 480
    ours, whole = (arrays(h, slice(0, n_hours)) for h in (early, history))
    # Dominance was drawn to the length of the market.
    for place, (own, other) in enumerate(zip(ours, whole, strict=True)):
        if place not in (10, 11):
            np.testing.assert_array_equal(own, other)
    assert np.isfinite(ours[0]).all()


def test_levels_and_volatility_are_known_from_the_first_hour_on(history):
    assert np.isfinite(history.volatility_ratio[0]).all()
    assert np.isfinite(history.levels.typical_range[0]).all()


def test_without_ensembles_the_brain_forecasts_alone_and_the_log_says_so(walk, caplog):
    with caplog.at_level(logging.INFO, logger="fleet_kedro"):
        both = lay_out(walk[0], Walks(walk[1], {}))
        brain = lay_out(walk[0], Walks(walk[1], {}), forecast="brain")

    alone = "No ensemble was trained, so the brain forecasts alone."
    assert caplog.messages.count(alone) == 1
    for own, other in zip(
        arrays(both, slice(None)), arrays(brain, slice(None)), strict=True
    ):
        np.testing.assert_array_equal(own, other)


def test_both_average_where_both_know(walk, history):
    candles, forecasts = walk
    walks = Walks(forecasts, {"ETH": ensemble_of(candles, "ETH", slice(300, None))})
    both = lay_out(candles, walks).expected.expected_return
    alone = history.expected.expected_return
    btc, eth = 0, 1
    known = np.isfinite(alone[:, eth])
    between = (both - np.expm1(0.01)) * (both - alone)

    np.testing.assert_array_equal(both[known, btc], alone[known, btc])
    assert (between[known, eth] <= 1e-12).all()
    assert not np.array_equal(both[known, eth], alone[known, eth])


def test_the_ensemble_alone_begins_where_it_does(walk):
    candles, forecasts = walk
    walks = Walks(forecasts, {"ETH": ensemble_of(candles, "ETH", slice(300, 400))})
    history = lay_out(candles, walks, forecast="ensemble")

    assert history.market.hours[0] == candles["timestamp"].min() + pd.Timedelta("300h")
    assert len(history.market.hours) == 100 + 13
    assert np.isnan(history.expected.expected_return[:, 0]).all()


def test_an_ensemble_that_was_never_trained_is_asked_for(walk):
    with pytest.raises(ValueError, match="neither of them is given"):
        lay_out(walk[0], Walks(walk[1], {}), forecast="ensemble")


def test_two_horizons_are_refused(walk):
    with pytest.raises(ValueError, match="24 h ahead, the calibration 12 h"):
        lay_out(walk[0], Walks(walk[1], {}), horizon_hours=24)


def test_a_filled_candle_is_no_price(walk):
    """Its flat range is not typical, and its close no return."""
    candles = walk[0].copy()
    is_filled = candles["timestamp"].dt.hour.isin([3, 4]) & (candles["asset"] == "BTC")
    flat = candles.loc[is_filled, "open"]
    candles.loc[is_filled, "is_filled"] = True
    for price in ("high", "low", "close"):
        candles.loc[is_filled, price] = flat
    forecasts = walk[1].loc[walk[1]["asset"] != "BTC"]
    history = lay_out(candles, Walks(forecasts, {}))
    whole = lay_out(walk[0], Walks(forecasts, {}))

    got, expected = (h.levels.typical_range[:, 0] for h in (history, whole))
    # Two of 24 ranges that were zero would lower the mean by a twelfth.
    np.testing.assert_allclose(got, expected, rtol=0.06)
    assert not np.array_equal(got, expected)
