"""Trend: where the price stands against its own average course."""

import numpy as np
import talib

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.rolling import (
    Series,
    rolling_max,
    rolling_mean,
    rolling_min,
    rolling_slope,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "trend"
DEVIATIONS = "standard deviations"
HORIZONS = (3, 5, 8, 13, 21, 34, 55, 89, 144, 233)
WILDER = "Wilder 1978, New Concepts in Technical Trading Systems"


@formula(
    family=FAMILY,
    text="(ln C - mean ln C over w) / (vol √(w/3))",
    unit=DEVIATIONS,
    warmup=scaled_warmup,
)
def average_distance(bars: Bars, window: int) -> Series:
    """Distance of log close from its simple average.

    A random walk lies √(w/3) deviations from the average of its last w values.
    """
    distance = bars.log_close - rolling_mean(bars.log_close, window)
    return distance / (bars.volatility(window) * np.sqrt(window / 3.0))


@formula(
    family=FAMILY,
    text="least-squares slope of ln C over w, * √w / vol",
    unit=DEVIATIONS,
    warmup=scaled_warmup,
)
def slope(bars: Bars, window: int) -> Series:
    """Slope of log close against time."""
    per_bar, _ = rolling_slope(bars.log_close, window)
    return per_bar * np.sqrt(window) / bars.volatility(window)


@formula(
    family=FAMILY,
    text="sign(slope) · R² of ln C against time over w, 0 if flat",
    unit="share, -1 … 1",
    warmup=lambda w: w - 1,
    bounded=True,
)
def straightness(bars: Bars, window: int) -> Series:
    """Share of the variance of log close that a straight line explains, signed."""
    _, share = rolling_slope(bars.log_close, window)
    return share


@formula(
    family=FAMILY,
    text="2 (EMA(ln C, w) - EMA(ln C, 2w)) / (vol √w)",
    unit=DEVIATIONS,
    source="Appel 2005, Technical Analysis, ch. 8; averages by TA-Lib",
    warmup=lambda w: scaled_warmup(2 * w - 1),
)
def macd(bars: Bars, window: int) -> Series:
    """Fast minus slow exponential average of log close."""
    fast: Series = talib.EMA(bars.log_close, window)
    slow: Series = talib.EMA(bars.log_close, 2 * window)
    return 2.0 * (fast - slow) / (bars.volatility(window) * np.sqrt(window))


@formula(
    family=FAMILY,
    text="ln(C / KAMA(w)) / (vol √w)",
    unit=DEVIATIONS,
    source="Kaufman 1995, Smarter Trading, ch. 8; TA-Lib KAMA",
    warmup=scaled_warmup,
)
def adaptive_average_distance(bars: Bars, window: int) -> Series:
    """Distance from an average that hurries in trends and waits in noise."""
    average: Series = talib.KAMA(bars.relative_close, window)
    distance = bars.log_close - np.log(average)
    return distance / (bars.volatility(window) * np.sqrt(window))


@formula(
    family=FAMILY,
    text="ADX(w) / 100",
    unit="share, 0 … 1",
    source=f"{WILDER}; TA-Lib ADX",
    warmup=lambda w: 2 * w - 1,
    bounded=True,
)
def adx(bars: Bars, window: int) -> Series:
    """Strength of the trend, whichever its direction."""
    index: Series = talib.ADX(
        bars.relative_high, bars.relative_low, bars.relative_close, window
    )
    return index / 100.0


@formula(
    family=FAMILY,
    text="(+DI(w) - -DI(w)) / 100",
    unit="share, -1 … 1",
    source=f"{WILDER}; TA-Lib PLUS_DI, MINUS_DI",
    warmup=lambda w: w,
    bounded=True,
)
def directional_balance(bars: Bars, window: int) -> Series:
    """Upward minus downward directional movement."""
    candles = (bars.relative_high, bars.relative_low, bars.relative_close)
    up: Series = talib.PLUS_DI(*candles, window)
    down: Series = talib.MINUS_DI(*candles, window)
    return (up - down) / 100.0


@formula(
    family=FAMILY,
    text="(bars since the low - bars since the high over w) / w",
    unit="share, -1 … 1",
    source="Chande 1995, Aroon; TA-Lib AROONOSC",
    warmup=lambda w: w,
    bounded=True,
)
def aroon(bars: Bars, window: int) -> Series:
    """Whether the high or the low of the window is the fresher one."""
    oscillator: Series = talib.AROONOSC(bars.relative_high, bars.relative_low, window)
    return oscillator / 100.0


@formula(
    family=FAMILY,
    text="1 if C exceeds every close of the w bars before, else 0",
    unit="0 or 1",
    source="Donchian channel, on closes",
    warmup=lambda w: w,
    is_flag=True,
)
def new_high(bars: Bars, window: int) -> Series:
    """Mark a close above all closes of the window before it."""
    before = shift(rolling_max(bars.close, window), 1)
    return np.where(np.isnan(before), np.nan, bars.close > before)


@formula(
    family=FAMILY,
    text="1 if C is below every close of the w bars before, else 0",
    unit="0 or 1",
    source="Donchian channel, on closes",
    warmup=lambda w: w,
    is_flag=True,
)
def new_low(bars: Bars, window: int) -> Series:
    """Mark a close below all closes of the window before it."""
    before = shift(rolling_min(bars.close, window), 1)
    return np.where(np.isnan(before), np.nan, bars.close < before)


@formula(
    family=FAMILY,
    text="bars since the high over w / w",
    unit="share, 0 (now) … 1",
    source="Chande 1995, Aroon; TA-Lib AROON",
    warmup=lambda w: w,
    bounded=True,
)
def high_age(bars: Bars, window: int) -> Series:
    """How long ago the high of the window was."""
    _, freshness = talib.AROON(bars.relative_high, bars.relative_low, window)
    return np.asarray(1.0 - freshness / 100.0)


@formula(
    family=FAMILY,
    text="bars since the low over w / w",
    unit="share, 0 (now) … 1",
    source="Chande 1995, Aroon; TA-Lib AROON",
    warmup=lambda w: w,
    bounded=True,
)
def low_age(bars: Bars, window: int) -> Series:
    """How long ago the low of the window was."""
    freshness, _ = talib.AROON(bars.relative_high, bars.relative_low, window)
    return np.asarray(1.0 - freshness / 100.0)


@formula(
    family=FAMILY,
    text="mean sign(C[t] - C[t-k]) for k = 3, 5, 8, … w",
    unit="share, -1 … 1",
    source="Moskowitz, Ooi & Pedersen 2012, over many horizons",
    warmup=lambda w: w,
    bounded=True,
)
def trend_agreement(bars: Bars, window: int) -> Series:
    """Whether the moves over all horizons up to the window point the same way."""
    horizons = [bars_back for bars_back in HORIZONS if bars_back <= window]
    signs = [np.sign(bars.log_close - shift(bars.log_close, k)) for k in horizons]
    return np.asarray(sum(signs) / len(signs))


@formula(
    family=FAMILY,
    text="ln(C / SAR) / vol",
    unit=DEVIATIONS,
    source=f"{WILDER}; TA-Lib SAR",
    warmup=lambda _: scaled_warmup(1),
)
def parabolic_distance(bars: Bars) -> Series:
    """Distance from Wilder's trailing stop; its sign is the side one is on."""
    stop: Series = talib.SAR(bars.relative_high, bars.relative_low)
    return (bars.log_close - np.log(stop)) / bars.volatility(1)
