"""Market-relative: the asset against the equally weighted mean of all the others."""

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.comparison import (
    beta_asymmetry,
    co_movement,
    coskewness,
    led_move,
    market_yardstick,
    residual_move,
    sensitivity,
    spread_position,
)
from fleet_kedro.features.families.levels import log_level
from fleet_kedro.features.rolling import (
    Series,
    rolling_correlation,
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
    text="correlation of m[t] and r[t-1], w pairs",
    unit=CORRELATION,
    source="Lo & MacKinlay 1990",
    warmup=lambda w: w + 1,
    bounded=True,
)
def market_follow(bars: Bars, window: int) -> Series:
    """Tell whether the asset itself moves first."""
    market = bars.surroundings.market_log_return
    return rolling_correlation(market, shift(bars.log_return, 1), window)


@formula(
    family=FAMILY,
    text="g m[t] / vol, g = slope of r[t] on m[t-1] over w",
    unit=DEVIATIONS,
    source="Lo & MacKinlay 1990; Chordia & Swaminathan 2000",
    warmup=scaled_warmup,
)
def market_led_move(bars: Bars, window: int) -> Series:
    """Return of the next bar as the market's last one foretells it."""
    return led_move(bars, bars.surroundings.market_log_return, window)


@formula(
    family=FAMILY,
    text="z of Σ (r - m) over w",
    unit=DEVIATIONS,
    source="Gatev, Goetzmann & Rouwenhorst 2006, pairs, against the market",
    warmup=lambda w: w,
)
def market_spread_position(bars: Bars, window: int) -> Series:
    """How far the asset has run ahead of the rest of the market."""
    market = bars.surroundings.market_log_return
    return spread_position(bars.log_return, market, window)


@formula(
    family=FAMILY,
    text="β of m < 0 - β of m > 0 over w, through the origin",
    unit="beta",
    source="Ang, Chen & Xing 2006, downside beta",
    warmup=lambda w: w,
)
def market_beta_asymmetry(bars: Bars, window: int) -> Series:
    """Whether the asset follows falls more closely than rises."""
    market = bars.surroundings.market_log_return
    return beta_asymmetry(bars.log_return, market, window)


@formula(
    family=FAMILY,
    text="mean (r m²) / (rms r · mean m²) over w",
    unit="standardised coskewness",
    source="Harvey & Siddique 2000, about zero",
    warmup=lambda w: w,
)
def market_coskewness(bars: Bars, window: int) -> Series:
    """Whether the asset rises or falls when the market moves much."""
    market = bars.surroundings.market_log_return
    return coskewness(bars.log_return, market, window)
