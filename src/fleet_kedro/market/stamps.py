"""Time stamps as files write them, read as UTC in microseconds."""

from typing import Literal

import numpy as np
import pandas as pd

# Magnitudes from which on a finer unit is meant: in each, 1973 to 5138 lie between.
_MILLI, _MICRO, _NANO = 1e11, 1e14, 1e17


def read_stamps(values: pd.Series) -> pd.Series:
    """Convert numbers, texts or datetimes into ``datetime64[us, UTC]``.

    Numbers count from 1970 in a unit that their median magnitude gives away, once for
    the whole series. Texts and datetimes without an offset are UTC.

    Raises
    ------
    ValueError
        If a value is missing or cannot be read.
    """
    if values.isna().any():
        raise ValueError("a stamp is missing")
    if pd.api.types.is_numeric_dtype(values):
        stamps = pd.to_datetime(values.astype("int64"), unit=_unit(values), utc=True)
    elif pd.api.types.is_datetime64_any_dtype(values):
        stamps = pd.to_datetime(values, utc=True)
    else:
        stamps = pd.to_datetime(values, utc=True, format="ISO8601")
    return stamps.dt.as_unit("us")


def _unit(values: pd.Series) -> Literal["s", "ms", "us", "ns"]:
    if values.empty:
        return "ms"
    magnitude = float(np.median(np.abs(values.to_numpy(dtype=np.float64))))
    if magnitude < _MILLI:
        return "s"
    if magnitude < _MICRO:
        return "ms"
    return "us" if magnitude < _NANO else "ns"
