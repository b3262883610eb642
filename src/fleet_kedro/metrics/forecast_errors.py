"""How far forecasts of returns miss, beside the forecast that says nothing moves.

Every function reads plain arrays of one length, a row per forecast whose outcome is
known; NaN is refused. Forecasts and outcomes are log returns. An error means little
alone: in calm months every forecast has a small one. So each stands beside the zero
forecast's, and a gain over zero beside what chance would make of it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from statsmodels.tsa.stattools import diebold_mariano_test

from fleet_kedro.metrics.bootstrap import BlockBootstrap

_LAGS_PER_HORIZON = 4  # falling weights that end with the overlap would miss a third


class ForecastErrors(NamedTuple):
    """Errors of a forecast and of the zero forecast on the same rows.

    Attributes
    ----------
    rmse, zero_rmse
        Root mean square error of the log return, a fraction.
    rmse_price, zero_rmse_price
        The same for the price ``close · exp(return)``, in quote currency.
    calls
        Rows on which the forecast names a direction and the price moved.
    directional_accuracy
        Share of the calls that are right; NaN without one.
    majority_share
        Share of the commoner direction among the calls: what naming it always is
        worth.
    """

    rows: int
    rmse: float
    zero_rmse: float
    rmse_price: float
    zero_rmse_price: float
    calls: int
    directional_accuracy: float
    majority_share: float

    @property
    def skill(self) -> float:
        """``1 - RMSE / RMSE_zero``: 0 says nothing, 1 is perfect; NaN if all is 0."""
        return 1 - self.rmse / self.zero_rmse if self.zero_rmse else float("nan")

    @property
    def r_squared(self) -> float:
        """``1 - MSE / MSE_zero``: the mean is taken as zero, not as what it was."""
        return 1 - (1 - self.skill) ** 2


class DieboldMariano(NamedTuple):
    """Statistic (positive where the forecast beats zero) and two-sided p-value."""

    statistic: float
    p_value: float


def forecast_errors(
    forecast: Float[np.ndarray, " rows"],
    outcome: Float[np.ndarray, " rows"],
    close: Float[np.ndarray, " rows"],
) -> ForecastErrors:
    """Measure forecasts; ``close`` is the price that the returns start from.

    NaN wherever a share or a mean is taken of no row.
    """
    is_call = (forecast != 0) & (outcome != 0)
    rose = outcome[is_call] > 0
    said_up = forecast[is_call] > 0
    share_up = _mean(rose)
    came = close * np.exp(outcome)
    return ForecastErrors(
        rows=len(outcome),
        rmse=_root_mean_square(outcome - forecast),
        zero_rmse=_root_mean_square(outcome),
        rmse_price=_root_mean_square(came - close * np.exp(forecast)),
        zero_rmse_price=_root_mean_square(came - close),
        calls=int(is_call.sum()),
        directional_accuracy=_mean(rose == said_up),
        majority_share=max(share_up, 1 - share_up),
    )


def skill_interval(
    forecast: Float[np.ndarray, " rows"],
    outcome: Float[np.ndarray, " rows"],
    day: Int[np.ndarray, " rows"],
    bootstrap: BlockBootstrap,
) -> tuple[float, float]:
    """Return the block bootstrap's interval of the skill.

    Squared errors are added up by ``day``, any number that grows with time; days are
    drawn in blocks. NaN without a row.
    """
    if not len(day):
        return float("nan"), float("nan")
    _, place = np.unique(day, return_inverse=True)
    daily = np.stack(
        [
            np.bincount(place, np.square(outcome - forecast)),
            np.bincount(place, np.square(outcome)),
        ],
        axis=1,
    )
    own, zero = bootstrap.resampled_sums(daily).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return bootstrap.interval(1 - np.sqrt(own / zero))


def diebold_mariano(
    forecast: Float[np.ndarray, " rows"],
    outcome: Float[np.ndarray, " rows"],
    horizon_bars: int,
) -> DieboldMariano:
    """Test whether squared errors differ from the zero forecast's, hour by hour.

    Diebold and Mariano, "Comparing predictive accuracy" (Journal of Business and
    Economic Statistics 13(3), 1995), with the small-sample correction of Harvey,
    Leybourne and Newbold, "Testing the equality of prediction mean squared errors"
    (International Journal of Forecasting 13(2), 1997). Outcomes overlap for
    ``horizon_bars``; the Newey-West lags reach four times as far. A fitted model that
    knows nothing loses to zero by its own noise, so a small p-value with a negative
    statistic is the ordinary fate of an overfitted one.

    NaN for too few rows to correct, and for a forecast that misses just as zero does.
    """
    loss_gain = np.square(outcome) - np.square(outcome - forecast)
    lags = _LAGS_PER_HORIZON * horizon_bars
    if len(outcome) <= lags or np.ptp(loss_gain) == 0:
        return DieboldMariano(float("nan"), float("nan"))
    told = diebold_mariano_test(
        outcome,
        np.zeros_like(forecast),
        forecast,
        lags=lags,
        harvey_adj=True,
        horizon=horizon_bars,
    )
    return DieboldMariano(float(told.statistic), float(told.pvalue))


def coverage(
    outcome: Float[np.ndarray, " rows"],
    low: Float[np.ndarray, " rows"],
    high: Float[np.ndarray, " rows"],
) -> float:
    """Return the share of outcomes inside their intervals, ends included.

    Rows without an interval (NaN) are left out; NaN when every row is.
    """
    has_interval = np.isfinite(low) & np.isfinite(high)
    is_inside = (outcome >= low) & (outcome <= high)
    return _mean(is_inside[has_interval])


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _root_mean_square(values: Float[np.ndarray, " rows"]) -> float:
    return float(np.sqrt(_mean(np.square(values))))
