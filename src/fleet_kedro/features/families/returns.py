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


@formula(
    family=FAMILY,
    text="ln(C / max H of the w bars before) / (vol √w)",
    unit=DEVIATIONS,
    source="Donchian channel; George & Hwang 2004, nearness to the high",
    warmup=scaled_warmup,
)
def breakout_above(bars: Bars, window: int) -> Series:
    """Distance from the ceiling of the window; positive once it has been broken."""
    ceiling = np.log(shift(rolling_max(bars.relative_high, window), 1))
    return (bars.log_close - ceiling) / (bars.volatility(window) * np.sqrt(window))


@formula(
    family=FAMILY,
    text="ln(C / min L of the w bars before) / (vol √w)",
    unit=DEVIATIONS,
    source="Donchian channel; George & Hwang 2004, on lows",
    warmup=scaled_warmup,
)
def breakout_below(bars: Bars, window: int) -> Series:
    """Distance from the floor of the window; negative once it has been broken."""
    floor = np.log(shift(rolling_min(bars.relative_low, window), 1))
    return (bars.log_close - floor) / (bars.volatility(window) * np.sqrt(window))


@formula(
    family=FAMILY,
    text="sign(ln(C[t] / C[t-w])) (share of falls - share of rises over w)",
    unit="share, -1 … 1",
    source="Da, Gurun & Warachka 2014, information discreteness",
    warmup=lambda w: w,
    bounded=True,
)
def information_discreteness(bars: Bars, window: int) -> Series:
    """Positive where few large bars made the move, negative where many small ones."""
    moved = np.sign(bars.log_close - shift(bars.log_close, window))
    return -moved * rolling_mean(np.sign(bars.log_return), window)


@formula(
    family=FAMILY,
    text="signed number of bars in a row with the same sign(r), 0 if unchanged",
    unit="bars",
    source="Cowles & Jones 1937, runs",
    warmup=lambda _: 1,
)
def streak(bars: Bars) -> Series:
    """Length of the current run of rises (positive) or falls (negative)."""
    direction = np.sign(bars.log_return)
    row = np.arange(len(bars))
    turned = direction != shift(direction, 1)
    last_turn = np.maximum.accumulate(np.where(turned, row, 0))
    return np.asarray(direction * (row - last_turn + 1))
