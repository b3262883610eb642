"""What mean reversion promises for the label's horizon: inputs of the Elastic expert.

The process is the one of ``ornstein_uhlenbeck``, fitted by least squares among those
that do return: theta is held at 0 or above, and the intercept is fitted again at that
slope. A window without return then gives its plain drift, and every value changes
smoothly as theta passes through 0.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.physics.ornstein_uhlenbeck import (
    LEAST_PERSISTENCE,
    persistence_per_bar,
    residual_deviation,
    transition_moments,
)
from fleet_kedro.features.physics.state import Physics

# A residual below this is round-off of a log price, not noise of a market.
LEAST_DEVIATION = 1e-12


class ElasticFeatures(NamedTuple):
    """One forecast a bar; the field names are the column names."""

    elastic_expected_return: Float[np.ndarray, " bars"]
    elastic_return_volatility: Float[np.ndarray, " bars"]
    elastic_z: Float[np.ndarray, " bars"]


def elastic_features(
    log_close: Float[np.ndarray, " bars"], horizon_bars: int, config: Physics
) -> ElasticFeatures:
    """Forecast the log return over the horizon, its deviation, and their ratio.

    With ``theta``, ``mean`` and ``sigma`` of the fit and horizon ``H`` in bars:

    - ``elastic_expected_return = (mean - x[t]) (1 - exp(-theta H))``; as theta tends
      to 0 it tends to ``H`` times the mean step of the window;
    - ``elastic_return_volatility = sigma sqrt((1 - exp(-2 theta H)) / (2 theta))``;
      as theta tends to 0 it tends to ``sigma sqrt(H)``;
    - ``elastic_z``: the first over the second, finite, not bounded further.

    The first two are log returns over ``H`` bars. With ``config.theta_bars`` as the
    window, the value at ``t`` uses bars ``t - window + 1 .. t``; all NaN until the
    window is full, where it is flat and where the fit leaves no noise (a residual
    under 1e-12).
    """
    moments = transition_moments(log_close, config.theta_bars)
    persistence = np.clip(persistence_per_bar(moments), LEAST_PERSISTENCE, 1.0)
    theta, slope = -np.log(persistence), persistence - 1.0
    step_now = moments.mean_y + slope * (log_close - moments.mean_x)
    deviation = residual_deviation(moments, slope, config.theta_bars)
    is_noisy = deviation > LEAST_DEVIATION
    step_now = np.where(is_noisy, step_now, np.nan)
    deviation = np.where(is_noisy, deviation, np.nan)
    expected = step_now * _geometric_sum(theta, horizon_bars)
    volatility = deviation * np.sqrt(_geometric_sum(2.0 * theta, horizon_bars))
    return ElasticFeatures(expected, volatility, expected / volatility)


def _geometric_sum(
    decay: Float[np.ndarray, " bars"], n_terms: int
) -> Float[np.ndarray, " bars"]:
    """``sum over j < n_terms of exp(-decay j)``, to the last digits near zero decay.

    An hourly step times this sum is the step over the horizon; it is how the two
    formulas above are computed, because ``mean`` itself diverges as theta tends to 0.
    """
    is_walk = decay == 0.0
    ratio = np.expm1(-decay * n_terms) / np.where(is_walk, 1.0, np.expm1(-decay))
    return np.where(is_walk, float(n_terms), ratio)
