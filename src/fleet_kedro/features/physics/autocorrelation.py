"""Lag-1 autocorrelation of returns: the memory of the last hour."""

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.rolling import rolling_co_moments, shift


def autocorrelation(
    log_return: Float[np.ndarray, " bars"], window_bars: int = 168
) -> Float[np.ndarray, " bars"]:
    """Pearson correlation of ``r[i]`` with ``r[i - 1]`` in the last ``window_bars``.

    A window of ``window_bars`` returns holds ``window_bars - 1`` pairs. No unit, in
    [-1, 1]. The value at ``t`` uses returns ``t - window_bars + 1 .. t``; NaN until
    the window is full, where it holds a NaN and where the returns do not vary.
    """
    pairs = rolling_co_moments(shift(log_return, 1), log_return, window_bars - 1)
    scale = np.sqrt(pairs.squares_x) * np.sqrt(pairs.squares_y)
    varies = scale > 0.0
    correlation = np.where(varies, pairs.products, np.nan) / np.where(varies, scale, 1)
    return np.clip(correlation, -1.0, 1.0)
