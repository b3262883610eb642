"""Hours and days as numbers: whole ones since the beginning of 1970, UTC."""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from fleet_kedro.market.schema import BAR

EPOCH = pd.Timestamp(0, tz="UTC").as_unit("us")
DAY = pd.Timedelta(days=1)


def hours_since_epoch(
    timestamp: pd.Series | pd.DatetimeIndex,
) -> Int64[np.ndarray, " rows"]:
    """Return the hour that each stamp, aware of its zone, lies in."""
    return _whole(timestamp, BAR)


def days_since_epoch(
    timestamp: pd.Series | pd.DatetimeIndex,
) -> Int64[np.ndarray, " rows"]:
    """Return the day (UTC) that each stamp, aware of its zone, lies in."""
    return _whole(timestamp, DAY)


def _whole(
    timestamp: pd.Series | pd.DatetimeIndex, unit: pd.Timedelta
) -> Int64[np.ndarray, " rows"]:
    return np.asarray((timestamp - EPOCH) // unit, dtype=np.int64)
