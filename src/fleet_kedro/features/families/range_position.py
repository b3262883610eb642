"""Range position: where the close stands in what the window has seen."""

import numpy as np
import talib

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.levels import log_level, log_ratio
from fleet_kedro.features.rolling import (
    Series,
    percentile_in_window,
    ratio_or,
    rolling_max,
    rolling_mean,
    rolling_mean_and_squares,
    rolling_min,
    rolling_root_mean_square,
    rolling_sum,
)
from fleet_kedro.features.signal import formula

FAMILY = "range_position"
POSITION = "position, -1 (low) … 1 (high)"
LANE = "Lane 1984, stochastics; TA-Lib WILLR"
VOLATILITY_BARS = 8
# A range of log volatility smaller than this is round-off.
ROUND_OFF = 1e-9
# Expected range of a random walk of w steps, in deviations of its end point.
RANDOM_WALK_RANGE = np.sqrt(8.0 / np.pi)


@formula(
    family=FAMILY,
    text="2 (C - min L) / (max H - min L) - 1 over w, 0 if flat",
    unit=POSITION,
    source=LANE,
    warmup=lambda w: w - 1,
    bounded=True,
)
def stochastic(bars: Bars, window: int) -> Series:
    """Close in the range of the window.

    Williams' %R is the same number on another scale, so there is only this one.
    """
    percent: Series = talib.WILLR(
        bars.relative_high, bars.relative_low, bars.relative_close, window
    )
    return np.where(flat_window(bars, window), 0.0, 1.0 + percent / 50.0)


@formula(
    family=FAMILY,
    text="(ln C - mean ln C) / standard deviation of ln C over w, 0 if flat",
    unit="standard deviations",
    source="Bollinger 2001, Bollinger on Bollinger Bands, on log prices",
    warmup=lambda w: w - 1,
)
def bollinger_position(bars: Bars, window: int) -> Series:
    """Close against the mean and the spread of the closes."""
    mean, squares = rolling_mean_and_squares(bars.log_close, window)
    return ratio_or(bars.log_close - mean, np.sqrt(squares / window))


@formula(
    family=FAMILY,
    text="ln(max H / min L) over w / (vol √w √(8/π))",
    unit="expected ranges of a random walk",
    source="Feller 1951",
    warmup=scaled_warmup,
)
def channel_width(bars: Bars, window: int) -> Series:
    """Width of the channel over what independent moves of this size would span."""
    width = np.log(rolling_max(bars.high, window) / rolling_min(bars.low, window))
    return width / (bars.volatility(window) * np.sqrt(window) * RANDOM_WALK_RANGE)


@formula(
    family=FAMILY,
    text="mean sign(C[t] - C[t-k]) for k = 1 … w-1",
    unit=POSITION,
    warmup=lambda w: w - 1,
    bounded=True,
)
def close_rank(bars: Bars, window: int) -> Series:
    """Percentile of the close among the closes of the window."""
    return percentile_in_window(bars.close, window)


@formula(
    family=FAMILY,
    text="2 (v - min v) / (max v - min v) - 1 over w, v = ln rms r of 8 bars; 0 if "
    "constant",
    unit=POSITION,
    warmup=lambda w: w - 1 + VOLATILITY_BARS,
    bounded=True,
)
def volatility_position(bars: Bars, window: int) -> Series:
    """Short-term volatility in its own range."""
    level = log_level(rolling_root_mean_square(bars.log_return, VOLATILITY_BARS))
    lowest = rolling_min(level, window)
    width = rolling_max(level, window) - lowest
    width = np.where(width < ROUND_OFF, 0.0, width)
    return 2.0 * ratio_or(level - lowest, width, neutral=0.5) - 1.0


@formula(
    family=FAMILY,
    text="mean sign(ln(H/L)[t] - ln(H/L)[t-k]) for k = 1 … w-1",
    unit=POSITION,
    source="Crabel 1990, narrow range",
    warmup=lambda w: w - 1,
    bounded=True,
)
def range_percentile(bars: Bars, window: int) -> Series:
    """Whether the candle is narrow (-1) or wide (1) among those of the window."""
    return percentile_in_window(bars.log_range, window)


@formula(
    family=FAMILY,
    text="ln(Σ true range / (max H - min L)) / ln w over w, held in 0 … 1; 0 if flat",
    unit="share, 0 (trend) … 1 (chop)",
    source="Dreiss, choppiness index",
    warmup=lambda w: w,
    bounded=True,
)
def choppiness(bars: Bars, window: int) -> Series:
    """How often the path went over its own ground."""
    width = rolling_max(bars.relative_high, window) - rolling_min(
        bars.relative_low, window
    )
    crossings = ratio_or(rolling_sum(bars.true_range, window), width, neutral=1.0)
    return np.asarray(
        np.clip(np.log(np.maximum(crossings, 1.0)) / np.log(window), 0, 1)
    )


@formula(
    family=FAMILY,
    text="ln(standard deviation of C / mean true range) over w, 0 if flat",
    unit="log ratio",
    source="Carter 2005, Mastering the Trade, ch. 11: Bollinger inside Keltner bands",
    warmup=lambda w: w,
)
def squeeze(bars: Bars, window: int) -> Series:
    """Spread of the closes over the size of the candles: low before a release."""
    _, squares = rolling_mean_and_squares(bars.relative_close, window)
    ordinary = rolling_mean(bars.true_range, window)
    return log_ratio(np.sqrt(squares / window), ordinary)


def flat_window(bars: Bars, window: int) -> np.ndarray:
    """Whether no price of the window differs from any other."""
    return rolling_max(bars.high, window) == rolling_min(bars.low, window)
