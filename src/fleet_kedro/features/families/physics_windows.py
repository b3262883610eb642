"""Physics at several windows: the kernels of ``features/physics`` as signals.

The physics of a row is taken over one window of about a week; here the same kernels
look at shorter and longer ones, and at closed 4 h bars. A window that shows nothing (a
flat one) is neutral: a random walk, no return to a mean, no change.
"""

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.physics import (
    Physics,
    autocorrelation,
    elastic_features,
    fractal_dimension,
    hurst,
    ornstein_uhlenbeck,
    permutation_entropy,
)
from fleet_kedro.features.rolling import Series, ratio_or, rolling_mean_and_squares
from fleet_kedro.features.signal import formula

FAMILY = "physics_windows"
# Forecast of the pull, near half a day, whatever horizon the label has.
PULL_BARS = 13
# A change is judged by the window's own history, this many times as long.
HISTORY_WINDOWS = 3
# Mean of w θ for a random walk, which has no speed of return (Dickey & Fuller 1979).
RANDOM_WALK_SPEED = 5.0


@formula(
    family=FAMILY,
    text="4 H - 2, H of ln C over w, lags 1 … 16; 0 if flat",
    unit="0 for a random walk, quarters of H",
    source="Di Matteo, Aste & Dacorogna 2005",
    warmup=lambda w: w - 1,
)
def hurst_excess(bars: Bars, window: int) -> Series:
    """Generalised Hurst exponent around that of a random walk."""
    return _neutral(4.0 * hurst(bars.log_close, window) - 2.0, window - 1)


@formula(
    family=FAMILY,
    text="4 D - 6, D of ln C over w, lags 1, 2, 4; 0 if flat",
    unit="0 for a random walk, quarters of D",
    source="Constantine & Hall 1994; Gneiting, Ševčíková & Percival 2012",
    warmup=lambda w: w - 1,
)
def fractal_excess(bars: Bars, window: int) -> Series:
    """Fractal dimension of the path around that of a random walk."""
    return _neutral(4.0 * fractal_dimension(bars.log_close, window) - 6.0, window - 1)


@formula(
    family=FAMILY,
    text="1 - S, S = permutation entropy of r over w, order 3, normalised",
    unit="share, 0 (noise) … 1",
    source="Bandt & Pompe 2002",
    warmup=lambda w: w,
    bounded=True,
)
def order_in_returns(bars: Bars, window: int) -> Series:
    """How much the short patterns of the returns repeat themselves."""
    return 1.0 - permutation_entropy(bars.log_return, window, 3)


@formula(
    family=FAMILY,
    text="1 - S, S = permutation entropy of V over w, order 3, normalised",
    unit="share, 0 (noise) … 1",
    source="Bandt & Pompe 2002",
    warmup=lambda w: w - 1,
    bounded=True,
)
def order_in_volume(bars: Bars, window: int) -> Series:
    """How much the short patterns of the volume repeat themselves."""
    return 1.0 - permutation_entropy(bars.relative_volume, window, 3)


@formula(
    family=FAMILY,
    text="w θ / 5 - 1, θ of the Ornstein-Uhlenbeck fit of ln C over w; 0 if flat",
    unit="0 for a random walk, in its own means",
    source="Smith 2010; scale from Dickey & Fuller 1979",
    warmup=lambda w: w - 1,
)
def reversion_speed(bars: Bars, window: int) -> Series:
    """Speed of return to the mean beyond what a random walk pretends to have."""
    theta = ornstein_uhlenbeck(bars.log_close, window).theta_per_hour
    return _neutral(theta * window / RANDOM_WALK_SPEED - 1.0, window - 1)


@formula(
    family=FAMILY,
    text="expected r over 13 bars / its deviation, Ornstein-Uhlenbeck fit over w, "
    "θ ≥ 0; 0 if flat",
    unit="standard deviations",
    source="Uhlenbeck & Ornstein 1930; fit as in Smith 2010",
    warmup=lambda w: w - 1,
)
def reversion_pull(bars: Bars, window: int) -> Series:
    """Forecast of the next half day by the return to the mean."""
    fit = elastic_features(bars.log_close, PULL_BARS, Physics(theta_bars=window))
    return _neutral(fit.elastic_z, window - 1)


@formula(
    family=FAMILY,
    text="(a - mean a) / standard deviation of a over 3w, a = lag-1 autocorrelation of "
    "r over w; 0 if constant",
    unit="standard deviations",
    source="Scheffer et al. 2009, critical slowing down",
    warmup=lambda w: (1 + HISTORY_WINDOWS) * w - 1,
)
def memory_change(bars: Bars, window: int) -> Series:
    """Whether moves begin to linger: the smooth side of the stability warning."""
    memory = _neutral(autocorrelation(bars.log_return, window), window)
    return _against_history(memory, window)


@formula(
    family=FAMILY,
    text="(θ - mean θ) / standard deviation of θ over 3w, θ over w; 0 if constant",
    unit="standard deviations",
    source="Scheffer et al. 2009, critical slowing down",
    warmup=lambda w: (1 + HISTORY_WINDOWS) * w - 2,
)
def recovery_change(bars: Bars, window: int) -> Series:
    """Whether the market recovers faster or slower than it used to."""
    theta = ornstein_uhlenbeck(bars.log_close, window).theta_per_hour
    return _against_history(_neutral(theta, window - 1), window)


def _neutral(values: Series, warmup: int) -> Series:
    """Replace NaN by 0 once the window is full."""
    full = np.arange(len(values)) >= warmup
    return np.where(full & np.isnan(values), 0.0, values)


def _against_history(values: Series, window: int) -> Series:
    bars_back = HISTORY_WINDOWS * window
    mean, squares = rolling_mean_and_squares(values, bars_back)
    return ratio_or(values - mean, np.sqrt(squares / bars_back))
