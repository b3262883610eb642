"""What the brain's probabilities are worth tomorrow: curves from the whole record.

The curves of `fleet_kedro.signals.nested_calibration` know earlier folds only, so that
a backtest may use them. Tomorrow's know every forecast of the walk that has come true:
all of them were made out of sample, and all of them lie behind us.
"""

from typing import NamedTuple

import pandas as pd

from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.calibrated_return import (
    CalibratedReturn,
    CalibrationSettings,
    Record,
    calibrate_return,
)
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.nested_calibration import record_of, refuse_other_candles
from fleet_kedro.signals.walked_history import market_volatility, move_unit

_HOURS_PER_WEEK = 168


class ProductionCurves(NamedTuple):
    """Curves, and how long a record they were learnt from.

    Attributes
    ----------
    rows
        Forecasts whose outcome and unit are known.
    weeks
        Those that hold at least one of them, counted from the first.
    """

    calibrated: CalibratedReturn
    rows: int
    weeks: int


def production_curves(
    forecasts: pd.DataFrame,
    market: Market,
    settings: SignalSettings,
    calibration: CalibrationSettings,
) -> ProductionCurves:
    """Fit the curves on all out-of-sample forecasts whose outcome is known.

    Parameters
    ----------
    forecasts
        As a walk of the brain leaves them.
    market
        The candles that the forecasts were made from.

    Raises
    ------
    ValueError
        If the forecasts do not go with the candles, or the record is too short.
    """
    refuse_other_candles(forecasts, market, calibration.horizon_bars)
    volatility = market_volatility(market, settings)
    unit = move_unit(volatility, calibration.horizon_bars)
    record = record_of(forecasts, market, unit)
    return ProductionCurves(
        calibrate_return(record, calibration), len(record.hour), _weeks(record)
    )


def _weeks(record: Record) -> int:
    since = record.hour - record.hour.min()
    return len(set((since // _HOURS_PER_WEEK).tolist()))
