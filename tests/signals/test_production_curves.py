"""The curves of production know the whole record, and nothing but the record."""

import numpy as np
import pytest

from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.calibrated_return import CalibrationSettings, calibrate_return
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.nested_calibration import record_of
from fleet_kedro.signals.production_curves import production_curves
from fleet_kedro.signals.volatility_ratio import trailing_volatility

CALIBRATION = CalibrationSettings(horizon_bars=12, rows_per_bin=50, prior_trades=20.0)
RULES = SignalSettings.model_validate({"threshold": {"volatility_bars": 168}})


@pytest.fixture(scope="module")
def walk(walk_with):
    return walk_with()


@pytest.fixture(scope="module")
def market(walk):
    return market_of(walk[0])


@pytest.fixture(scope="module")
def found(walk, market):
    return production_curves(walk[1], market, RULES, CALIBRATION)


class TestKnownValues:
    def test_they_are_those_of_all_forecasts_that_came_true(self, found, walk, market):
        unit = np.sqrt(12) * trailing_volatility(market.close, 168)
        record = record_of(walk[1], market, unit)

        assert found.calibrated == calibrate_return(record, CALIBRATION)
        assert found.rows == len(record.hour) == walk[1]["forward_return"].count()

    def test_weeks_are_counted_from_the_first_forecast(self, found, walk):
        span = walk[1]["timestamp"].max() - walk[1]["timestamp"].min()

        assert found.weeks == int(span / np.timedelta64(7, "D")) + 1

    def test_what_is_known_is_worth_something(self, found):
        assert 0.3 < found.calibrated.kept_share <= 1
        assert sorted(found.calibrated.assets) == ["BTC", "ETH", "SOL"]


class TestProperties:
    def test_a_forecast_that_has_not_come_true_does_not_count(
        self, found, walk, market
    ):
        last = walk[1]["timestamp"] >= walk[1]["timestamp"].max() - np.timedelta64(
            5, "h"
        )
        outcome = walk[1]["forward_return"].mask(last)
        unknown = walk[1].assign(forward_return=outcome)
        less = production_curves(unknown, market, RULES, CALIBRATION)
        without = production_curves(walk[1].loc[~last], market, RULES, CALIBRATION)

        assert less == without
        assert less.rows == found.rows - last.sum()


class TestErrors:
    def test_forecasts_of_other_candles_are_refused(self, walk, market):
        other = walk[1].assign(forward_return=walk[1]["forward_return"] + 0.01)

        with pytest.raises(ValueError, match="other candles"):
            production_curves(other, market, RULES, CALIBRATION)
