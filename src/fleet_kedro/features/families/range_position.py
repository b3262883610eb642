"""Range position: where the close stands in what the window has seen."""

import numpy as np
import talib

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_max,
    rolling_mean,
    rolling_mean_and_squares,
    rolling_min,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "range_position"
POSITION = "position, -1 (low) … 1 (high)"
LANE = "Lane 1984, stochastics; TA-Lib WILLR"
SMOOTHING_BARS = 3
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
    text="mean of 3 stochastic(w)",
    unit=POSITION,
    source=LANE,
    warmup=lambda w: w - 1 + SMOOTHING_BARS - 1,
    bounded=True,
)
def slow_stochastic(bars: Bars, window: int) -> Series:
    """Smoothed position in the range."""
    return rolling_mean(stochastic(bars, window), SMOOTHING_BARS)


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
    balance = np.zeros(len(bars))
    for bars_ago in range(1, window):
        balance += np.sign(bars.close - shift(bars.close, bars_ago))
    return balance / (window - 1)


def flat_window(bars: Bars, window: int) -> np.ndarray:
    """Whether no price of the window differs from any other."""
    return rolling_max(bars.high, window) == rolling_min(bars.low, window)
