"""Platt scaling: a probability that means what it says (Platt, 1999)."""

from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.models.learnt import Restorable
from fleet_kedro.refine.threads import one_blas_thread

_SMALLEST_PROBABILITY = 1e-6
_SMALLEST_SLOPE = 1e-3


class PlattCalibrator(Restorable, BaseEstimator):
    r"""Map a probability to a calibrated one, ``p' = expit(a + b logit(p))``.

    ``a`` and ``b`` minimise the mean log-loss plus ``penalty (b - prior_slope)^2``.
    ``b`` is kept above zero, so the order of the forecasts survives and never turns
    round; a forecaster that knows nothing ends within a hair of the base rate.

    Parameters
    ----------
    penalty
        How strongly the slope is held at ``prior_slope``, per unit of mean log-loss.
    prior_slope
        Slope in the absence of evidence.
    """

    kept: ClassVar = {"intercept_": float, "slope_": float}

    def __init__(self, *, penalty: float = 1e-4, prior_slope: float = 0.0) -> None:
        self.penalty = penalty
        self.prior_slope = prior_slope

    def fit(
        self,
        probability: Float[np.ndarray, " rows"],
        is_positive: Bool[np.ndarray, " rows"],
    ) -> "PlattCalibrator":
        """Fit on forecasts that were made out of sample."""
        score = _score(probability)
        sign = np.where(is_positive, 1.0, -1.0)

        def objective(ab: np.ndarray) -> tuple[float, np.ndarray]:
            margin = sign * (ab[0] + ab[1] * score)
            pull = ab[1] - self.prior_slope
            residual = -sign * expit(-margin)
            loss = -log_expit(margin).mean() + self.penalty * pull**2
            slope = (residual * score).mean() + 2 * self.penalty * pull
            return float(loss), np.array([residual.mean(), slope])

        base = np.clip(is_positive.mean(), _SMALLEST_PROBABILITY, 1 - 1e-6)
        # Two unknowns: more threads would spend their time waiting for one another.
        with one_blas_thread():
            best = minimize(
                objective,
                x0=np.array([logit(base), _SMALLEST_SLOPE]),
                jac=True,
                method="L-BFGS-B",
                bounds=[(None, None), (_SMALLEST_SLOPE, None)],
            )
        self.intercept_, self.slope_ = (float(value) for value in best.x)
        return self

    def predict(
        self, probability: Float[np.ndarray, " rows"]
    ) -> Float[np.ndarray, " rows"]:
        """Return the calibrated probability."""
        check_is_fitted(self)
        return np.asarray(expit(self.intercept_ + self.slope_ * _score(probability)))


def _score(probability: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """Log odds in float64, finite for a forecaster that claims certainty."""
    inside = np.clip(
        probability.astype(np.float64), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY
    )
    return np.asarray(logit(inside))
