"""The fractal dimension of the price path: how rough the line itself is.

The variogram estimator of Constantine & Hall (1994), *Characterizing surface
smoothness via estimation of effective fractal dimension*; compared with its rivals by
Gneiting, Ševčíková & Percival (2012), *Estimators of fractal dimension*, who use lags
1 and 2. Those two alone make the estimate a function of the lag-1 autocorrelation of
the returns, which is a feature already, so a third lag is added here.
"""

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.physics.power_law import log_log_slope

VARIOGRAM_LAGS = (1, 2, 4)
VARIOGRAM_POWER = 2.0


def fractal_dimension(
    log_price: Float[np.ndarray, " bars"], window_bars: int = 200
) -> Float[np.ndarray, " bars"]:
    """Estimate the dimension of the path of the last ``window_bars`` log prices.

    ``D = 2 - slope / 2``, where the slope is that of the log variogram, ``mean (x[t +
    lag] - x[t]) ** 2``, against the log of lags 1, 2, 4. No unit; 1 for a smooth
    line, 1.5 for a random walk, 2 for a path that fills its plane. Not clipped.

    The value at ``t`` uses bars ``t - window_bars + 1 .. t``; NaN until the window is
    full and where a lag shows no move at all.
    """
    slope = log_log_slope(log_price, window_bars, VARIOGRAM_LAGS, VARIOGRAM_POWER)
    return 2.0 - slope / VARIOGRAM_POWER
