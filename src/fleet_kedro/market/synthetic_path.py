"""The path of one synthetic asset, and the candles in which it can be seen."""

import hashlib
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.special import ndtr

from fleet_kedro.market.synthetic_backdrop import (
    VOLATILITY_PERSISTENCE,
    Backdrop,
    autoregression,
    draw_jumps,
)
from fleet_kedro.market.synthetic_dynamics import PriceDynamics

OWN_LOG_VOLATILITY_SD = 0.2
_VOLATILITY_RANGE = (0.2, 6.0)
_LONGEST_WICK = 0.5


class Traits(NamedTuple):
    """What an asset is like: volatility per hour, prices and turnover in quote."""

    base_volatility: float
    start_price: float
    hourly_turnover: float
    sign: float


class AssetPath(NamedTuple):
    """One asset's hidden quantities: x, σ, the scheduled drift and log(close/open)."""

    traits: Traits
    driver: Float[np.ndarray, " bars"]
    volatility: Float[np.ndarray, " bars"]
    drift: Float[np.ndarray, " bars"]
    log_return: Float[np.ndarray, " bars"]


class AssetStreams(NamedTuple):
    """The random streams of one asset; no quantity disturbs another."""

    traits: np.random.Generator
    driver: np.random.Generator
    volatility: np.random.Generator
    noise: np.random.Generator
    jumps: np.random.Generator
    wicks: np.random.Generator
    volume: np.random.Generator


def asset_streams(seed: int, asset: str) -> AssetStreams:
    """Derive the streams from the seed and the name, whoever else is in the fleet."""
    digest = hashlib.blake2b(asset.encode(), digest_size=8).digest()
    rng = np.random.default_rng([seed, int.from_bytes(digest)])
    return AssetStreams(*rng.spawn(len(AssetStreams._fields)))


def draw_traits(rng: np.random.Generator, *, is_contrarian: bool) -> Traits:
    """Draw what sets an asset apart, each on a logarithmic scale."""
    return Traits(
        base_volatility=float(0.005 * 2.2 ** rng.uniform()),
        start_price=float(10 ** rng.uniform(-1, 4.5)),
        hourly_turnover=float(10 ** rng.uniform(6, 8)),
        sign=-1.0 if is_contrarian else 1.0,
    )


def walk(
    traits: Traits, dynamics: PriceDynamics, backdrop: Backdrop, streams: AssetStreams
) -> AssetPath:
    """Draw the driver and the volatility, then let the price follow its equation."""
    bars = len(backdrop.timestamp)
    # One bar more than there are: the first bar's drift stems from the one before it.
    driver = autoregression(bars + 1, dynamics.driver_persistence, streams.driver)
    volatility = _draw_volatility(traits, backdrop, streams.volatility)
    drift = _scheduled_drift(traits, dynamics, backdrop, volatility)
    noise = (
        np.sqrt(dynamics.common_share) * backdrop.factor
        + np.sqrt(1 - dynamics.common_share) * streams.noise.standard_normal(bars)
        + dynamics.edge * traits.sign * driver[:-1]
    )
    own_jump = draw_jumps(bars, dynamics.own_jumps_per_year, streams.jumps)
    jump = dynamics.jump_scale * traits.base_volatility * (backdrop.jump + own_jump)
    log_return = drift + volatility * noise + jump
    return AssetPath(traits, driver[1:], volatility, drift, log_return)


def draw_candles(
    path: AssetPath, backdrop: Backdrop, symbol: str, streams: AssetStreams
) -> pd.DataFrame:
    """Dress the path in candles: bodies, wicks that show the driver, and volume.

    Both wicks together are a Gamma(2) multiple of the volatility times the lower end
    of the body; the upper one's share is Φ(x). Volume is in coins: turnover grows with
    volatility and with the size of the return, and is divided by the price.
    """
    price = path.traits.start_price * np.exp(np.append(0, np.cumsum(path.log_return)))
    open_, close = price[:-1], price[1:]
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    bars = len(open_)
    reach = path.volatility * streams.wicks.gamma(2.0, 0.5, bars)
    wicks = bottom * np.minimum(reach, _LONGEST_WICK)
    return pd.DataFrame(
        {
            "timestamp": backdrop.timestamp,
            "symbol": symbol,
            "open": open_,
            "high": top + wicks * ndtr(path.driver),
            "low": bottom - wicks * ndtr(-path.driver),
            "close": close,
            "volume": _draw_turnover(path, streams.volume) / open_,
        }
    )


def _draw_volatility(
    traits: Traits, backdrop: Backdrop, rng: np.random.Generator
) -> Float[np.ndarray, " bars"]:
    wave = autoregression(len(backdrop.timestamp), VOLATILITY_PERSISTENCE, rng)
    multiple = np.exp(backdrop.log_volatility + OWN_LOG_VOLATILITY_SD * wave)
    return np.asarray(traits.base_volatility * np.clip(multiple, *_VOLATILITY_RANGE))


def _scheduled_drift(
    traits: Traits,
    dynamics: PriceDynamics,
    backdrop: Backdrop,
    volatility: Float[np.ndarray, " bars"],
) -> Float[np.ndarray, " bars"]:
    """Drift that does not depend on the driver: the trend, less the convexity."""
    trend = dynamics.edge * dynamics.trend_strength * volatility * backdrop.direction
    convexity = volatility**2 / 2 + dynamics.jump_compensation(traits.base_volatility)
    return np.asarray(trend - convexity)


def _draw_turnover(
    path: AssetPath, rng: np.random.Generator
) -> Float[np.ndarray, " bars"]:
    liveliness = (
        0.8 * np.log(path.volatility / path.traits.base_volatility)
        + 0.5 * np.log1p(np.abs(path.log_return) / path.volatility)
        + 0.35 * rng.standard_normal(len(path.volatility))
    )
    return np.asarray(path.traits.hourly_turnover * np.exp(liveliness))
