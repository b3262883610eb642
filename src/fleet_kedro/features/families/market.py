"""Market-relative: the asset against the equally weighted mean of all the others."""

import numpy as np

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.comparison import (
    co_movement,
    market_yardstick,
    residual_move,
    sensitivity,
)
from fleet_kedro.features.families.volatility import log_level
from fleet_kedro.features.rolling import (
    Series,
    rolling_correlation,
    rolling_mean,
    rolling_root_mean_square,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "market"
DEVIATIONS = "standard deviations"
CORRELATION = "correlation, -1 … 1"
RANK = "percentile, -1 … 1"


@formula(
    family=FAMILY,
    text="Σ m over w / (vol_m √w), m = mean log return of the others",
    unit=DEVIATIONS,
    warmup=lambda w: scaled_warmup(w) - 1,
)
def market_momentum(bars: Bars, window: int) -> Series:
    """Move of the rest of the market, in units of its own volatility."""
    market = bars.surroundings.market_log_return
    return rolling_sum(market, window) / market_yardstick(market, window)


@formula(
    family=FAMILY,
    text="cov(r, m) / var(m) over w, 0 if the market is flat",
    unit="beta",
    source="Sharpe 1964",
    warmup=lambda w: w,
)
def market_beta(bars: Bars, window: int) -> Series:
    """Sensitivity to the rest of the market."""
    return sensitivity(bars.log_return, bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="correlation of r and m over w",
    unit=CORRELATION,
    warmup=lambda w: w,
    bounded=True,
)
def market_correlation(bars: Bars, window: int) -> Series:
    """How closely the asset follows the rest of the market."""
    return co_movement(bars.log_return, bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="Σ (r - β m) over w / (vol √w), β over the same w",
    unit=DEVIATIONS,
    source="Blitz, Huij & Martens 2011",
    warmup=scaled_warmup,
)
def market_residual(bars: Bars, window: int) -> Series:
    """Momentum that the market does not explain."""
    return residual_move(bars, bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="correlation of r[t] and m[t-1], w pairs",
    unit=CORRELATION,
    source="Lo & MacKinlay 1990",
    warmup=lambda w: w,
    bounded=True,
)
def market_lead(bars: Bars, window: int) -> Series:
    """Tell whether the rest of the market moves first."""
    before = shift(bars.surroundings.market_log_return, 1)
    return rolling_correlation(bars.log_return, before, window)


@formula(
    family=FAMILY,
    text="ln(rms r / rms m) over w",
    unit="log ratio",
    warmup=lambda w: w,
)
def market_relative_volatility(bars: Bars, window: int) -> Series:
    """Volatility of the asset over that of the rest of the market."""
    market = bars.surroundings.market_log_return
    return log_level(rolling_root_mean_square(bars.log_return, window)) - log_level(
        rolling_root_mean_square(market, window)
    )


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
    text="percentile of the return over w among all assets",
    unit=RANK,
    source="Jegadeesh & Titman 1993",
    warmup=lambda w: w,
    bounded=True,
)
def return_rank(bars: Bars, window: int) -> Series:
    """Is the asset a winner or a loser of the window."""
    return np.asarray(bars.surroundings.ranks["return", window])


@formula(
    family=FAMILY,
    text="percentile of rms r over w among all assets",
    unit=RANK,
    source="Ang, Hodrick, Xing & Zhang 2006",
    warmup=lambda w: w,
    bounded=True,
)
def volatility_rank(bars: Bars, window: int) -> Series:
    """Is the asset among the wild or the calm ones."""
    return np.asarray(bars.surroundings.ranks["volatility", window])


@formula(
    family=FAMILY,
    text="percentile of mean V over w / mean V over 3w among all assets",
    unit=RANK,
    source="Gervais, Kaniel & Mingelgrin 2001",
    warmup=lambda w: 3 * w - 1,
    bounded=True,
)
def volume_rank(bars: Bars, window: int) -> Series:
    """Attention that the asset draws, beyond its usual, among all assets."""
    return np.asarray(bars.surroundings.ranks["volume", window])
