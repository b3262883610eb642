"""Returns and momentum: how far the price has come, in units of its own volatility."""

import numpy as np

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_max,
    rolling_mean,
    rolling_min,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "returns"
DEVIATIONS = "standard deviations"


@formula(
    family=FAMILY,
    text="ln(C[t] / C[t-w]) / (vol √w), vol = rms return of max(w, 21) bars",
    unit=DEVIATIONS,
    source="Moskowitz, Ooi & Pedersen 2012, section 2",
    warmup=scaled_warmup,
)
def momentum(bars: Bars, window: int) -> Series:
    """Log return of ``window`` bars over what its volatility leads to expect."""
    moved = bars.log_close - shift(bars.log_close, window)
    return moved / (bars.volatility(window) * np.sqrt(window))


@formula(
    family=FAMILY,
    text="(ln(C[t] / C[t-w]) - ln(C[t-w] / C[t-2w])) / (vol √2w)",
    unit=DEVIATIONS,
    warmup=lambda w: scaled_warmup(2 * w),
)
def acceleration(bars: Bars, window: int) -> Series:
    """Return of the last ``window`` bars minus that of the ``window`` before."""
    moved = bars.log_close - shift(bars.log_close, window)
    return (moved - shift(moved, window)) / (
        bars.volatility(2 * window) * np.sqrt(2 * window)
    )


@formula(
    family=FAMILY,
    text="mean sign(C[t] - C[t-1]) over w",
    unit="share, -1 … 1",
    warmup=lambda w: w,
    bounded=True,
)
def direction_balance(bars: Bars, window: int) -> Series:
    """Share of rising bars minus share of falling bars."""
    return rolling_mean(np.sign(bars.log_return), window)


@formula(
    family=FAMILY,
    text="ln(C / max C over w) / (vol √w)",
    unit=DEVIATIONS,
    warmup=scaled_warmup,
)
def drawdown(bars: Bars, window: int) -> Series:
    """Distance below the highest close of the window; never positive."""
    below = bars.log_close - rolling_max(bars.log_close, window)
    return below / (bars.volatility(window) * np.sqrt(window))


@formula(
    family=FAMILY,
    text="ln(C / min C over w) / (vol √w)",
    unit=DEVIATIONS,
    warmup=scaled_warmup,
)
def run_up(bars: Bars, window: int) -> Series:
    """Distance above the lowest close of the window; never negative."""
    above = bars.log_close - rolling_min(bars.log_close, window)
    return above / (bars.volatility(window) * np.sqrt(window))


@formula(
    family=FAMILY,
    text="ln(C[t] / C[t-w]) / Σ |ln(C[i] / C[i-1])|, 0 if nothing moved",
    unit="share, -1 … 1",
    source="Kaufman 1995, Smarter Trading, ch. 7, signed",
    warmup=lambda w: w,
    bounded=True,
)
def efficiency(bars: Bars, window: int) -> Series:
    """Net move over the length of the path that led to it."""
    path = rolling_mean(np.abs(bars.log_return), window)
    net = rolling_mean(bars.log_return, window)
    return np.asarray(np.clip(ratio_or(net, path), -1.0, 1.0))
