"""Dominance: the share of BTC and of USDT in the value of all coins.

A share that nobody knew at the time is neutral: the signal is 0, so that rows without
a dominance series keep their other signals. Percentages are as known at the close.
"""

import numpy as np

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_mean_and_squares,
    shift,
)
from fleet_kedro.features.signal import formula

FAMILY = "dominance"
SOURCE = "definition; shares join by the moment at which they became known"
ONE_PERCENT = 0.01
BARS_A_DAY = 24


@formula(
    family=FAMILY,
    text="(BTC.D - 50) / 10, 0 if unknown",
    unit="ten percentage points",
    source=SOURCE,
    warmup=lambda _: 0,
)
def btc_dominance(bars: Bars) -> Series:
    """Level of BTC's share around one half."""
    return neutral_where_unknown((bars.surroundings.btc_dominance_pct - 50.0) / 10.0)


@formula(
    family=FAMILY,
    text="(USDT.D - 5) / 2, 0 if unknown",
    unit="two percentage points",
    source=SOURCE,
    warmup=lambda _: 0,
)
def usdt_dominance(bars: Bars) -> Series:
    """Level of the share that waits in USDT around five percent."""
    return neutral_where_unknown((bars.surroundings.usdt_dominance_pct - 5.0) / 2.0)


@formula(
    family=FAMILY,
    text="ln(BTC.D[t] / BTC.D[t-w]) / (1 % √(w/24)), 0 if unknown",
    unit="percent, per root day",
    source=SOURCE,
    warmup=lambda w: w,
)
def btc_dominance_change(bars: Bars, window: int) -> Series:
    """Relative change of BTC's share over ``window`` hours."""
    return _change(bars.surroundings.btc_dominance_pct, window)


@formula(
    family=FAMILY,
    text="ln(USDT.D[t] / USDT.D[t-w]) / (1 % √(w/24)), 0 if unknown",
    unit="percent, per root day",
    source=SOURCE,
    warmup=lambda w: w,
)
def usdt_dominance_change(bars: Bars, window: int) -> Series:
    """Relative change of USDT's share over ``window`` hours."""
    return _change(bars.surroundings.usdt_dominance_pct, window)


@formula(
    family=FAMILY,
    text="(BTC.D - mean) / standard deviation of BTC.D over w, 0 if unknown or "
    "constant",
    unit="standard deviations",
    source=SOURCE,
    warmup=lambda w: w - 1,
)
def btc_dominance_position(bars: Bars, window: int) -> Series:
    """BTC's share against its own recent level."""
    return _position(bars.surroundings.btc_dominance_pct, window)


@formula(
    family=FAMILY,
    text="(USDT.D - mean) / standard deviation of USDT.D over w, 0 if unknown or "
    "constant",
    unit="standard deviations",
    source=SOURCE,
    warmup=lambda w: w - 1,
)
def usdt_dominance_position(bars: Bars, window: int) -> Series:
    """USDT's share against its own recent level."""
    return _position(bars.surroundings.usdt_dominance_pct, window)


def neutral_where_unknown(values: Series) -> Series:
    """Replace NaN by 0."""
    return np.asarray(np.nan_to_num(values, nan=0.0))


def _change(share_pct: Series, window: int) -> Series:
    log_share = np.log(np.where(share_pct > 0.0, share_pct, np.nan))
    yardstick = ONE_PERCENT * np.sqrt(window / BARS_A_DAY)
    change = neutral_where_unknown((log_share - shift(log_share, window)) / yardstick)
    # The past of a segment begins with it, for this signal as for all others.
    change[:window] = np.nan
    return change


def _position(share_pct: Series, window: int) -> Series:
    mean, squares = rolling_mean_and_squares(share_pct, window)
    position = neutral_where_unknown(
        ratio_or(share_pct - mean, np.sqrt(squares / window))
    )
    position[: window - 1] = np.nan
    return position
