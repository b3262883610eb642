"""The generalised Hurst exponent: whether a move tends to go on or to turn back.

Di Matteo, Aste & Dacorogna (2005), *Long-term memories of developed and emerging
markets*, at ``q = 1``. They average over several longest lags up to 19;
here one line is drawn through lags that double, so that every scale counts once.
"""

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.physics.power_law import log_log_slope

HURST_LAGS = (1, 2, 4, 8, 16)
# The mean absolute move: finite under fat tails, where the fourth moment that the
# error of ``q = 2`` hangs on is not.
HURST_ORDER = 1.0


def hurst(
    log_price: Float[np.ndarray, " bars"], window_bars: int = 200
) -> Float[np.ndarray, " bars"]:
    """Estimate the generalised Hurst exponent of the last ``window_bars`` log prices.

    ``H(q) = slope of log mean |x[t + lag] - x[t]| ** q against log lag, over q``, with
    ``q = 1`` and lags 1, 2, 4, 8, 16. No unit; 0.5 for a random walk, above it for
    persistent and below it for anti-persistent moves. Not clipped: an estimate from
    200 bars scatters by about 0.06, beyond [0, 1] in extreme windows.

    The value at ``t`` uses bars ``t - window_bars + 1 .. t``; NaN until the window is
    full and where a lag shows no move at all.
    """
    slope = log_log_slope(log_price, window_bars, HURST_LAGS, HURST_ORDER)
    return slope / HURST_ORDER
