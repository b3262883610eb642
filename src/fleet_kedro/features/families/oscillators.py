"""Oscillators: classical indicators of a move that may have gone too far.

All are centred: 0 is neutral, and neutral is what a window without any move gives.
"""

import numpy as np
import talib

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.range_position import flat_window
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_max,
    rolling_min,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "oscillators"
BALANCE = "balance, -1 … 1"
# Smoothed gains and losses shrink together in a flat stretch, which leaves round-off
# in their ratio; a range smaller than this is that round-off.
ROUND_OFF = 1e-9


@formula(
    family=FAMILY,
    text="(gain - loss) / (gain + loss), Wilder averages over w = RSI / 50 - 1",
    unit=BALANCE,
    source="Wilder 1978; TA-Lib CMO, neutral where TA-Lib RSI would be 0",
    warmup=lambda w: w,
    bounded=True,
)
def rsi(bars: Bars, window: int) -> Series:
    """Relative strength index, centred."""
    momentum: Series = talib.CMO(bars.relative_close, window)
    return momentum / 100.0


@formula(
    family=FAMILY,
    text="2 (RSI - min RSI) / (max RSI - min RSI) - 1 over w, 0 if RSI is constant",
    unit=BALANCE,
    source="Chande & Kroll 1994, The New Technical Trader, ch. 6",
    warmup=lambda w: 2 * w - 1,
    bounded=True,
)
def stochastic_rsi(bars: Bars, window: int) -> Series:
    """Position of the RSI in its own range."""
    strength = rsi(bars, window)
    lowest = rolling_min(strength, window)
    width = rolling_max(strength, window) - lowest
    width = np.where(width < ROUND_OFF, 0.0, width)
    return 2.0 * ratio_or(strength - lowest, width, neutral=0.5) - 1.0


@formula(
    family=FAMILY,
    text="CCI(w) / 100, 0 if flat",
    unit="hundreds",
    source="Lambert 1980; TA-Lib CCI",
    warmup=lambda w: w - 1,
)
def cci(bars: Bars, window: int) -> Series:
    """Commodity channel index: typical price against its mean absolute deviation."""
    index: Series = talib.CCI(
        bars.relative_high, bars.relative_low, bars.relative_close, window
    )
    return np.where(flat_window(bars, window), 0.0, index / 100.0)


@formula(
    family=FAMILY,
    text="(inflow - outflow) / (inflow + outflow) over w = MFI / 50 - 1, 0 if untraded",
    unit=BALANCE,
    source="Quong & Soudack 1989; not TA-Lib's, which is 0 for flows under 1",
    warmup=lambda w: w,
    bounded=True,
)
def money_flow(bars: Bars, window: int) -> Series:
    """Turnover of bars with a rising typical price minus that of falling ones."""
    direction = np.sign(bars.typical_price - shift(bars.typical_price, 1))
    turnover = bars.typical_price * bars.relative_volume
    net = rolling_sum(direction * turnover, window)
    total = rolling_sum(np.abs(direction) * turnover, window)
    return np.asarray(np.clip(ratio_or(net, total), -1.0, 1.0))


@formula(
    family=FAMILY,
    text="2 Σ (C - min(L, C[-1])) / Σ true range - 1 over w, 0 if flat",
    unit=BALANCE,
    source="Williams 1985, The Ultimate Oscillator, a single window",
    warmup=lambda w: w,
    bounded=True,
)
def buying_pressure(bars: Bars, window: int) -> Series:
    """Share of the true range that lies below the close."""
    previous = shift(bars.relative_close, 1)
    true_low = np.minimum(bars.relative_low, previous)
    pressure = rolling_sum(bars.relative_close - true_low, window)
    share = ratio_or(pressure, rolling_sum(bars.true_range, window), neutral=0.5)
    return np.asarray(np.clip(2.0 * share - 1.0, -1.0, 1.0))


@formula(
    family=FAMILY,
    text="TRIX(C, w) √w / vol",
    unit="standard deviations",
    source="Hutson 1983; TA-Lib TRIX",
    warmup=lambda w: scaled_warmup(3 * (w - 1) + 1),
)
def trix(bars: Bars, window: int) -> Series:
    """One-bar change of a triple exponential average."""
    percent: Series = talib.TRIX(bars.relative_close, window)
    return percent / 100.0 * np.sqrt(window) / bars.volatility(window)
