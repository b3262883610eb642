"""The state of one market as six numbers per bar: what the gate looks at."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.features.physics.autocorrelation import autocorrelation
from fleet_kedro.features.physics.entropy import permutation_entropy
from fleet_kedro.features.physics.fractal import fractal_dimension
from fleet_kedro.features.physics.hurst import hurst
from fleet_kedro.features.physics.ornstein_uhlenbeck import ornstein_uhlenbeck
from fleet_kedro.features.physics.stability import stability_warning


class Physics(Config):
    """Windows of the six numbers, in bars, the present bar included."""

    hurst_bars: int = Field(default=200, ge=32)
    entropy_bars: int = Field(default=200, ge=32)
    entropy_order: int = Field(
        default=3, ge=2, le=5, description="Returns in one pattern."
    )
    fdi_bars: int = Field(default=200, ge=16)
    theta_bars: int = Field(default=168, ge=16)
    acf_bars: int = Field(default=168, ge=16)
    warning_bars: int = Field(
        default=504, ge=32, description="Yardstick of the warning, before the present."
    )

    @property
    def warm_up_bars(self) -> int:
        """Bars at the start of a segment for which not all six are known."""
        slowest = max(self.theta_bars - 1, self.acf_bars) + self.warning_bars
        return max(self.hurst_bars - 1, self.entropy_bars, self.fdi_bars - 1, slowest)


class PhysicsFeatures(NamedTuple):
    """Six columns; the field names are the column names, ``_asdict()`` the table."""

    physics_hurst: Float[np.ndarray, " bars"]
    physics_entropy: Float[np.ndarray, " bars"]
    physics_fdi: Float[np.ndarray, " bars"]
    physics_theta: Float[np.ndarray, " bars"]
    physics_acf: Float[np.ndarray, " bars"]
    physics_stability_warning: Float[np.ndarray, " bars"]


def physics_features(
    log_close: Float[np.ndarray, " bars"],
    log_return: Float[np.ndarray, " bars"],
    config: Physics,
) -> PhysicsFeatures:
    """Compute the six numbers for one gap-free segment, oldest bar first.

    ``log_return`` is the hourly one and starts with NaN, for the bar before the
    segment is unknown. Each column is NaN until its own window is full; no value at
    ``t`` depends on a bar after ``t``, not even in its last bit.
    """
    acf = autocorrelation(log_return, config.acf_bars)
    theta = ornstein_uhlenbeck(log_close, config.theta_bars).theta_per_hour
    return PhysicsFeatures(
        physics_hurst=hurst(log_close, config.hurst_bars),
        physics_entropy=permutation_entropy(
            log_return, config.entropy_bars, config.entropy_order
        ),
        physics_fdi=fractal_dimension(log_close, config.fdi_bars),
        physics_theta=theta,
        physics_acf=acf,
        physics_stability_warning=stability_warning(acf, theta, config.warning_bars),
    )
