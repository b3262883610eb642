"""What all assets of a synthetic market share, bar by bar.

Regimes follow each other in a semi-Markov chain: a spell lasts a geometric number of
hours, weeks on average, and the next spell is one of the other regimes. A trend spell
has a direction, up or down with equal chances.

Every quantity has a random stream of its own and is drawn forwards in time. So a market
that ends later, or is drawn further ahead for a longer horizon, begins with the same
bars.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.signal import lfilter

from fleet_kedro.market.synthetic_dynamics import HOURS_PER_YEAR, PriceDynamics


class Regime(NamedTuple):
    """A state of the market: how long it lasts and how much prices move in it."""

    name: str
    mean_days: float
    volatility: float
    has_trend: bool


REGIMES = (
    Regime("calm", mean_days=21, volatility=0.75, has_trend=False),
    Regime("trend", mean_days=14, volatility=1.0, has_trend=True),
    Regime("stress", mean_days=5, volatility=2.0, has_trend=False),
)

# Autoregressive log volatility: half-lives of some days, as realised volatility has.
VOLATILITY_PERSISTENCE = 0.99
COMMON_LOG_VOLATILITY_SD = 0.25
_BUSIEST_HOUR_UTC = 15
_HOURLY_SWING = 0.2
_WEEKEND_DIP = 0.2
_LONGEST_OUTAGE_HOURS = 4


class Backdrop(NamedTuple):
    """The shared schedule, and the shared shocks."""

    timestamp: pd.DatetimeIndex
    regime: Int[np.ndarray, " bars"]
    direction: Float[np.ndarray, " bars"]
    log_volatility: Float[np.ndarray, " bars"]
    factor: Float[np.ndarray, " bars"]
    jump: Float[np.ndarray, " bars"]
    is_outage: Bool[np.ndarray, " bars"]


def draw_backdrop(
    timestamp: pd.DatetimeIndex,
    dynamics: PriceDynamics,
    outages_per_year: float,
    rng: np.random.Generator,
) -> Backdrop:
    """Draw regimes, common volatility, common shocks and outages for these bars.

    ``log_volatility`` is relative to an asset's base; ``factor`` is standard normal;
    ``jump`` is the bar's sum of standard normal jumps, mostly zero.
    """
    bars = len(timestamp)
    spells, volatility, factor, jumps, outages = rng.spawn(5)
    regime, direction = _draw_spells(bars, spells)
    level = np.log([state.volatility for state in REGIMES])[regime]
    wave = COMMON_LOG_VOLATILITY_SD * autoregression(
        bars, VOLATILITY_PERSISTENCE, volatility
    )
    return Backdrop(
        timestamp=timestamp,
        regime=regime,
        direction=direction,
        log_volatility=level + wave + _season(timestamp),
        factor=factor.standard_normal(bars),
        jump=draw_jumps(bars, dynamics.common_jumps_per_year, jumps),
        is_outage=_draw_outages(bars, outages_per_year, outages),
    )


def autoregression(
    bars: int, persistence: float, rng: np.random.Generator
) -> Float[np.ndarray, " bars"]:
    """Draw x[j] = φ x[j−1] + √(1−φ²) η[j], stationary with unit variance."""
    shock = rng.standard_normal(bars)
    shock[1:] *= np.sqrt(1 - persistence**2)
    return np.asarray(lfilter([1.0], [1.0, -persistence], shock))


def draw_jumps(
    bars: int, jumps_per_year: float, rng: np.random.Generator
) -> Float[np.ndarray, " bars"]:
    """Sum of a Poisson number of standard normal jumps in each bar."""
    counts, sizes = rng.spawn(2)
    count = counts.poisson(jumps_per_year / HOURS_PER_YEAR, bars)
    # A sum of n standard normals has the law of √n times one of them.
    return np.asarray(np.sqrt(count) * sizes.standard_normal(bars))


def _draw_spells(
    bars: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " bars"], Float[np.ndarray, " bars"]]:
    regime = np.empty(bars, dtype=np.int64)
    direction = np.zeros(bars)
    state, start = int(rng.integers(len(REGIMES))), 0
    while start < bars:
        end = start + int(rng.geometric(1 / (24 * REGIMES[state].mean_days)))
        sign = rng.choice([-1.0, 1.0])
        regime[start:end] = state
        direction[start:end] = sign * REGIMES[state].has_trend
        state = (state + 1 + int(rng.integers(len(REGIMES) - 1))) % len(REGIMES)
        start = end
    return regime, direction


def _season(timestamp: pd.DatetimeIndex) -> Float[np.ndarray, " bars"]:
    angle = 2 * np.pi * (timestamp.hour.to_numpy() - _BUSIEST_HOUR_UTC) / 24
    is_weekend = timestamp.day_of_week.to_numpy() >= 5  # noqa: PLR2004 - a Saturday
    return np.asarray(_HOURLY_SWING * np.cos(angle) - _WEEKEND_DIP * is_weekend)


def _draw_outages(
    bars: int, outages_per_year: float, rng: np.random.Generator
) -> Bool[np.ndarray, " bars"]:
    starts, lengths = rng.spawn(2)
    begins = starts.random(bars) < outages_per_year / HOURS_PER_YEAR
    hours = lengths.integers(1, _LONGEST_OUTAGE_HOURS + 1, bars) * begins
    is_outage = np.zeros(bars, dtype=np.bool_)
    for late in range(min(_LONGEST_OUTAGE_HOURS, bars)):
        is_outage[late:] |= hours[: bars - late] > late
    return is_outage
