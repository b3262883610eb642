"""Errors of forecasts on rows of a walk, and how much of the skill may be chance."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.market.epoch import days_since_epoch
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.forecast_errors import (
    ForecastErrors,
    forecast_errors,
    skill_interval,
)


class MeasuredSkill(NamedTuple):
    """Errors, and the interval of the skill from a bootstrap over blocks of days."""

    errors: ForecastErrors
    skill_low: float
    skill_high: float


def measure_skill(
    forecast: Float[np.ndarray, " rows"],
    rows: pd.DataFrame,
    horizon: int,
    bootstrap: BlockBootstrap,
) -> MeasuredSkill:
    """Measure forecasts of ``horizon`` hours on rows whose outcome is known.

    Parameters
    ----------
    rows
        ``timestamp``, ``close`` and ``forward_log_return_{h}h``, as a walk leaves them.
    """
    outcome = rows[f"forward_log_return_{horizon}h"].to_numpy()
    day = days_since_epoch(rows["timestamp"])
    return MeasuredSkill(
        forecast_errors(forecast, outcome, rows["close"].to_numpy()),
        *skill_interval(forecast, outcome, day, bootstrap),
    )
