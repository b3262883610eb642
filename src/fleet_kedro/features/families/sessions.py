"""Sessions: the move since the day, the week, the funding or the weekend began (UTC).

An anchor that lies before the segment is replaced by the first bar of the segment.
"""

import numpy as np
import pandas as pd

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.calendar import (
    FUNDING_HOURS,
    HOURS_A_DAY,
    HOURS_A_WEEK,
    hour_of_week,
)
from fleet_kedro.features.rolling import Series, ratio_or
from fleet_kedro.features.signal import formula
from fleet_kedro.features.timeframes import closed_bars, on_base_bars

FAMILY = "sessions"
DEVIATIONS = "standard deviations"
# The futures exchange of Chicago closes on Friday at 16:00 local time, in UTC 21:00 or
# 22:00; the earlier one is taken all year.
FRIDAY_CLOSE_HOUR = 117


@formula(
    family=FAMILY,
    text="ln(C / O of 00:00 UTC) / (vol √hours since)",
    unit=DEVIATIONS,
    warmup=lambda _: scaled_warmup(1),
)
def day_to_date(bars: Bars) -> Series:
    """Move since midnight."""
    return _move_since(bars, _session_start(bars, HOURS_A_DAY))


@formula(
    family=FAMILY,
    text="ln(C / O of Monday 00:00 UTC) / (vol √hours since)",
    unit=DEVIATIONS,
    warmup=lambda _: scaled_warmup(1),
)
def week_to_date(bars: Bars) -> Series:
    """Move since Monday began."""
    return _move_since(bars, _session_start(bars, HOURS_A_WEEK))


@formula(
    family=FAMILY,
    text="ln(C / O of 00:00, 08:00 or 16:00 UTC) / (vol √hours since)",
    unit=DEVIATIONS,
    source="funding of perpetual futures is paid every eight hours",
    warmup=lambda _: scaled_warmup(1),
)
def funding_to_date(bars: Bars) -> Series:
    """Move since the last funding payment."""
    return _move_since(bars, _session_start(bars, FUNDING_HOURS))


@formula(
    family=FAMILY,
    text="ln(C / O of Friday 21:00 UTC) / (vol √hours since)",
    unit=DEVIATIONS,
    source="futures in Chicago rest over the weekend",
    warmup=lambda _: scaled_warmup(1),
)
def friday_distance(bars: Bars) -> Series:
    """Move since the futures of Chicago closed for the last weekend."""
    return _move_since(bars, _session_start(bars, HOURS_A_WEEK, FRIDAY_CLOSE_HOUR))


@formula(
    family=FAMILY,
    text="2 (C - min L) / (max H - min L) - 1 since 00:00 UTC, 0 if flat",
    unit="position, -1 (low) … 1 (high)",
    warmup=lambda _: 0,
    bounded=True,
)
def day_position(bars: Bars) -> Series:
    """Close in the range of the day so far."""
    start = _session_start(bars, HOURS_A_DAY)
    top = pd.Series(bars.relative_high).groupby(start).cummax().to_numpy()
    bottom = pd.Series(bars.relative_low).groupby(start).cummin().to_numpy()
    share = ratio_or(bars.relative_close - bottom, top - bottom, neutral=0.5)
    return 2.0 * share - 1.0


@formula(
    family=FAMILY,
    text="2 (C - L) / (H - L) - 1, H and L of the last closed day; 0 if flat",
    unit="position, -1 (its low) … 1 (its high)",
    source="floor traders' pivots, Person 2004",
    warmup=lambda _: HOURS_A_DAY - 1,
)
def previous_day_position(bars: Bars) -> Series:
    """Close in, above or below the range of the last closed day."""
    day = closed_bars(bars, HOURS_A_DAY)
    top = on_base_bars(day.high / bars.price_unit, bars, HOURS_A_DAY)
    bottom = on_base_bars(day.low / bars.price_unit, bars, HOURS_A_DAY)
    share = ratio_or(bars.relative_close - bottom, top - bottom, neutral=0.5)
    return 2.0 * share - 1.0


@formula(
    family=FAMILY,
    text="ln(C / VWAP since 00:00 UTC) / (vol √(hours since / 3)), 0 if untraded",
    unit=DEVIATIONS,
    source="Berkowitz, Logue & Noser 1988",
    warmup=lambda _: scaled_warmup(1),
)
def day_vwap_distance(bars: Bars) -> Series:
    """Distance from the average price that the day has paid so far."""
    start = _session_start(bars, HOURS_A_DAY)
    paid = pd.Series(bars.typical_price * bars.relative_volume).groupby(start).cumsum()
    traded = pd.Series(bars.relative_volume).groupby(start).cumsum().to_numpy()
    average = ratio_or(paid.to_numpy(), traded)
    average = np.where(traded == 0.0, bars.relative_close, average)
    yardstick = bars.volatility(1) * np.sqrt(_hours_since(start) / 3.0)
    return (bars.log_close - np.log(average)) / yardstick


def _session_start(bars: Bars, period_hours: int, hour: int = 0) -> np.ndarray:
    """Row of the latest bar that opened at ``hour`` of the period; 0 before the first.

    Periods divide the week, which begins on Monday at 00:00 UTC.
    """
    opens = (hour_of_week(bars) - hour) % period_hours == 0
    return np.maximum.accumulate(np.where(opens, np.arange(len(bars)), 0))


def _hours_since(start: np.ndarray) -> np.ndarray:
    return np.arange(len(start)) - start + 1


def _move_since(bars: Bars, start: np.ndarray) -> Series:
    moved = bars.log_close - np.log(bars.relative_open)[start]
    return moved / (bars.volatility(1) * np.sqrt(_hours_since(start)))
