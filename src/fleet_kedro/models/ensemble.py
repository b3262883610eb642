r"""Several forecasts and the zero forecast in one: weights that have to be earned.

With the outcome ``z`` and the members' forecasts ``φ`` in units of volatility, weights
``w`` lower the mean squared error of the zero forecast by

.. math:: E[z^2] - E[(z - w^T φ)^2] = 2 w^T g - w^T G w,
          \qquad g = E[z φ], \quad G = E[φ φ^T].

Least squares maximises this as if ``g`` were known. Out of sample it is known up to a
covariance ``S``, and hourly returns hold so little to learn that most of what least
squares finds is that uncertainty. So the weights maximise a lower confidence bound of
the gain instead, ``c`` standard errors below what was seen:

.. math:: \max_w \; 2 \left( w^T g - c \sqrt{w^T S w} \right) - w^T G w,
          \qquad w \ge 0, \quad \sum_j w_j \le 1.

What is missing to a sum of one belongs to the zero forecast. The problem is convex: it
is least squares that is robust against an ellipsoid of wrong ``g`` (El Ghaoui and
Lebret, "Robust solutions to least-squares problems with uncertain data", SIAM Journal
on Matrix Analysis and Applications 18(4), 1997). Combining forecasts by constrained
least squares goes back to Granger and Ramanathan, "Improved methods of combining
forecasts" (Journal of Forecasting 3(2), 1984).

How large ``c`` is depends on the evidence. Let ``T`` be the largest ``t`` statistic
``wᵀg / √(wᵀSw)`` that any weights reach. The more members there are, the larger it
becomes by luck alone: if all are clueless and independent, ``T²`` is a mixture of
chi-squares (Silvapulle and Sen, "Constrained Statistical Inference", 2005, section
3.5), of which ``b`` is the root of a high quantile. Up to ``T = b`` no weight is
credible, and all are exactly zero; beyond, ``c = b² / T``. A single member's least
squares weight is thus multiplied by ``1 - (b / T)²``, as in the non-negative garrote
(Breiman, Technometrics 37(4), 1995): little is taken from what is well founded.

``S`` is the covariance of the mean of ``φ`` times what least squares leaves unexplained
of ``z``. Labels overlap for ``h`` hours, so it is that of Newey and West (1987), whose
falling weights reach over several horizons: neighbours that share hours do not count
as new evidence. Units of volatility let calm and wild hours say equally much; in plain
returns, a few wild weeks would decide.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import brentq, nnls
from scipy.special import chdtrc, comb

from fleet_kedro.config import Config

Members = Float[np.ndarray, " members"]

_LAGS_PER_HORIZON = 4  # Bartlett weights that end with the overlap would miss a third
_NO_SIZE = 1e-9  # of the root mean square outcome; a smaller forecast says nothing
_FARTHEST = 40.0  # standard errors; beyond it every chance is zero
_NARROWEST = 1e-6  # of the unpenalised spread; weights that small are none


class EnsembleSettings(Config):
    """How much evidence a weight needs."""

    confidence: float = Field(
        default=0.99,
        ge=0,
        lt=1,
        description="Chance that clueless members get no weight; 0: least squares.",
    )
    ridge: float = Field(
        default=1e-3,
        gt=0,
        description="Share added to the diagonals, so that twins share their weight.",
    )
    fewest_outcomes: int = Field(
        default=30, ge=1, description="Outcomes without overlap, below which all is 0."
    )


def ensemble_weights(
    forecast: Float[np.ndarray, "rows members"],
    outcome: Float[np.ndarray, " rows"],
    unit: Float[np.ndarray, " rows"],
    horizon_bars: int,
    settings: EnsembleSettings,
) -> Members:
    """Return the weight of each member; one minus their sum is the zero forecast's.

    Parameters
    ----------
    forecast, outcome
        Log returns over ``horizon_bars``, oldest first; forecasts must be out of
        sample. A row with a NaN, be it of one member only, is left out.
    unit
        Volatility of each row over the horizon, in the same unit; positive.

    Returns
    -------
    numpy.ndarray
        Zero or more each, at most one together. All zero where less than
        ``fewest_outcomes`` outcomes are known that do not overlap.
    """
    is_known = np.isfinite(forecast).all(axis=1) & np.isfinite(outcome)
    said = forecast[is_known] / unit[is_known, np.newaxis]
    came = outcome[is_known] / unit[is_known]
    weights = np.zeros(forecast.shape[1])
    if len(came) < settings.fewest_outcomes * horizon_bars:
        return weights
    speaks = np.mean(said**2, axis=0) > _NO_SIZE**2 * np.mean(came**2)
    if speaks.any():
        evidence = _Evidence.of(said[:, speaks], came, horizon_bars, settings.ridge)
        weights[speaks] = _credible(evidence, settings.confidence)
    return weights


def combine(
    forecast: Float[np.ndarray, "rows members"], weights: Members
) -> Float[np.ndarray, " rows"]:
    """Return the weighted sum; NaN where a member that has a weight says NaN."""
    has_weight: Bool[np.ndarray, " members"] = weights > 0
    return forecast[:, has_weight] @ weights[has_weight]


def _credible(evidence: "_Evidence", confidence: float) -> Members:
    """Maximise the lower confidence bound of the gain.

    At the optimum the root ``√(wᵀSw)`` can be replaced by a square that touches it
    there: the weights are the least squares solution for ``G + (c / s) S`` whose own
    spread is ``s``. The spread less ``s`` changes its sign once, so ``s`` is found by
    bisection.
    """
    largest = evidence.largest_t()
    by_luck = _largest_by_luck(evidence.directions(), confidence)
    if largest <= by_luck:
        return np.zeros_like(evidence.covariance)
    unpenalised = evidence.weights(0.0)
    widest = evidence.spread(unpenalised)
    standard_errors = by_luck**2 / largest
    if standard_errors == 0 or widest == 0:
        return unpenalised

    def excess(size: float) -> float:
        weights = evidence.weights(standard_errors / size)
        return evidence.spread(weights) - size

    narrowest = _NARROWEST * widest
    if excess(narrowest) <= 0:
        return np.zeros_like(evidence.covariance)
    size = brentq(excess, narrowest, widest, xtol=1e-12 * widest)
    return evidence.weights(standard_errors / size)


def _largest_by_luck(directions: float, confidence: float) -> float:
    """Return the quantile of the largest ``t`` that clueless members reach together.

    For ``m`` independent ones, ``k`` point the right way with the chance of ``k`` heads
    in ``m`` throws, and ``T²`` is then chi-square with ``k`` degrees of freedom. What
    lies between two whole numbers of directions is interpolated.
    """
    fewer = math.floor(directions)
    quantiles = [_orthant_quantile(count, confidence) for count in (fewer, fewer + 1)]
    return float(np.interp(directions, [fewer, fewer + 1], quantiles))


def _orthant_quantile(directions: int, confidence: float) -> float:
    right = np.arange(1, directions + 1)
    chance = comb(directions, right) / 2.0**directions
    if chance.sum() <= 1 - confidence:
        return 0.0

    def beyond(largest: float) -> float:
        return float(chance @ chdtrc(right, largest**2)) - (1 - confidence)

    return float(brentq(beyond, 0.0, _FARTHEST))


class _Evidence(NamedTuple):
    """``g``, ``G`` and ``S``: all that the weights follow from."""

    covariance: Members
    second_moment: Float[np.ndarray, "members members"]
    error: Float[np.ndarray, "members members"]

    @classmethod
    def of(
        cls,
        said: Float[np.ndarray, "rows members"],
        came: Float[np.ndarray, " rows"],
        horizon_bars: int,
        ridge: float,
    ) -> "_Evidence":
        """Measure forecasts and outcomes in units of volatility."""
        covariance = said.T @ came / len(said)
        second_moment = _ridged(said.T @ said / len(said), ridge)
        # What least squares leaves unexplained is all that blurs the covariance.
        missed = came - said @ _least_squares(second_moment, covariance)
        error = _error_of_mean(said * missed[:, np.newaxis], horizon_bars)
        return cls(covariance, second_moment, _ridged(error, ridge))

    def weights(self, penalty: float) -> Members:
        """Return the least squares solution for ``G + penalty S``."""
        return _least_squares(
            self.second_moment + penalty * self.error, self.covariance
        )

    def spread(self, weights: Members) -> float:
        """Return the standard error of ``wᵀg``."""
        return math.sqrt(weights @ self.error @ weights)

    def directions(self) -> float:
        """Return how many independent members would err as freely as these do.

        ``m² / Σ ρ²`` over all pairs: ``m`` where their errors are uncorrelated, 1 where
        all are one.
        """
        scale = np.sqrt(np.diag(self.error))
        known = scale > 0
        alike = self.error[np.ix_(known, known)] / np.outer(scale[known], scale[known])
        return known.sum() ** 2 / np.sum(alike**2) if known.any() else 1.0

    def largest_t(self) -> float:
        """Return the largest ``wᵀg / √(wᵀSw)`` of all ``w >= 0``; infinite if exact."""
        scale = np.sqrt(np.diag(self.error))
        if (scale == 0).any():
            return math.inf
        root = cholesky(self.error / np.outer(scale, scale), lower=True)
        aim = solve_triangular(root, self.covariance / scale, lower=True)
        _, missed = nnls(root.T, aim)
        return math.sqrt(max(float(aim @ aim) - float(missed) ** 2, 0.0))


def _least_squares(
    second_moment: Float[np.ndarray, "members members"], covariance: Members
) -> Members:
    """Minimise ``wᵀGw - 2 wᵀg`` over ``w >= 0`` with a sum of at most one.

    With ``G = RᵀR`` and ``Rᵀb = g`` that is the point of a simplex at which ``b - Rw``
    is shortest; the corner at ``b`` is the zero forecast's. Non-negative least squares
    for ``[errors; 1] x = [0; 1]`` finds that point up to a factor (Lawson and Hanson,
    "Solving least squares problems", 1974, ch. 23); a sum of one restores it.
    """
    root = cholesky(second_moment, lower=True)
    aim = solve_triangular(root, covariance, lower=True)
    length = math.sqrt(aim @ aim)
    if length == 0:
        return np.zeros_like(covariance)
    errors = np.column_stack([aim, aim[:, np.newaxis] - root.T]) / length
    stacked = np.vstack([errors, np.ones(errors.shape[1])])
    shares, _ = nnls(stacked, np.append(np.zeros_like(aim), 1.0))
    return shares[1:] / shares.sum()


def _error_of_mean(
    products: Float[np.ndarray, "rows members"], horizon_bars: int
) -> Float[np.ndarray, "members members"]:
    """Newey-West covariance of the column means, across the overlap of labels."""
    # Takes a second to import, and whoever knows the weights never weighs.
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    n_rows = len(products)
    lags = min(_LAGS_PER_HORIZON * horizon_bars, n_rows - 1)
    return S_hac_simple(products - products.mean(axis=0), nlags=lags) / n_rows**2


def _ridged(
    matrix: Float[np.ndarray, "members members"], share: float
) -> Float[np.ndarray, "members members"]:
    return matrix + share * np.diag(np.diag(matrix))
