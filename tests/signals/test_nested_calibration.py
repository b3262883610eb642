"""What a fold's probabilities are worth is learnt before the fold, and nowhere else."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.calibrated_return import CalibrationSettings, calibrate_return
from fleet_kedro.signals.expectation import Absence
from fleet_kedro.signals.nested_calibration import nested_returns, record_of
from fleet_kedro.signals.volatility_ratio import trailing_volatility

SETTINGS = CalibrationSettings(horizon_bars=12, rows_per_bin=50, prior_trades=20.0)


@pytest.fixture(scope="module")
def walk(walk_with):
    return walk_with()


@pytest.fixture(scope="module")
def market(walk):
    return market_of(walk[0])


def unit_of(market):
    return np.sqrt(12) * trailing_volatility(market.close, 168)


def returns(forecasts, market):
    return nested_returns(forecasts, market, unit_of(market), SETTINGS)


def rows_of(forecasts, market, fold):
    """Where a fold lies in the market."""
    own = forecasts.loc[forecasts["fold"] == fold, "timestamp"]
    return market.hours.isin(pd.DatetimeIndex(own.unique()))


def same(first, second, rows):
    return all(
        np.array_equal(one[rows], other[rows], equal_nan=True)
        for one, other in zip(first, second, strict=True)
    )


class TestTime:
    def test_nothing_is_expected_before_the_second_fold(self, walk, market):
        expected = returns(walk[1], market)
        known = np.flatnonzero((expected.absence == Absence.NONE).any(axis=1))
        begins = walk[1].loc[walk[1]["fold"] == 2, "timestamp"].min()

        assert market.hours[known[0]] == begins
        assert (expected.absence[: known[0]] == Absence.NO_FORECAST).all()

    def test_later_folds_change_nothing_earlier(self, walk, market):
        forecasts = walk[1]
        second = rows_of(forecasts, market, 2)
        everything = returns(forecasts, market)
        without = returns(forecasts.loc[forecasts["fold"] <= 2], market)
        other = forecasts.assign(
            probability=forecasts["probability"].where(
                forecasts["fold"] < 3, 1 - forecasts["probability"]
            )
        )

        assert np.isfinite(everything.expected_return[second]).all()
        assert same(everything, without, second)
        assert same(everything, returns(other, market), second)
        assert not same(
            everything, returns(other, market), rows_of(forecasts, market, 3)
        )

    @pytest.mark.parametrize(("hours_before", "is_known"), [(13, False), (14, True)])
    def test_an_outcome_counts_once_it_is_known(
        self, walk, market, hours_before, is_known
    ):
        """That of the row ``H + 1`` hours before a fold is its first open."""
        forecasts = walk[1]
        begins = forecasts.loc[forecasts["fold"] == 2, "timestamp"].min()
        age = (begins - forecasts["timestamp"]) / pd.Timedelta(hours=1)
        is_late = (forecasts["fold"] == 1) & (age <= hours_before)
        other = forecasts.assign(
            probability=forecasts["probability"].mask(is_late, 0.99)
        )
        second = rows_of(forecasts, market, 2)

        assert is_late.any()
        assert (
            same(returns(forecasts, market), returns(other, market), second)
            is not is_known
        )

    def test_candles_of_the_fold_itself_do_not_move_its_first_hour(self, walk, market):
        candles, forecasts = walk
        first = int(np.flatnonzero(rows_of(forecasts, market, 2))[0])
        begins = market.hours[first]
        is_early = candles["timestamp"] <= begins
        cut = market_of(candles.loc[is_early])
        early = forecasts.loc[forecasts["timestamp"] <= begins].copy()
        # Outcomes that lie behind the cut are not known there.
        hidden = early["timestamp"] > begins - pd.Timedelta(hours=13)
        early.loc[hidden, "forward_return"] = np.nan

        whole, short = returns(forecasts, market), returns(early, cut)
        assert same(whole, short, np.array([first]))
        assert np.isfinite(short.expected_return[first]).all()


class TestKnownValues:
    def test_a_fold_is_read_from_the_curves_of_its_past(self, walk, market):
        forecasts = walk[1]
        past = forecasts.loc[
            forecasts["timestamp"]
            < forecasts.loc[forecasts["fold"] == 3, "timestamp"].min()
            - pd.Timedelta(hours=13)
        ]
        curves = calibrate_return(record_of(past, market, unit_of(market)), SETTINGS)
        row = forecasts.loc[forecasts["fold"] == 3].iloc[100]
        hour = market.hours.get_loc(row["timestamp"])
        column = market.assets.index(row["asset"])
        sigma = unit_of(market)[hour, column]
        curve = curves.assets[row["asset"]]
        wanted = sigma * np.interp(row["probability"], curve.knots, curve.values)

        got = returns(forecasts, market)
        assert curves.kept_share > 0.5
        assert got.expected_return[hour, column] == pytest.approx(wanted)
        assert got.low[hour, column] == pytest.approx(wanted + sigma * curve.low)

    def test_a_record_counts_returns_in_units_of_the_moment(self, walk, market):
        forecasts = walk[1]
        record = record_of(forecasts, market, np.full(market.shape, 0.5))

        assert record.hour[0] == forecasts["timestamp"].iloc[0].timestamp() // 3600
        np.testing.assert_allclose(
            record.scaled_return, 2 * forecasts["forward_return"], rtol=1e-12
        )

    def test_a_row_without_unit_or_outcome_is_left_out(self, walk, market):
        unit = np.full(market.shape, 0.5)
        unit[:, market.assets.index("ETH")] = np.nan
        forecasts = walk[1].copy()
        forecasts.loc[:2, "forward_return"] = np.nan

        record = record_of(forecasts, market, unit)
        assert set(record.asset) == {"BTC", "SOL"}
        assert len(record.hour) == 2 * (len(forecasts) // 3 - 1)


class TestErrors:
    def test_a_single_fold_teaches_but_is_not_traded(self, walk, market):
        single = walk[1].loc[walk[1]["fold"] == 1]
        with pytest.raises(ValueError, match="walk 2 or more"):
            returns(single, market)

    def test_outcomes_of_other_candles_are_refused(self, walk, market):
        other = walk[1].assign(forward_return=walk[1]["forward_return"] + 0.001)
        with pytest.raises(ValueError, match="other candles, or another horizon"):
            returns(other, market)

    def test_forecasts_without_candles_are_refused(self, walk, market):
        strange = walk[1].assign(asset=walk[1]["asset"].replace("SOL", "DOGE"))
        with pytest.raises(ValueError, match="first of them DOGE at 2023-01-11"):
            returns(strange, market)
