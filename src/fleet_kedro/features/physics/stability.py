"""Critical slowing down: a system about to tip recovers ever more slowly.

Scheffer et al. (2009), *Early-warning signals for critical transitions*, Nature 461:
the lag-1 autocorrelation rises and the speed of return falls before a tipping point.
"""

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.rolling import (
    Series,
    rolling_mean_and_squares,
    shift,
)

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
    acf_mean, acf_deviation = _mean_and_deviation(shift(acf, 1), trailing_bars)
    theta_mean, theta_deviation = _mean_and_deviation(shift(theta, 1), trailing_bars)
    # Compared, not divided: a series that stood still has no z-score to speak of.
    slows = (acf > acf_mean + WARNING_Z * acf_deviation) | (
        theta < theta_mean - WARNING_Z * theta_deviation
    )
    known = np.isfinite(acf + acf_mean + theta + theta_mean)
    return np.where(known, slows.astype(np.float64), np.nan)


def _mean_and_deviation(values: Series, window_bars: int) -> tuple[Series, Series]:
    mean, squares = rolling_mean_and_squares(values, window_bars)
    return mean, np.asarray(np.sqrt(squares / (window_bars - 1)))
