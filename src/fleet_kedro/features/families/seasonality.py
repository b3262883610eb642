"""Seasonality: what the same hours brought on the days and in the weeks before.

All of it is past: "the next twelve hours" are those that followed this hour of the
clock yesterday, the day before, and so on, never those that follow now.
"""

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.families.comparison import market_yardstick
from fleet_kedro.features.families.levels import log_ratio
from fleet_kedro.features.rolling import Series, rolling_mean, rolling_sum, shift
from fleet_kedro.features.signal import formula

FAMILY = "seasonality"
DEVIATIONS = "standard deviations"
HESTON = "Heston, Korajczyk & Sadka 2010"
DAY_BARS = 24
WEEK_BARS = 168
HALF_DAY_BARS = 12
DAYS_OF_HISTORY = 7


@formula(
    family=FAMILY,
    text="Σ r of the next hour of the clock on each of the last w/24 days / "
    "(vol √(w/24))",
    unit=DEVIATIONS,
    source=HESTON,
    warmup=lambda w: w,
)
def same_hour_move(bars: Bars, window: int) -> Series:
    """Sum up the coming hour of the clock on the days before."""
    days = window // DAY_BARS
    moved = _sum_of_past(bars.log_return, 1, DAY_BARS, days)
    return moved / (bars.volatility(window) * np.sqrt(days))


@formula(
    family=FAMILY,
    text="Σ r of the next 12 hours of the clock on each of the last w/24 days / "
    "(vol √(w/2))",
    unit=DEVIATIONS,
    source=HESTON,
    warmup=lambda w: w,
)
def same_half_day_move(bars: Bars, window: int) -> Series:
    """Sum up the coming twelve hours of the clock on the days before."""
    days = window // DAY_BARS
    half_days = rolling_sum(bars.log_return, HALF_DAY_BARS)
    moved = _sum_of_past(half_days, HALF_DAY_BARS, DAY_BARS, days)
    return moved / (bars.volatility(window) * np.sqrt(days * HALF_DAY_BARS))


@formula(
    family=FAMILY,
    text="Σ r of the next 12 hours of the week in each of the last w/168 weeks / "
    "(vol √(w/14))",
    unit=DEVIATIONS,
    source=HESTON,
    warmup=lambda w: w,
)
def same_weekday_move(bars: Bars, window: int) -> Series:
    """Sum up the coming twelve hours of the week in the weeks before."""
    weeks = window // WEEK_BARS
    half_days = rolling_sum(bars.log_return, HALF_DAY_BARS)
    moved = _sum_of_past(half_days, HALF_DAY_BARS, WEEK_BARS, weeks)
    return moved / (bars.volatility(window) * np.sqrt(weeks * HALF_DAY_BARS))


@formula(
    family=FAMILY,
    text="Σ m of the next 12 hours of the clock on each of the last w/24 days / "
    "(vol_m √(w/2)), m = mean log return of the others",
    unit=DEVIATIONS,
    source=HESTON,
    warmup=lambda w: w - 1,
)
def market_same_half_day_move(bars: Bars, window: int) -> Series:
    """Sum up the market's coming twelve hours of the clock on the days before."""
    days = window // DAY_BARS
    market = bars.surroundings.market_log_return
    half_days = rolling_sum(market, HALF_DAY_BARS)
    moved = _sum_of_past(half_days, HALF_DAY_BARS, DAY_BARS, days)
    # Half of the window's hours are in the sum.
    return np.sqrt(2.0) * moved / market_yardstick(market, window)


@formula(
    family=FAMILY,
    text="ln(Σ V over w / mean Σ V over the same hours of the last 7 days)",
    unit="log ratio",
    source="Admati & Pfleiderer 1988, intraday patterns of volume",
    warmup=lambda w: DAYS_OF_HISTORY * DAY_BARS + w - 1,
)
def volume_surprise(bars: Bars, window: int) -> Series:
    """Volume beyond what this time of the day usually sees."""
    return _surprise(bars.relative_volume, window)


@formula(
    family=FAMILY,
    text="ln(Σ ln(H/L) over w / mean Σ ln(H/L) over the same hours of the last 7 days)",
    unit="log ratio",
    source="Andersen & Bollerslev 1997, intraday patterns of volatility",
    warmup=lambda w: DAYS_OF_HISTORY * DAY_BARS + w - 1,
)
def range_surprise(bars: Bars, window: int) -> Series:
    """Size of the candles beyond what this time of the day usually sees."""
    return _surprise(bars.log_range, window)


def _sum_of_past(values: Series, ahead: int, period: int, count: int) -> Series:
    """Sum of ``values`` at ``t + ahead - k period`` for k = 1 … count; all are past."""
    total = np.zeros(values.shape)
    for periods_ago in range(1, count + 1):
        total += shift(values, periods_ago * period - ahead)
    return total


def _surprise(values: Series, window: int) -> Series:
    recent = rolling_mean(values, window)
    usual = _sum_of_past(recent, 0, DAY_BARS, DAYS_OF_HISTORY) / DAYS_OF_HISTORY
    return log_ratio(recent, usual)
