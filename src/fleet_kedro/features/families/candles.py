"""Candle shapes: who won inside the hour, at the bar and over a few bars.

A candle without a range has no shape, and its shares are 0.
"""

import numpy as np

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_mean,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "candles"
SHARE = "share, -1 … 1"
NISON = "Nison 1991, Japanese Candlestick Charting Techniques"


@formula(
    family=FAMILY,
    text="mean over w of (C - O) / (H - L)",
    unit=SHARE,
    source="Livshin 2001, balance of power",
    warmup=lambda w: w - 1,
    bounded=True,
)
def body_share(bars: Bars, window: int) -> Series:
    """Signed share of the range that the body fills."""
    return rolling_mean(_share(bars, bars.close - bars.open), window)


@formula(
    family=FAMILY,
    text="mean over w of (H - max(O, C)) / (H - L)",
    unit="share, 0 … 1",
    source=NISON,
    warmup=lambda w: w - 1,
    bounded=True,
)
def upper_wick_share(bars: Bars, window: int) -> Series:
    """Share of the range above the body."""
    return rolling_mean(_share(bars, upper_wick(bars)), window)


@formula(
    family=FAMILY,
    text="mean over w of (min(O, C) - L) / (H - L)",
    unit="share, 0 … 1",
    source=NISON,
    warmup=lambda w: w - 1,
    bounded=True,
)
def lower_wick_share(bars: Bars, window: int) -> Series:
    """Share of the range below the body."""
    return rolling_mean(_share(bars, lower_wick(bars)), window)


@formula(
    family=FAMILY,
    text="mean over w of (2C - H - L) / (H - L)",
    unit=SHARE,
    source="Chaikin 1982",
    warmup=lambda w: w - 1,
    bounded=True,
)
def close_location(bars: Bars, window: int) -> Series:
    """Place of the close in its candle: -1 at the low, 1 at the high."""
    balance = (bars.close - bars.low) - (bars.high - bars.close)
    return rolling_mean(_share(bars, balance), window)


@formula(
    family=FAMILY,
    text="mean over w of (U - D) / (U + D), U = upper, D = lower wick; 0 without wicks",
    unit=SHARE,
    warmup=lambda w: w - 1,
    bounded=True,
)
def wick_imbalance(bars: Bars, window: int) -> Series:
    """Rejection from above minus rejection from below, candle by candle."""
    upper, lower = upper_wick(bars), lower_wick(bars)
    return rolling_mean(ratio_or(upper - lower, upper + lower), window)


@formula(
    family=FAMILY,
    text="Σ (U - D) / Σ (U + D) over w, wicks over the close; 0 without wicks",
    unit=SHARE,
    warmup=lambda w: w - 1,
    bounded=True,
)
def wick_pressure(bars: Bars, window: int) -> Series:
    """Wick imbalance in which long wicks count for more."""
    upper, lower = upper_wick(bars) / bars.close, lower_wick(bars) / bars.close
    total = rolling_sum(upper + lower, window)
    share = ratio_or(rolling_sum(upper - lower, window), total)
    return np.asarray(np.clip(share, -1.0, 1.0))


@formula(
    family=FAMILY,
    text="mean over w of ln(H / L) / vol",
    unit="standard deviations",
    warmup=lambda w: scaled_warmup(w),
)
def candle_size(bars: Bars, window: int) -> Series:
    """Range of the candles over ordinary close-to-close moves."""
    return rolling_mean(bars.log_range, window) / bars.volatility(window)


@formula(
    family=FAMILY,
    text="1 if H < H[-1] and L > L[-1], else 0",
    unit="0 or 1",
    source="Crabel 1990, inside bar",
    warmup=lambda _: 1,
    is_flag=True,
)
def inside_bar(bars: Bars) -> Series:
    """Mark a candle inside the range of the one before."""
    return _flag(bars, higher=False, lower=False)


@formula(
    family=FAMILY,
    text="1 if H > H[-1] and L < L[-1], else 0",
    unit="0 or 1",
    source="Crabel 1990, outside bar",
    warmup=lambda _: 1,
    is_flag=True,
)
def outside_bar(bars: Bars) -> Series:
    """Mark a candle that exceeds the range of the one before on both sides."""
    return _flag(bars, higher=True, lower=True)


@formula(
    family=FAMILY,
    text="1 if the body turns and encloses the last body, signed; else 0",
    unit="-1, 0 or 1",
    source=NISON,
    warmup=lambda _: 1,
    bounded=True,
)
def engulfing(bars: Bars) -> Series:
    """Mark a rise (1) or fall (-1) that swallows the body before it."""
    body = bars.close - bars.open
    last_open, last_close = shift(bars.open, 1), shift(bars.close, 1)
    turned = np.sign(body) * np.sign(last_close - last_open) < 0.0
    encloses = np.maximum(bars.open, bars.close) >= np.maximum(last_open, last_close)
    encloses &= np.minimum(bars.open, bars.close) <= np.minimum(last_open, last_close)
    return np.where(np.isnan(last_open), np.nan, np.sign(body) * (turned & encloses))


def upper_wick(bars: Bars) -> Series:
    """High minus the top of the body."""
    return np.asarray(bars.high - np.maximum(bars.open, bars.close))


def lower_wick(bars: Bars) -> Series:
    """Bottom of the body minus low."""
    return np.asarray(np.minimum(bars.open, bars.close) - bars.low)


def _share(bars: Bars, part: Series) -> Series:
    return np.asarray(np.clip(ratio_or(part, bars.high - bars.low), -1.0, 1.0))


def _flag(bars: Bars, *, higher: bool, lower: bool) -> Series:
    """Whether the high lies above (or below) the last one, and the low below it."""
    last_high, last_low = shift(bars.high, 1), shift(bars.low, 1)
    at_top = bars.high > last_high if higher else bars.high < last_high
    at_bottom = bars.low < last_low if lower else bars.low > last_low
    return np.where(np.isnan(last_high), np.nan, at_top & at_bottom)
