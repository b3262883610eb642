"""Critical slowing down: a system about to tip recovers ever more slowly.

Scheffer et al. (2009), *Early-warning signals for critical transitions*, Nature 461:
the lag-1 autocorrelation rises and the speed of return falls before a tipping point.
"""

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.physics.rolling import rolling_moments

WARNING_Z = 2.0


def stability_warning(
    acf: Float[np.ndarray, " bars"],
    theta: Float[np.ndarray, " bars"],
    trailing_bars: int = 504,
) -> Float[np.ndarray, " bars"]:
    """1 where the market recovers unusually slowly, 0 where not, NaN where unknown.

    A warning is an ``acf`` more than 2 standard deviations above its mean, or a
    ``theta`` more than 2 below its mean. Mean and deviation (``n - 1``) are those of
    the ``trailing_bars`` bars **before** the present one, so that a jump does not
    hide in its own yardstick. The value at ``t`` therefore uses both series at ``t -
    trailing_bars .. t``; NaN until all of them are known and where one is NaN.
    """
    out = np.full(acf.size, np.nan)
    past = rolling_moments(acf[:-1], theta[:-1], trailing_bars)
    degrees = trailing_bars - 1
    acf_limit = past.mean_x + WARNING_Z * np.sqrt(past.sum_xx / degrees)
    theta_limit = past.mean_y - WARNING_Z * np.sqrt(past.sum_yy / degrees)
    # Compared, not divided: a series that stood still has no z-score to speak of.
    slows = (acf[1:] > acf_limit) | (theta[1:] < theta_limit)
    known = np.isfinite(acf_limit + theta_limit + acf[1:] + theta[1:])
    out[1:] = np.where(known, slows.astype(np.float64), np.nan)
    return out
