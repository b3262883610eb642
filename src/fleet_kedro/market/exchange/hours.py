"""Whole hours since 1970, UTC: what candles are counted in."""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from fleet_kedro.market.epoch import EPOCH
from fleet_kedro.market.schema import BAR

MICROSECONDS = 3_600_000_000
MILLISECONDS = 3_600_000

Hours = Int64[np.ndarray, " _"]


def hours_of(timestamp: pd.Series | pd.DatetimeIndex) -> Hours:
    """Return the hours of the stamps that lie on one, in the order given."""
    return whole_hours(np.asarray(timestamp.astype("int64"), dtype=np.int64))


def whole_hours(microseconds: Hours) -> Hours:
    """Return the hours of the stamps, in microseconds since 1970, that lie on one."""
    return microseconds[microseconds % MICROSECONDS == 0] // MICROSECONDS


def hour_of(moment: pd.Timestamp) -> int:
    """Return the hour that a moment lies in."""
    return int((moment - EPOCH) // BAR)


def moment_of(hour: int) -> pd.Timestamp:
    """Return the beginning of an hour."""
    return EPOCH + int(hour) * BAR


def runs(hours: Hours) -> list[tuple[int, int]]:
    """Return first and last hour of each unbroken run of sorted hours."""
    if len(hours) == 0:
        return []
    breaks = np.flatnonzero(np.diff(hours) > 1)
    firsts = hours[np.append(0, breaks + 1)]
    lasts = hours[np.append(breaks, len(hours) - 1)]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
