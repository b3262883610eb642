"""Volume: how much is traded, by whom, and what moves with it.

A window without any trade says nothing, and its signals are 0.
"""

import numpy as np
import talib

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.levels import log_ratio
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_correlation,
    rolling_mean,
    rolling_mean_and_squares,
    rolling_root_mean_square,
    rolling_slope,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "volume"
SHARE = "share, -1 … 1"
CORRELATION = "correlation, -1 … 1"
LOG_RATIO = "log ratio"
# "Usual" is a window this many times as long.
LONG_WINDOWS = 3


@formula(
    family=FAMILY,
    text="(V - mean V) / standard deviation of V over w, 0 if constant",
    unit="standard deviations",
    warmup=lambda w: w - 1,
)
def volume_z(bars: Bars, window: int) -> Series:
    """Volume of the bar against the window it ends."""
    mean, squares = rolling_mean_and_squares(bars.relative_volume, window)
    return ratio_or(bars.relative_volume - mean, np.sqrt(squares / window))


@formula(
    family=FAMILY,
    text="ln(mean V over w / mean V over 3w)",
    unit=LOG_RATIO,
    warmup=lambda w: LONG_WINDOWS * w - 1,
)
def volume_ratio(bars: Bars, window: int) -> Series:
    """Volume of the window over that of a window three times as long."""
    return log_ratio(
        rolling_mean(bars.relative_volume, window),
        rolling_mean(bars.relative_volume, LONG_WINDOWS * window),
    )


@formula(
    family=FAMILY,
    text="sign(slope) · R² of V against time over w",
    unit=SHARE,
    warmup=lambda w: w - 1,
    bounded=True,
)
def volume_trend(bars: Bars, window: int) -> Series:
    """How steadily the volume rises or falls."""
    _, share = rolling_slope(bars.relative_volume, window)
    return share


@formula(
    family=FAMILY,
    text="ln(w Σ V² / (Σ V)²) over w",
    unit="log, 0 for even volume",
    source="Herfindahl index",
    warmup=lambda w: w - 1,
)
def volume_concentration(bars: Bars, window: int) -> Series:
    """Whether few bars hold most of the volume."""
    total = rolling_sum(bars.relative_volume, window)
    squares = rolling_sum(bars.relative_volume**2, window)
    return np.asarray(np.log(ratio_or(window * squares, total * total, neutral=1.0)))


@formula(
    family=FAMILY,
    text="Σ sign(r) V / Σ V over w",
    unit=SHARE,
    source="Granville 1963, On-Balance Volume, as a share",
    warmup=lambda w: w,
    bounded=True,
)
def signed_volume(bars: Bars, window: int) -> Series:
    """Volume of rising bars minus that of falling bars."""
    # The first bar has no direction, so its volume must not count either.
    volume = np.where(np.isnan(bars.log_return), np.nan, bars.relative_volume)
    signed = rolling_sum(np.sign(bars.log_return) * volume, window)
    return np.asarray(np.clip(ratio_or(signed, rolling_sum(volume, window)), -1.0, 1.0))


@formula(
    family=FAMILY,
    text="least-squares slope of OBV over w, * √w / rms V",
    unit="standard deviations",
    source="Granville 1963; TA-Lib OBV",
    warmup=lambda w: w - 1,
)
def obv_slope(bars: Bars, window: int) -> Series:
    """Slope of on-balance volume, in units of ordinary volume."""
    balance: Series = talib.OBV(bars.relative_close, bars.relative_volume)
    per_bar, _ = rolling_slope(balance, window)
    ordinary = rolling_root_mean_square(bars.relative_volume, window)
    return ratio_or(per_bar * np.sqrt(window), ordinary)


@formula(
    family=FAMILY,
    text="Σ V (2C - H - L) / (H - L) / Σ V over w",
    unit=SHARE,
    source="Chaikin 1982, money flow",
    warmup=lambda w: w - 1,
    bounded=True,
)
def accumulation(bars: Bars, window: int) -> Series:
    """Volume weighted place of the close in its candle."""
    location = ratio_or(2.0 * bars.close - bars.high - bars.low, bars.high - bars.low)
    flow = rolling_sum(location * bars.relative_volume, window)
    share = ratio_or(flow, rolling_sum(bars.relative_volume, window))
    return np.asarray(np.clip(share, -1.0, 1.0))


@formula(
    family=FAMILY,
    text="correlation of r and V over w",
    unit=CORRELATION,
    warmup=lambda w: w,
    bounded=True,
)
def return_volume_correlation(bars: Bars, window: int) -> Series:
    """Whether volume comes with rises or with falls."""
    return rolling_correlation(bars.log_return, bars.relative_volume, window)


@formula(
    family=FAMILY,
    text="correlation of |r| and V over w",
    unit=CORRELATION,
    source="Karpoff 1987",
    warmup=lambda w: w,
    bounded=True,
)
def size_volume_correlation(bars: Bars, window: int) -> Series:
    """Whether volume comes with large moves."""
    return rolling_correlation(np.abs(bars.log_return), bars.relative_volume, window)


@formula(
    family=FAMILY,
    text="ln(mean V of rises / mean V of falls) over w, 0 without one of them",
    unit=LOG_RATIO,
    source="Granville 1963, volume confirms the trend",
    warmup=lambda w: w,
)
def up_down_volume(bars: Bars, window: int) -> Series:
    """Volume of a rising bar over that of a falling one, however many of each."""

    def mean_volume(is_chosen: np.ndarray) -> Series:
        chosen = np.where(np.isnan(bars.log_return), np.nan, is_chosen)
        number = rolling_sum(chosen, window)
        return ratio_or(rolling_sum(chosen * bars.relative_volume, window), number)

    rises, falls = mean_volume(bars.log_return > 0), mean_volume(bars.log_return < 0)
    return log_ratio(np.where(falls == 0.0, 0.0, rises), np.where(rises == 0, 0, falls))


@formula(
    family=FAMILY,
    text="Σ r of bars with V < V[-1] over w / (vol √(w/2))",
    unit="standard deviations",
    source="Fosback 1976, Stock Market Logic, negative volume index",
    warmup=scaled_warmup,
)
def quiet_momentum(bars: Bars, window: int) -> Series:
    """Move that was made on shrinking volume."""
    return _conditional_move(bars, bars.volume < shift(bars.volume, 1), window)


@formula(
    family=FAMILY,
    text="Σ r of bars with V > V[-1] over w / (vol √(w/2))",
    unit="standard deviations",
    source="Fosback 1976, Stock Market Logic, positive volume index",
    warmup=scaled_warmup,
)
def busy_momentum(bars: Bars, window: int) -> Series:
    """Move that was made on growing volume."""
    return _conditional_move(bars, bars.volume > shift(bars.volume, 1), window)


@formula(
    family=FAMILY,
    text="correlation of ln C and V over w",
    unit=CORRELATION,
    warmup=lambda w: w - 1,
    bounded=True,
)
def price_volume_correlation(bars: Bars, window: int) -> Series:
    """Whether the volume was traded at the high or at the low prices."""
    return rolling_correlation(bars.log_close, bars.relative_volume, window)


@formula(
    family=FAMILY,
    text="correlation of V[t] and V[t-1], w pairs",
    unit=CORRELATION,
    warmup=lambda w: w,
    bounded=True,
)
def volume_autocorrelation(bars: Bars, window: int) -> Series:
    """Whether volume comes in waves or in single bars."""
    before = shift(bars.relative_volume, 1)
    return rolling_correlation(bars.relative_volume, before, window)


@formula(
    family=FAMILY,
    text="own ln(mean V over w / mean V over 3w) - its mean over all assets",
    unit=LOG_RATIO,
    source="Gervais, Kaniel & Mingelgrin 2001, against the market",
    warmup=lambda w: LONG_WINDOWS * w - 1,
)
def relative_attention(bars: Bars, window: int) -> Series:
    """Volume beyond its usual level, as far as the market does not share it."""
    return volume_ratio(bars, window) - bars.surroundings.attention[window]


def _conditional_move(bars: Bars, is_chosen: np.ndarray, window: int) -> Series:
    """Sum of the returns of the chosen bars over what half of all bars would move."""
    moved = rolling_sum(np.where(is_chosen, 1.0, 0.0) * bars.log_return, window)
    return moved / (bars.volatility(window) * np.sqrt(window / 2.0))
