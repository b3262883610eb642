"""The Ornstein-Uhlenbeck fit: how fast, and where to, the log price returns.

``dx = theta (mean - x) dt + sigma dW`` seen once an hour is ``x[i] - x[i-1] = a + b
x[i-1] + noise`` with ``1 + b = exp(-theta)`` (Smith 2010, *On the simulation and
estimation of the mean-reverting Ornstein-Uhlenbeck process*). Least squares
over a short window sees more return than there is: theta is too large by about
``4 / window_bars`` when it is small (Kendall 1954).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.rolling import CoMoments, rolling_co_moments, shift

# One hour keeps at least this share of a distance from the mean. The half-life is then
# eight minutes or more: hourly candles cannot tell anything faster from it.
LEAST_PERSISTENCE = float(np.exp(-5.0))


class OrnsteinUhlenbeck(NamedTuple):
    """One fit a bar; all NaN until the window is full and where it is flat."""

    theta_per_hour: Float[np.ndarray, " bars"]
    mean: Float[np.ndarray, " bars"]
    sigma: Float[np.ndarray, " bars"]


def ornstein_uhlenbeck(
    log_price: Float[np.ndarray, " bars"], window_bars: int = 168
) -> OrnsteinUhlenbeck:
    """Fit the process to the last ``window_bars`` hourly log prices, bar by bar.

    ``theta_per_hour = -log(1 + b)`` is the speed of return: positive where the price
    returns, negative where it runs away. ``1 + b`` is held at ``exp(-5)`` or above,
    so theta never exceeds 5 per hour; slopes below -1, where the logarithm does not
    exist, also give 5.
    ``mean = -a / b`` is a log price; NaN where ``theta_per_hour <= 0``, for nothing
    is returned to.
    ``sigma`` is the diffusion per square root of an hour, ``s sqrt(2 theta / (1 -
    exp(-2 theta)))``, with ``s`` the residual deviation of the regression.

    The value at ``t`` uses bars ``t - window_bars + 1 .. t``.
    """
    moments = transition_moments(log_price, window_bars)
    persistence = np.maximum(persistence_per_bar(moments), LEAST_PERSISTENCE)
    theta = -np.log(persistence)
    slope = persistence - 1.0
    returns = np.where(slope < 0.0, slope, np.nan)
    residual = residual_deviation(moments, slope, window_bars)
    return OrnsteinUhlenbeck(
        theta_per_hour=theta,
        mean=moments.mean_x - moments.mean_y / returns,
        sigma=residual * np.sqrt(_variance_rate(theta)),
    )


def transition_moments(
    log_price: Float[np.ndarray, " bars"], window_bars: int
) -> CoMoments:
    """Moments of the ``window_bars - 1`` pairs (``x[i-1]``, ``x[i] - x[i-1]``)."""
    before = shift(log_price, 1)
    return rolling_co_moments(before, log_price - before, window_bars - 1)


def persistence_per_bar(moments: CoMoments) -> Float[np.ndarray, " bars"]:
    """Regression coefficient ``1 + b`` of ``x[i]`` on ``x[i-1]``; NaN where flat."""
    varies = np.where(moments.squares_x > 0.0, moments.squares_x, np.nan)
    return 1.0 + moments.products / varies


def residual_deviation(
    moments: CoMoments, slope: Float[np.ndarray, " bars"], window_bars: int
) -> Float[np.ndarray, " bars"]:
    """Estimate the deviation of ``x[i] - x[i-1] - a - slope x[i-1]`` at the best a.

    Two degrees of freedom are spent, on the slope and on the intercept.
    """
    explained = slope * (2.0 * moments.products - slope * moments.squares_x)
    squares = np.maximum(moments.squares_y - explained, 0.0)
    return np.sqrt(squares / (window_bars - 3))


def _variance_rate(theta: Float[np.ndarray, " bars"]) -> Float[np.ndarray, " bars"]:
    """Diffusion variance per unit of residual variance; 1 for a random walk."""
    decay = 2.0 * theta
    is_walk = decay == 0.0
    return np.where(is_walk, 1.0, decay / np.where(is_walk, 1.0, -np.expm1(-decay)))
