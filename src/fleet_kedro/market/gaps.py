"""What becomes of missing hours: short gaps are bridged, longer ones split a series."""

import numpy as np
import pandas as pd
from jaxtyping import Int
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.schema import BAR

BAR_MICROSECONDS = BAR // pd.Timedelta(microseconds=1)


class GapPolicy(Config):
    """How many missing hours in a row may be bridged; zero bridges none."""

    max_filled_hours: int = Field(default=6, ge=0)


def bridge_gaps(candles: pd.DataFrame, policy: GapPolicy) -> pd.DataFrame:
    """Fill short gaps with flat candles and number the stretches between long ones.

    A bridging candle opens, peaks, bottoms and closes at the close before the gap and
    has no volume. It is known at its own close like any other: nothing from behind the
    gap enters it, but that the gap turned out short enough is learnt at the gap's end.

    Parameters
    ----------
    candles
        One asset's sound candles, strictly increasing on the hour, at least one.

    Returns
    -------
    pandas.DataFrame
        The same columns, and ``is_filled`` (bool), ``segment`` (int32, from zero).
    """
    missing = missing_hours(candles["timestamp"])
    is_border = missing > policy.max_filled_hours
    # Each candle is repeated once for every hour that it has to stand in for.
    copies = 1 + np.append(np.where(is_border, 0, missing), 0)
    source = np.repeat(np.arange(len(candles)), copies)
    hours_late = np.arange(len(source)) - np.repeat(np.cumsum(copies) - copies, copies)
    is_filled = hours_late > 0
    segment = np.append(0, np.cumsum(is_border)).astype(np.int32)

    repeated = candles.take(source).reset_index(drop=True)
    flat = {
        name: repeated[name].mask(is_filled, repeated["close"])
        for name in ("open", "high", "low")
    }
    return repeated.assign(
        timestamp=repeated["timestamp"] + pd.to_timedelta(hours_late, unit="h"),
        **flat,
        volume=repeated["volume"].mask(is_filled, 0.0),
        is_filled=is_filled,
        segment=segment[source],
    )


def missing_hours(timestamp: pd.Series) -> Int[np.ndarray, " gaps"]:
    """Count the hours missing between each candle and the next, mostly zero."""
    microseconds = timestamp.astype("int64").to_numpy()
    return np.asarray(np.diff(microseconds) // BAR_MICROSECONDS - 1)
