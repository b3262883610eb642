"""Ranks: where the asset stands among all assets of the hour, from -1 to 1.

A rank needs no yardstick: it compares the assets with each other, not with their past.
"""

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.rolling import Series
from fleet_kedro.features.signal import formula

FAMILY = "ranks"
RANK = "percentile, -1 … 1"


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


@formula(
    family=FAMILY,
    text="percentile of (mean r - β mean m) / standard deviation of r over w",
    unit=RANK,
    source="Blitz, Huij & Martens 2011",
    warmup=lambda w: w,
    bounded=True,
)
def residual_rank(bars: Bars, window: int) -> Series:
    """Winner or loser of the window, once the market's part is taken out."""
    return np.asarray(bars.surroundings.ranks["residual", window])


@formula(
    family=FAMILY,
    text="percentile of ln(C / max H over w) among all assets",
    unit=RANK,
    source="George & Hwang 2004",
    warmup=lambda w: w - 1,
    bounded=True,
)
def peak_rank(bars: Bars, window: int) -> Series:
    """Nearness to the own high, among all assets."""
    return np.asarray(bars.surroundings.ranks["peak", window])


@formula(
    family=FAMILY,
    text="percentile of the skewness of r over w among all assets",
    unit=RANK,
    source="Amaya, Christoffersen, Jacobs & Vasquez 2015",
    warmup=lambda w: w,
    bounded=True,
)
def skewness_rank(bars: Bars, window: int) -> Series:
    """Whether the asset looks like a lottery ticket, among all assets."""
    return np.asarray(bars.surroundings.ranks["skewness", window])


@formula(
    family=FAMILY,
    text="percentile of cov(r, m) / var(m) over w among all assets",
    unit=RANK,
    source="Frazzini & Pedersen 2014",
    warmup=lambda w: w,
    bounded=True,
)
def beta_rank(bars: Bars, window: int) -> Series:
    """Whether the asset amplifies or dampens the market, among all assets."""
    return np.asarray(bars.surroundings.ranks["beta", window])
