"""BTC-relative: the asset against the coin that the others follow.

For BTC itself these are what the formulas give for a series against itself: a beta and
a correlation of 1 and nothing unexplained.
"""

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
    rolling_root_mean_square,
    rolling_sum,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "bitcoin"
DEVIATIONS = "standard deviations"
CORRELATION = "correlation, -1 … 1"


@formula(
    family=FAMILY,
    text="Σ b over w / (vol_b √w), b = log return of BTC",
    unit=DEVIATIONS,
    warmup=lambda w: scaled_warmup(w) - 1,
)
def btc_momentum(bars: Bars, window: int) -> Series:
    """Move of BTC in units of its own volatility."""
    btc = bars.surroundings.btc_log_return
    return rolling_sum(btc, window) / market_yardstick(btc, window)


@formula(
    family=FAMILY,
    text="cov(r, b) / var(b) over w, 0 if BTC is flat",
    unit="beta",
    source="Sharpe 1964",
    warmup=lambda w: w,
)
def btc_beta(bars: Bars, window: int) -> Series:
    """Sensitivity to BTC."""
    return sensitivity(bars.log_return, bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="correlation of r and b over w",
    unit=CORRELATION,
    warmup=lambda w: w,
    bounded=True,
)
def btc_correlation(bars: Bars, window: int) -> Series:
    """How closely the asset follows BTC."""
    return co_movement(bars.log_return, bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="Σ (r - β b) over w / (vol √w), β over the same w",
    unit=DEVIATIONS,
    source="Blitz, Huij & Martens 2011",
    warmup=scaled_warmup,
)
def btc_residual(bars: Bars, window: int) -> Series:
    """Momentum that BTC does not explain."""
    return residual_move(bars, bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="correlation of r[t] and b[t-1], w pairs",
    unit=CORRELATION,
    source="Lo & MacKinlay 1990",
    warmup=lambda w: w,
    bounded=True,
)
def btc_lead(bars: Bars, window: int) -> Series:
    """Tell whether BTC moves first."""
    before = shift(bars.surroundings.btc_log_return, 1)
    return rolling_correlation(bars.log_return, before, window)


@formula(
    family=FAMILY,
    text="ln(rms r / rms b) over w",
    unit="log ratio",
    warmup=lambda w: w,
)
def btc_relative_volatility(bars: Bars, window: int) -> Series:
    """Volatility of the asset over that of BTC."""
    btc = bars.surroundings.btc_log_return
    return log_level(rolling_root_mean_square(bars.log_return, window)) - log_level(
        rolling_root_mean_square(btc, window)
    )
