"""How the typical move of a price grows with the time it is given.

``mean |x[t] - x[t - lag]| ** power`` grows like ``lag ** (power * H)`` for a process
that looks alike at all scales. The Hurst exponent and the fractal dimension are two
readings of that line.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.rolling import rolling_mean, shift


def log_log_slope(
    values: Float[np.ndarray, " bars"],
    window_bars: int,
    lags: Sequence[int],
    power: float,
) -> Float[np.ndarray, " bars"]:
    """Slope of ``log mean |x[t] - x[t - lag]| ** power`` against ``log lag``.

    Ordinary least squares over ``lags``. The mean runs over the ``window_bars - lag``
    differences inside the window of ``window_bars`` values that ends at ``t``. NaN
    until the window is full, and where a lag shows no move at all (a flat or exactly
    periodic window), for then there is no line.
    """
    if window_bars <= max(lags):
        raise ValueError(
            f"window_bars is {window_bars}; it must exceed the longest lag, "
            f"{max(lags)}."
        )
    log_lag = np.log(lags)
    centred = log_lag - log_lag.mean()
    leverage = centred / np.square(centred).sum()
    slope = np.zeros(values.size)
    # One lag after the other: a matrix product may round differently with its shape.
    for lag, weight in zip(lags, leverage, strict=True):
        slope += weight * _log_mean_move(values, window_bars, lag, power)
    return slope


def _log_mean_move(
    values: Float[np.ndarray, " bars"], window_bars: int, lag: int, power: float
) -> Float[np.ndarray, " bars"]:
    """Logarithm of the mean absolute move over ``lag`` bars, to a power."""
    moves = np.abs(values - shift(values, lag)) ** power
    mean_move = rolling_mean(moves, window_bars - lag)
    return np.log(np.where(mean_move > 0.0, mean_move, np.nan))
