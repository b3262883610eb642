"""Calendar: where the hour lies in the day, the week and the funding cycle, in UTC.

A cycle is a pair, sine and cosine of the open time's phase, so that the end of a cycle
lies beside its beginning.
"""

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.rolling import Series
from fleet_kedro.features.signal import formula

FAMILY = "calendar"
PHASE = "phase, -1 … 1"
HOURS_A_DAY = 24
HOURS_A_WEEK = 168
FUNDING_HOURS = 8
# 1970-01-01 was a Thursday, three days after the Monday that begins its week.
EPOCH_HOUR_OF_WEEK = 72
SATURDAY_HOUR = 120
NEW_YORK_HOURS = (14, 21)


@formula(
    family=FAMILY,
    text="sin(2π hour / 24)",
    unit=PHASE,
    warmup=lambda _: 0,
    bounded=True,
)
def hour_sine(bars: Bars) -> Series:
    """Hour of the day."""
    return np.asarray(np.sin(_phase(bars, HOURS_A_DAY)))


@formula(
    family=FAMILY,
    text="cos(2π hour / 24)",
    unit=PHASE,
    warmup=lambda _: 0,
    bounded=True,
)
def hour_cosine(bars: Bars) -> Series:
    """Hour of the day."""
    return np.asarray(np.cos(_phase(bars, HOURS_A_DAY)))


@formula(
    family=FAMILY,
    text="sin(2π hours since Monday / 168)",
    unit=PHASE,
    warmup=lambda _: 0,
    bounded=True,
)
def weekday_sine(bars: Bars) -> Series:
    """Hour of the week."""
    return np.asarray(np.sin(_phase(bars, HOURS_A_WEEK)))


@formula(
    family=FAMILY,
    text="cos(2π hours since Monday / 168)",
    unit=PHASE,
    warmup=lambda _: 0,
    bounded=True,
)
def weekday_cosine(bars: Bars) -> Series:
    """Hour of the week."""
    return np.asarray(np.cos(_phase(bars, HOURS_A_WEEK)))


@formula(
    family=FAMILY,
    text="sin(2π hour / 8)",
    unit=PHASE,
    source="funding of perpetual futures is paid every eight hours",
    warmup=lambda _: 0,
    bounded=True,
)
def funding_sine(bars: Bars) -> Series:
    """Place between two funding payments."""
    return np.asarray(np.sin(_phase(bars, FUNDING_HOURS)))


@formula(
    family=FAMILY,
    text="cos(2π hour / 8)",
    unit=PHASE,
    source="funding of perpetual futures is paid every eight hours",
    warmup=lambda _: 0,
    bounded=True,
)
def funding_cosine(bars: Bars) -> Series:
    """Place between two funding payments."""
    return np.asarray(np.cos(_phase(bars, FUNDING_HOURS)))


@formula(
    family=FAMILY,
    text="1 on Saturday and Sunday, else 0",
    unit="0 or 1",
    warmup=lambda _: 0,
    is_flag=True,
)
def weekend(bars: Bars) -> Series:
    """Mark the days on which banks and stock exchanges rest."""
    return (hour_of_week(bars) >= SATURDAY_HOUR).astype(np.float64)


@formula(
    family=FAMILY,
    text="sin(2π hour / 12)",
    unit=PHASE,
    warmup=lambda _: 0,
    bounded=True,
)
def half_day_sine(bars: Bars) -> Series:
    """Second harmonic of the day."""
    return np.asarray(np.sin(_phase(bars, HOURS_A_DAY // 2)))


@formula(
    family=FAMILY,
    text="cos(2π hour / 12)",
    unit=PHASE,
    warmup=lambda _: 0,
    bounded=True,
)
def half_day_cosine(bars: Bars) -> Series:
    """Second harmonic of the day."""
    return np.asarray(np.cos(_phase(bars, HOURS_A_DAY // 2)))


@formula(
    family=FAMILY,
    text="sin(2π (day of month - 1 + hour / 24) / days of the month)",
    unit=PHASE,
    source="Ariel 1987, turn of the month",
    warmup=lambda _: 0,
    bounded=True,
)
def month_sine(bars: Bars) -> Series:
    """Place in the month."""
    return np.asarray(np.sin(_phase_of_month(bars)))


@formula(
    family=FAMILY,
    text="cos(2π (day of month - 1 + hour / 24) / days of the month)",
    unit=PHASE,
    source="Ariel 1987, turn of the month",
    warmup=lambda _: 0,
    bounded=True,
)
def month_cosine(bars: Bars) -> Series:
    """Place in the month."""
    return np.asarray(np.cos(_phase_of_month(bars)))


@formula(
    family=FAMILY,
    text="1 from Monday to Friday, 14:00 to 20:59 UTC, else 0",
    unit="0 or 1",
    source="hours of the New York exchanges, winter and summer",
    warmup=lambda _: 0,
    is_flag=True,
)
def new_york_session(bars: Bars) -> Series:
    """Mark the hours in which American stocks trade."""
    hour = hour_of_week(bars)
    opens, closes = NEW_YORK_HOURS
    is_open = (hour % HOURS_A_DAY >= opens) & (hour % HOURS_A_DAY < closes)
    return (is_open & (hour < SATURDAY_HOUR)).astype(np.float64)


def hour_of_week(bars: Bars) -> np.ndarray:
    """Whole hours since Monday 00:00 UTC, 0 … 167."""
    hours = (bars.timestamp - np.datetime64(0, "us")) // np.timedelta64(1, "h")
    return np.asarray((hours + EPOCH_HOUR_OF_WEEK) % HOURS_A_WEEK)


def _phase(bars: Bars, period_hours: int) -> Series:
    # Every period divides the week, so the hour of the week carries all of them.
    return 2.0 * np.pi * (hour_of_week(bars) % period_hours) / period_hours


def _phase_of_month(bars: Bars) -> Series:
    month = bars.timestamp.astype("datetime64[M]")
    length = (month + 1).astype("datetime64[us]") - month.astype("datetime64[us]")
    return np.asarray(2.0 * np.pi * ((bars.timestamp - month) / length))
