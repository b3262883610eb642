"""Volume and liquidity: who pushed, how hard, and how far the price gave way.

A window without any trade says nothing, and its signals are 0.
"""

import numpy as np
import talib

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_correlation,
    rolling_mean,
    rolling_mean_and_squares,
    rolling_root_mean_square,
    rolling_slope,
    rolling_sum,
)
from fleet_kedro.features.signal import formula

FAMILY = "volume"
SHARE = "share, -1 … 1"
CORRELATION = "correlation, -1 … 1"
LOG_RATIO = "log ratio"
# "Usual" is a window this many times as long.
LONG_WINDOWS = 3
# Ratios to the usual are held within a hundredth and a hundredfold.
LARGEST_RATIO = 100.0


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
    text="ln(A over w / A over 3w), A = Σ |r| / Σ turnover",
    unit=LOG_RATIO,
    source="Amihud 2002, ratio of sums",
    warmup=lambda w: LONG_WINDOWS * w,
)
def amihud(bars: Bars, window: int) -> Series:
    """Price move per unit of turnover, against its usual value."""
    size = np.abs(bars.log_return)
    turnover = bars.relative_close * bars.relative_volume

    def illiquidity(bars_back: int) -> Series:
        return ratio_or(rolling_sum(size, bars_back), rolling_sum(turnover, bars_back))

    return log_ratio(illiquidity(window), illiquidity(LONG_WINDOWS * window))


@formula(
    family=FAMILY,
    text="ln(λ over w / λ over 3w), λ = Σ r s V / Σ (s V)², s = sign(r)",
    unit=LOG_RATIO,
    source="Kyle 1985; regression through the origin as in Goyenko, Holden & "
    "Trzcinka 2009",
    warmup=lambda w: LONG_WINDOWS * w,
)
def kyle_lambda(bars: Bars, window: int) -> Series:
    """Price move per unit of signed volume, against its usual value."""
    signed = np.sign(bars.log_return) * bars.relative_volume
    cross, squares = bars.log_return * signed, signed * signed

    def impact(bars_back: int) -> Series:
        return ratio_or(rolling_sum(cross, bars_back), rolling_sum(squares, bars_back))

    return log_ratio(impact(window), impact(LONG_WINDOWS * window))


@formula(
    family=FAMILY,
    text="ln(C / VWAP over w) / (vol √(w/3)), 0 if untraded",
    unit="standard deviations",
    source="Berkowitz, Logue & Noser 1988",
    warmup=scaled_warmup,
)
def vwap_distance(bars: Bars, window: int) -> Series:
    """Distance of the close from the volume weighted average price."""
    traded = rolling_sum(bars.relative_volume, window)
    paid = rolling_sum(bars.typical_price * bars.relative_volume, window)
    average = np.where(traded == 0.0, bars.relative_close, ratio_or(paid, traded))
    distance = bars.log_close - np.log(average)
    return distance / (bars.volatility(window) * np.sqrt(window / 3.0))


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


def log_ratio(recent: Series, usual: Series) -> Series:
    """Logarithm of a ratio of non-negative numbers, held within 1/100 and 100.

    0 where there is no usual value to compare with.
    """
    ratio = ratio_or(recent, usual, neutral=1.0)
    return np.asarray(np.log(np.clip(ratio, 1.0 / LARGEST_RATIO, LARGEST_RATIO)))
