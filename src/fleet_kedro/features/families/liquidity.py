"""Liquidity: how far the price gives way, what a trade costs, who presses.

A window without any trade says nothing, and its signals are 0.
"""

import numpy as np
from scipy.special import ndtr

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.levels import log_ratio
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_mean,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "liquidity"
LOG_RATIO = "log ratio"
LONG_WINDOWS = 3


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
    text="Σ V (2Φ(r / vol) - 1) / Σ V over w, vol over 21",
    unit="share, -1 … 1",
    source="Easley, López de Prado & O'Hara 2012, bulk volume classification",
    warmup=lambda w: scaled_warmup(1) + w - 1,
    bounded=True,
)
def bulk_imbalance(bars: Bars, window: int) -> Series:
    """Bought minus sold volume, guessed from how far each bar moved."""
    return _volume_weighted(bars, _bulk_share(bars), window)


@formula(
    family=FAMILY,
    text="Σ V |2Φ(r / vol) - 1| / Σ V over w, vol over 21",
    unit="share, 0 … 1",
    source="Easley, López de Prado & O'Hara 2012, VPIN with time bars",
    warmup=lambda w: scaled_warmup(1) + w - 1,
    bounded=True,
)
def order_toxicity(bars: Bars, window: int) -> Series:
    """One-sidedness of the volume, whichever the side."""
    return _volume_weighted(bars, np.abs(_bulk_share(bars)), window)


@formula(
    family=FAMILY,
    text="mean max(S, 0) over w / vol, S from the ranges of one and of two bars",
    unit="standard deviations",
    source="Corwin & Schultz 2012, eq. 14",
    warmup=scaled_warmup,
)
def high_low_spread(bars: Bars, window: int) -> Series:
    """Bid-ask spread that highs and lows betray, over volatility."""
    top = np.maximum(bars.relative_high, shift(bars.relative_high, 1))
    bottom = np.minimum(bars.relative_low, shift(bars.relative_low, 1))
    one_bar = bars.log_range**2 + shift(bars.log_range, 1) ** 2
    two_bars = np.log(top / bottom) ** 2
    scale = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = (np.sqrt(2.0 * one_bar) - np.sqrt(one_bar)) / scale
    spread = 2.0 * np.tanh((alpha - np.sqrt(two_bars / scale)) / 2.0)
    return rolling_mean(np.maximum(spread, 0.0), window) / bars.volatility(window)


@formula(
    family=FAMILY,
    text="s / vol, s² = 4 mean (c[-1] - m[-1])(c[-1] - m) over w, m = ln √(H L); "
    "signed root",
    unit="standard deviations",
    source="Abdi & Ranaldo 2017, eq. 10",
    warmup=scaled_warmup,
)
def close_range_spread(bars: Bars, window: int) -> Series:
    """Bid-ask spread that closes beside mid-ranges betray; negative in a trend."""
    middle = 0.5 * np.log(bars.relative_high * bars.relative_low)
    close_before = shift(bars.log_close, 1)
    product = (close_before - shift(middle, 1)) * (close_before - middle)
    squared = 4.0 * rolling_mean(product, window)
    return np.sign(squared) * np.sqrt(np.abs(squared)) / bars.volatility(window)


def _volume_weighted(bars: Bars, share: Series, window: int) -> Series:
    """Mean share weighted by volume; 0 in a window without trades."""
    volume = np.where(np.isnan(share), np.nan, bars.relative_volume)
    weighted = rolling_sum(share * volume, window)
    return np.asarray(np.clip(ratio_or(weighted, rolling_sum(volume, window)), -1, 1))


def _bulk_share(bars: Bars) -> Series:
    """Bought minus sold share of a bar's volume, if moves were Gaussian."""
    return np.asarray(2.0 * ndtr(bars.log_return / bars.volatility(1)) - 1.0)
