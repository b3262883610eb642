"""Regime: the state of the whole market, the same for every asset but for itself."""

import numpy as np

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.comparison import (
    below_peak,
    change_of_volatility,
    level_of_volatility,
    market_yardstick,
)
from fleet_kedro.features.families.levels import log_level
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_correlation,
    rolling_mean,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "regime"
LONG_WINDOWS = 3


@formula(
    family=FAMILY,
    text="mean over w of (others up - others down) / others",
    unit="share, -1 … 1",
    warmup=lambda w: w - 1,
    bounded=True,
)
def market_breadth(bars: Bars, window: int) -> Series:
    """How many of the others rise."""
    return rolling_mean(bars.surroundings.breadth, window)


@formula(
    family=FAMILY,
    text="ln(mean over w of the cross-sectional deviation of r / 1 %)",
    unit="log of dispersion per bar over 1 %",
    source="Christie & Huang 1995",
    warmup=lambda w: w - 1,
)
def market_dispersion(bars: Bars, window: int) -> Series:
    """How far apart the assets move."""
    return log_level(rolling_mean(bars.surroundings.dispersion, window))


@formula(
    family=FAMILY,
    text="ln(cross-sectional deviation of r, mean over w / mean over 3w)",
    unit="log ratio",
    source="Christie & Huang 1995",
    warmup=lambda w: LONG_WINDOWS * w - 1,
)
def market_dispersion_ratio(bars: Bars, window: int) -> Series:
    """Whether the assets drift apart or come together."""
    apart = bars.surroundings.dispersion
    usual = rolling_mean(apart, LONG_WINDOWS * window)
    return log_level(rolling_mean(apart, window)) - log_level(usual)


@formula(
    family=FAMILY,
    text="share of all assets with a return over w above 0 - share below",
    unit="share, -1 … 1",
    source="Zweig 1986, Winning on Wall Street, breadth",
    warmup=lambda w: w,
    bounded=True,
)
def trend_breadth(bars: Bars, window: int) -> Series:
    """How many assets have risen over the window."""
    return np.asarray(bars.surroundings.rising[window])


@formula(
    family=FAMILY,
    text="mean over all assets of ln(mean V over w / mean V over 3w)",
    unit="log ratio",
    warmup=lambda w: LONG_WINDOWS * w - 1,
)
def market_attention(bars: Bars, window: int) -> Series:
    """Volume of the whole market beyond its usual level."""
    return np.asarray(bars.surroundings.attention[window])


@formula(
    family=FAMILY,
    text="Σ m² / Σ (m² + d²) over w, d = cross-sectional deviation of r; 0 if flat",
    unit="share, 0 … 1",
    source="Kritzman, Li, Page & Rigobon 2011, absorption, for equal weights",
    warmup=lambda w: w - 1,
    bounded=True,
)
def market_unity(bars: Bars, window: int) -> Series:
    """Share of all movement that is common: the average correlation of the market."""
    around = bars.surroundings
    common = rolling_sum(around.market_log_return**2, window)
    apart = rolling_sum(around.dispersion**2, window)
    return ratio_or(common, common + apart)


@formula(
    family=FAMILY,
    text="ln(rms m / 1 %) over w",
    unit="log of volatility per bar over 1 %",
    warmup=lambda w: w - 1,
)
def market_volatility(bars: Bars, window: int) -> Series:
    """Volatility of the rest of the market."""
    return level_of_volatility(bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="ln(rms m over w / rms m over 3w)",
    unit="log ratio",
    warmup=lambda w: LONG_WINDOWS * w - 1,
)
def market_volatility_ratio(bars: Bars, window: int) -> Series:
    """Whether the rest of the market wakes up or calms down."""
    return change_of_volatility(bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="(Σ m now - its maximum over w) / (vol_m √w)",
    unit="standard deviations",
    warmup=lambda w: scaled_warmup(w) - 1,
)
def market_drawdown(bars: Bars, window: int) -> Series:
    """Distance of the rest of the market below its peak; never positive."""
    return below_peak(bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="(Σ m now - its minimum over w) / (vol_m √w)",
    unit="standard deviations",
    warmup=lambda w: scaled_warmup(w) - 1,
)
def market_run_up(bars: Bars, window: int) -> Series:
    """Distance of the rest of the market above its trough; never negative."""
    return -below_peak(-bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="correlation of m[t] and m[t-1], w pairs",
    unit="correlation, -1 … 1",
    source="Lo & MacKinlay 1988",
    warmup=lambda w: w,
    bounded=True,
)
def market_autocorrelation(bars: Bars, window: int) -> Series:
    """Whether the market's own moves go on."""
    market = bars.surroundings.market_log_return
    return rolling_correlation(market, shift(market, 1), window)


@formula(
    family=FAMILY,
    text="Σ (m - b) over w / (rms (m - b) √w), b = log return of BTC",
    unit="standard deviations",
    warmup=lambda w: scaled_warmup(w) - 1,
)
def altcoin_rotation(bars: Bars, window: int) -> Series:
    """Whether money moves from BTC to the other coins or back.

    ``m`` leaves the asset itself out, so for BTC it is the mean of all the others, and
    an asset in a market of two sees itself only through BTC.
    """
    around = bars.surroundings
    gap = around.market_log_return - around.btc_log_return
    return rolling_sum(gap, window) / market_yardstick(gap, window)
