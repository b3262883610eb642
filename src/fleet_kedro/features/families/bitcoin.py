"""BTC-relative: the asset against the coin that the others follow.

For BTC itself these are what the formulas give for a series against itself: a beta and
a correlation of 1, nothing unexplained, a spread of 0, no relative volatility; what
describes BTC alone (its momentum, volatility, drawdown, its lead over itself) repeats
BTC's own signals. All of it is finite, so that one set of columns fits every asset.
"""

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.families.comparison import (
    below_peak,
    beta_asymmetry,
    change_of_volatility,
    co_movement,
    led_move,
    level_of_volatility,
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
from fleet_kedro.features.signal import Formula, formula

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


@formula(
    family=FAMILY,
    text="g b[t] / vol, g = slope of r[t] on b[t-1] over w",
    unit=DEVIATIONS,
    source="Lo & MacKinlay 1990",
    warmup=scaled_warmup,
)
def btc_led_move(bars: Bars, window: int) -> Series:
    """Return of the next bar as BTC's last one foretells it."""
    return led_move(bars, bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="z of Σ (r - b) over w, 0 for BTC",
    unit=DEVIATIONS,
    source="Gatev, Goetzmann & Rouwenhorst 2006, pairs",
    warmup=lambda w: w,
)
def btc_spread_position(bars: Bars, window: int) -> Series:
    """How far the asset has run ahead of BTC."""
    btc = bars.surroundings.btc_log_return
    return spread_position(bars.log_return, btc, window)


@formula(
    family=FAMILY,
    text="β of b < 0 - β of b > 0 over w, through the origin",
    unit="beta",
    source="Ang, Chen & Xing 2006, downside beta",
    warmup=lambda w: w,
)
def btc_beta_asymmetry(bars: Bars, window: int) -> Series:
    """Whether the asset follows BTC's falls more closely than its rises."""
    return beta_asymmetry(bars.log_return, bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="ln(rms b / 1 %) over w",
    unit="log of volatility per bar over 1 %",
    warmup=lambda w: w - 1,
)
def btc_volatility(bars: Bars, window: int) -> Series:
    """Volatility of BTC."""
    return level_of_volatility(bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="ln(rms b over w / rms b over 3w)",
    unit="log ratio",
    warmup=lambda w: 3 * w - 1,
)
def btc_volatility_ratio(bars: Bars, window: int) -> Series:
    """Whether BTC wakes up or calms down."""
    return change_of_volatility(bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="(Σ b now - its maximum over w) / (vol_b √w)",
    unit=DEVIATIONS,
    warmup=lambda w: scaled_warmup(w) - 1,
)
def btc_drawdown(bars: Bars, window: int) -> Series:
    """Distance of BTC below its peak; never positive."""
    return below_peak(bars.surroundings.btc_log_return, window)


@formula(
    family=FAMILY,
    text="(Σ b now - its minimum over w) / (vol_b √w)",
    unit=DEVIATIONS,
    warmup=lambda w: scaled_warmup(w) - 1,
)
def btc_run_up(bars: Bars, window: int) -> Series:
    """Distance of BTC above its trough; never negative."""
    return -below_peak(-bars.surroundings.btc_log_return, window)


def _lead_at(lag: int) -> Formula:
    """Declare the correlation with BTC some bars ago."""

    def compute(bars: Bars, window: int) -> Series:
        before = shift(bars.surroundings.btc_log_return, lag)
        return rolling_correlation(bars.log_return, before, window)

    compute.__name__ = f"btc_lead_lag_{lag}"
    return formula(
        family=FAMILY,
        text=f"correlation of r[t] and b[t-{lag}], w pairs",
        unit=CORRELATION,
        source="Lo & MacKinlay 1990",
        warmup=lambda w: w + lag - 1,
        bounded=True,
    )(compute)


btc_lead_lag_2 = _lead_at(2)
btc_lead_lag_3 = _lead_at(3)
