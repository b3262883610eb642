"""How well a forecaster learns what is planted, and where there is nothing."""

import numpy as np
from jaxtyping import Float
from planted import attained_share, planted_bars

from fleet_kedro.models.forecasters.base import Forecaster

N_BARS = 12_000
KEPT_EMPTY = 37
"""Bars between training and test rows: H + 1 of the label, and an embargo of a day."""


def share_of_attainable(
    forecaster: Forecaster, seed: int, n_bars: int = N_BARS
) -> Float[np.ndarray, "2"]:
    """Fit on three quarters of a planted series; the share of the best R² on the rest.

    A tenth of the next hour's variance can be known.
    """
    planted = planted_bars(seed, 0.1, n_bars)
    rows = np.flatnonzero(planted.bars.is_labelled)
    training, later = np.split(rows, [3 * len(rows) // 4])
    later = later[KEPT_EMPTY:]
    forecast = forecaster.fit(planted.bars, training).predict(planted.bars, later)
    return attained_share(planted, later, forecast)


def walk_beside_zero(forecaster: Forecaster, seed: int) -> Float[np.ndarray, "2"]:
    """Fit likewise on a random walk; the RMSE on the rest over the zero forecast's."""
    bars = planted_bars(seed, 0.0, N_BARS).bars
    rows = np.flatnonzero(bars.is_labelled)
    training, later = np.split(rows, [3 * len(rows) // 4])
    later = later[KEPT_EMPTY:]
    forecast = forecaster.fit(bars, training).predict(bars, later)
    missed = np.square(bars.target[later] - forecast).mean(axis=0)
    return np.sqrt(missed / np.square(bars.target[later]).mean(axis=0))
