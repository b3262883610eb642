"""Volatility: how much the price moves, from closes and from whole candles.

Levels are logarithms of volatility per bar over 1 %, so 0 is one percent an hour; no
level is lower than one basis point, which is what a flat window gives.
"""

import numpy as np
import talib

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.families.levels import log_level
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_mean,
    rolling_mean_and_squares,
    rolling_root_mean_square,
    rolling_slope,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "volatility"
LEVEL = "log of volatility per bar over 1 %"
LONG_WINDOWS = 3


@formula(
    family=FAMILY,
    text="ln(√(mean r²) / 1 %) over w",
    unit=LEVEL,
    warmup=lambda w: w,
)
def close_volatility(bars: Bars, window: int) -> Series:
    """Root mean square of close-to-close log returns."""
    return log_level(rolling_root_mean_square(bars.log_return, window))


@formula(
    family=FAMILY,
    text="ln(√(mean ln(H/L)² / (4 ln 2)) / 1 %) over w",
    unit=LEVEL,
    source="Parkinson 1980",
    warmup=lambda w: w - 1,
)
def parkinson_volatility(bars: Bars, window: int) -> Series:
    """Volatility from the ranges of the candles."""
    return log_level(_parkinson(bars, window))


@formula(
    family=FAMILY,
    text="ln(√(mean (½ ln(H/L)² - (2 ln 2 - 1) ln(C/O)²)) / 1 %) over w",
    unit=LEVEL,
    source="Garman & Klass 1980",
    warmup=lambda w: w - 1,
)
def garman_klass_volatility(bars: Bars, window: int) -> Series:
    """Volatility from ranges and bodies."""
    variance = 0.5 * bars.log_range**2 - (2.0 * np.log(2.0) - 1.0) * bars.log_body**2
    return log_level(np.sqrt(rolling_mean(variance, window)))


@formula(
    family=FAMILY,
    text="ln(√(mean (ln(H/C) ln(H/O) + ln(L/C) ln(L/O))) / 1 %) over w",
    unit=LEVEL,
    source="Rogers & Satchell 1991",
    warmup=lambda w: w - 1,
)
def rogers_satchell_volatility(bars: Bars, window: int) -> Series:
    """Volatility from whole candles, unbiased under a drift."""
    return log_level(np.sqrt(rolling_mean(_rogers_satchell_variance(bars), window)))


@formula(
    family=FAMILY,
    text="ln(√(var ln(O/C[-1]) + k var ln(C/O) + (1 - k) RS²) / 1 %) over w, "
    "k = 0.34 / (1.34 + (w + 1) / (w - 1))",
    unit=LEVEL,
    source="Yang & Zhang 2000",
    warmup=lambda w: w,
)
def yang_zhang_volatility(bars: Bars, window: int) -> Series:
    """Volatility with jumps between candles, unbiased under a drift."""
    between = np.log(bars.relative_open) - shift(bars.log_close, 1)
    _, jumps = rolling_mean_and_squares(between, window)
    _, bodies = rolling_mean_and_squares(bars.log_body, window)
    inside = rolling_mean(_rogers_satchell_variance(bars), window)
    k = 0.34 / (1.34 + (window + 1) / (window - 1))
    variance = (jumps + k * bodies) / (window - 1) + (1.0 - k) * inside
    return log_level(np.sqrt(variance))


@formula(
    family=FAMILY,
    text="ln(ATR(w) / C / 1 %)",
    unit=LEVEL,
    source="Wilder 1978; TA-Lib NATR",
    warmup=lambda w: w,
)
def true_range(bars: Bars, window: int) -> Series:
    """Average true range over the close."""
    percent: Series = talib.NATR(
        bars.relative_high, bars.relative_low, bars.relative_close, window
    )
    return log_level(percent / 100.0)


@formula(
    family=FAMILY,
    text="ln(rms r over w / rms r over 3w)",
    unit="log ratio",
    warmup=lambda w: LONG_WINDOWS * w,
)
def volatility_ratio(bars: Bars, window: int) -> Series:
    """Volatility of the window over that of a window three times as long."""
    recent = rolling_root_mean_square(bars.log_return, window)
    usual = rolling_root_mean_square(bars.log_return, LONG_WINDOWS * window)
    return log_level(recent) - log_level(usual)


@formula(
    family=FAMILY,
    text="ln(Parkinson over w / rms r over w)",
    unit="log ratio",
    warmup=lambda w: w,
)
def range_excess(bars: Bars, window: int) -> Series:
    """Volatility inside the candles over volatility between their closes."""
    between = rolling_root_mean_square(bars.log_return, window)
    return log_level(_parkinson(bars, window)) - log_level(between)


@formula(
    family=FAMILY,
    text="(Σ r² of rises - Σ r² of falls) / Σ r² over w, 0 if flat",
    unit="share, -1 … 1",
    source="Barndorff-Nielsen, Kinnebrock & Shephard 2010",
    warmup=lambda w: w,
    bounded=True,
)
def semivariance_balance(bars: Bars, window: int) -> Series:
    """Upward minus downward share of the squared returns."""
    squared = bars.log_return**2
    signed = rolling_sum(np.sign(bars.log_return) * squared, window)
    share = ratio_or(signed, rolling_sum(squared, window))
    return np.asarray(np.clip(share, -1.0, 1.0))


@formula(
    family=FAMILY,
    text="1 - (π/2) w/(w-1) Σ |r[i] r[i-1]| / Σ r² over w, held in 0 … 1; 0 if flat",
    unit="share, 0 … 1",
    source="Barndorff-Nielsen & Shephard 2004",
    warmup=lambda w: w,
    bounded=True,
)
def jump_share(bars: Bars, window: int) -> Series:
    """Share of the variance that single jumps made (bipower variation)."""
    size = np.abs(bars.log_return)
    neighbours = rolling_sum(size * shift(size, 1), window - 1)
    continuous = 0.5 * np.pi * window / (window - 1) * neighbours
    total = rolling_sum(size * size, window)
    return np.asarray(np.clip(1.0 - ratio_or(continuous, total, 1.0), 0.0, 1.0))


@formula(
    family=FAMILY,
    text="standard deviation of |r| / mean |r| over w, 0 if flat",
    unit="ratio",
    warmup=lambda w: w,
)
def volatility_of_volatility(bars: Bars, window: int) -> Series:
    """How unevenly the moves of the window are sized; 0.76 for Gaussian returns."""
    mean, squares = rolling_mean_and_squares(np.abs(bars.log_return), window)
    return ratio_or(np.sqrt(squares / window), mean)


@formula(
    family=FAMILY,
    text="sign(slope) · R² of ln(H/L) against time over w",
    unit="share, -1 … 1",
    warmup=lambda w: w - 1,
    bounded=True,
)
def range_trend(bars: Bars, window: int) -> Series:
    """How steadily the candles grow or shrink."""
    _, share = rolling_slope(bars.log_range, window)
    return share


def _parkinson(bars: Bars, window: int) -> Series:
    return rolling_root_mean_square(bars.log_range, window) / np.sqrt(4.0 * np.log(2.0))


def _rogers_satchell_variance(bars: Bars) -> Series:
    """Per-candle variance; not negative, since high and low enclose the body."""
    up = np.log(bars.high / bars.close) * np.log(bars.high / bars.open)
    down = np.log(bars.low / bars.close) * np.log(bars.low / bars.open)
    return np.asarray(up + down)
