"""Higher moments: the shape of the distribution of recent returns."""

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_max,
    rolling_moments,
    rolling_root_mean_square,
)
from fleet_kedro.features.signal import formula

FAMILY = "moments"
GAUSSIAN_KURTOSIS = 3.0


@formula(
    family=FAMILY,
    text="m₃ / m₂^1.5 of r over w, 0 if constant",
    unit="skewness",
    warmup=lambda w: w,
)
def skewness(bars: Bars, window: int) -> Series:
    """Asymmetry of log returns, over the whole window (not n - 1)."""
    moments = rolling_moments(bars.log_return, window)
    return ratio_or(moments.cubes * np.sqrt(window), moments.squares**1.5)


@formula(
    family=FAMILY,
    text="m₄ / m₂² - 3 of r over w, 0 if constant",
    unit="excess kurtosis",
    warmup=lambda w: w,
)
def excess_kurtosis(bars: Bars, window: int) -> Series:
    """Weight of the tails of log returns, over the whole window (not n - 1)."""
    moments = rolling_moments(bars.log_return, window)
    kurtosis = ratio_or(
        moments.fourths * window, moments.squares**2, neutral=GAUSSIAN_KURTOSIS
    )
    return kurtosis - GAUSSIAN_KURTOSIS


@formula(
    family=FAMILY,
    text="(largest rise - largest fall) / (largest rise + largest fall) over w",
    unit="balance, -1 … 1",
    warmup=lambda w: w,
    bounded=True,
)
def tail_balance(bars: Bars, window: int) -> Series:
    """Whether the extreme moves were rises or falls; 0 if nothing moved."""
    rise = rolling_max(np.maximum(bars.log_return, 0.0), window)
    fall = rolling_max(np.maximum(-bars.log_return, 0.0), window)
    return ratio_or(rise - fall, rise + fall)


@formula(
    family=FAMILY,
    text="max |r| / (rms r √(2 ln w)) over w, 0 if flat",
    unit="expected maxima of Gaussian returns",
    source="Embrechts, Klüppelberg & Mikosch 1997, section 3.3",
    warmup=lambda w: w,
)
def largest_move(bars: Bars, window: int) -> Series:
    """Largest move over the ordinary one."""
    return _largest(np.abs(bars.log_return), window)


@formula(
    family=FAMILY,
    text="max r / (rms r √(2 ln w)) over w, 0 if flat",
    unit="expected maxima of Gaussian returns",
    source="Bali, Cakici & Whitelaw 2011, MAX",
    warmup=lambda w: w,
)
def largest_rise(bars: Bars, window: int) -> Series:
    """Best bar of the window over the ordinary one: what lottery players buy."""
    return _largest(bars.log_return, window)


@formula(
    family=FAMILY,
    text="-min r / (rms r √(2 ln w)) over w, 0 if flat",
    unit="expected maxima of Gaussian returns",
    source="Bali, Cakici & Whitelaw 2011, MIN",
    warmup=lambda w: w,
)
def largest_fall(bars: Bars, window: int) -> Series:
    """Worst bar of the window over the ordinary one."""
    return _largest(-bars.log_return, window)


def _largest(moves: Series, window: int) -> Series:
    ordinary = rolling_root_mean_square(moves, window)
    return ratio_or(rolling_max(moves, window), ordinary * np.sqrt(2 * np.log(window)))
