"""Autocorrelation: what the last move says about the next one."""

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.families.levels import log_ratio
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_correlation,
    rolling_mean,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import Formula, formula

FAMILY = "autocorrelation"
CORRELATION = "correlation, -1 … 1"
LONG_RETURN_BARS = 5
DAY_LONG_RETURN_BARS = 21


@formula(
    family=FAMILY,
    text="correlation of r[t] and r[t-1], w pairs",
    unit=CORRELATION,
    warmup=lambda w: w + 1,
    bounded=True,
)
def return_autocorrelation(bars: Bars, window: int) -> Series:
    """Do moves continue or turn back after one bar."""
    return rolling_correlation(bars.log_return, shift(bars.log_return, 1), window)


@formula(
    family=FAMILY,
    text="correlation of |r[t]| and |r[t-1]|, w pairs",
    unit=CORRELATION,
    source="Ding, Granger & Engle 1993",
    warmup=lambda w: w + 1,
    bounded=True,
)
def size_autocorrelation(bars: Bars, window: int) -> Series:
    """Do large moves follow large moves."""
    size = np.abs(bars.log_return)
    return rolling_correlation(size, shift(size, 1), window)


@formula(
    family=FAMILY,
    text="correlation of |r[t]| and r[t-1], w pairs",
    unit=CORRELATION,
    source="Black 1976; Bouchaud, Matacz & Potters 2001",
    warmup=lambda w: w + 1,
    bounded=True,
)
def leverage(bars: Bars, window: int) -> Series:
    """Do large moves follow falls (negative) or rises (positive)."""
    return rolling_correlation(
        np.abs(bars.log_return), shift(bars.log_return, 1), window
    )


@formula(
    family=FAMILY,
    text="ln(Σ (5-bar r)² / (5 Σ r²)) over w, 0 if flat",
    unit="log ratio",
    source="Lo & MacKinlay 1988, overlapping, about zero",
    warmup=lambda w: w + LONG_RETURN_BARS - 1,
)
def variance_ratio(bars: Bars, window: int) -> Series:
    """Variance of long returns over that of short ones; 0 for a random walk."""
    long_return = bars.log_close - shift(bars.log_close, LONG_RETURN_BARS)
    return log_ratio(
        rolling_sum(long_return**2, window),
        LONG_RETURN_BARS * rolling_sum(bars.log_return**2, window),
    )


@formula(
    family=FAMILY,
    text="mean sign(r[t] r[t-1]) over w pairs",
    unit="share, -1 … 1",
    source="Cowles & Jones 1937",
    warmup=lambda w: w + 1,
    bounded=True,
)
def sign_persistence(bars: Bars, window: int) -> Series:
    """Share of moves that keep their direction minus share that reverse it."""
    direction = np.sign(bars.log_return)
    return rolling_mean(direction * shift(direction, 1), window)


@formula(
    family=FAMILY,
    text="ln(Σ (21-bar r)² / (21 Σ r²)) over w, 0 if flat",
    unit="log ratio",
    source="Lo & MacKinlay 1988, overlapping, about zero",
    warmup=lambda w: w + DAY_LONG_RETURN_BARS - 1,
)
def long_variance_ratio(bars: Bars, window: int) -> Series:
    """Whether moves add up or cancel over most of a day; 0 for a random walk."""
    long_return = bars.log_close - shift(bars.log_close, DAY_LONG_RETURN_BARS)
    return log_ratio(
        rolling_sum(long_return**2, window),
        DAY_LONG_RETURN_BARS * rolling_sum(bars.log_return**2, window),
    )


@formula(
    family=FAMILY,
    text="Σ (r[t]² r[t-1] - r[t] r[t-1]²) / Σ |r|³ over w, 0 if flat",
    unit="ratio",
    source="Ramsey & Rothman 1996, time irreversibility",
    warmup=lambda w: w + 1,
)
def time_irreversibility(bars: Bars, window: int) -> Series:
    """Whether sharp moves follow slow ones or slow ones follow sharp ones."""
    now, before = bars.log_return, shift(bars.log_return, 1)
    lopsided = rolling_sum(now * before * (now - before), window)
    return ratio_or(lopsided, rolling_sum(np.abs(now) ** 3, window))


def _at_lag(lag: int) -> Formula:
    """Declare the autocorrelation of returns at one lag."""

    def compute(bars: Bars, window: int) -> Series:
        return rolling_correlation(bars.log_return, shift(bars.log_return, lag), window)

    compute.__name__ = f"autocorrelation_lag_{lag}"
    return formula(
        family=FAMILY,
        text=f"correlation of r[t] and r[t-{lag}], w pairs",
        unit=CORRELATION,
        warmup=lambda w: w + lag,
        bounded=True,
    )(compute)


autocorrelation_lag_2 = _at_lag(2)
autocorrelation_lag_3 = _at_lag(3)
autocorrelation_lag_24 = _at_lag(24)
