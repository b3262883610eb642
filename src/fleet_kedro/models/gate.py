"""The gating network: which expert to trust, given the physics and the asset.

A softmax gate in a mixture of experts (Jacobs, Jordan, Nowlan and Hinton 1991,
"Adaptive mixtures of local experts", equation 1.3). The experts are fixed and their
forecasts out of sample; the gate maximises the likelihood of the mixture itself. Its
gradient compares the gate with the *soft oracle*, the share that each expert has in
what came true; an oracle that names one winner a row throws away by how much it won.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.models.batches import in_equal_batches
from fleet_kedro.models.learnt import Restorable
from fleet_kedro.refine.threads import one_blas_thread

_MOST_STEPS = 300


def oracle(
    expert_probability: Float[np.ndarray, "rows experts"],
    is_positive: Bool[np.ndarray, " rows"],
    weights: Float[np.ndarray, "rows experts"],
) -> Float[np.ndarray, "rows experts"]:
    """Return the soft oracle: each expert's share in what came true.

    ``h_e = g_e p_e(y) / Σ_j g_j p_j(y)``, with ``p_e(y)`` the probability that expert
    ``e`` gave to the outcome. The forecasts must be out of sample: an expert judged on
    rows that it was trained on wins by memory.
    """
    said = weights * _of_outcome(expert_probability, is_positive)
    return np.asarray(said / said.sum(axis=1, keepdims=True))


class GatingNetwork(Restorable, BaseEstimator):
    """Softmax weights of the experts from scaled physics and the asset's code.

    With ``x`` the inputs, ``g(x) = softmax(b + W x)`` and ``E`` experts, ``(b, W)``
    minimise ::

        −mean log Σ_e g_e(x) p_e(y)  +  ½ λ |W|²  +  ½ β |b|²

    from equal weights. ``λ`` is ``penalty``; ``β``, ``balance``, keeps the load
    balanced: an expert starves only when the likelihood insists on it.

    Parameters
    ----------
    flags
        Columns of the physics that are 0/1 and pass unscaled.
    penalty, balance
        Both beside the mean loss of a row.
    """

    kept: ClassVar = {
        "mean_": Float64[np.ndarray, " features"],
        "scale_": Float64[np.ndarray, " features"],
        "bias_": Float64[np.ndarray, " experts"],
        "coef_": Float64[np.ndarray, "inputs experts"],
    }

    def __init__(
        self,
        *,
        flags: Sequence[int] = (),
        penalty: float = 1e-2,
        balance: float = 5e-4,
    ) -> None:
        self.flags = flags
        self.penalty = penalty
        self.balance = balance

    def fit(
        self,
        physics: Float[np.ndarray, "rows features"],
        code: Float[np.ndarray, "rows width"],
        expert_probability: Float[np.ndarray, "rows experts"],
        is_positive: Bool[np.ndarray, " rows"],
    ) -> "GatingNetwork":
        """Learn which expert to trust where, from forecasts made out of sample."""
        self.mean_ = physics.mean(axis=0, dtype=np.float64)
        deviation = physics.std(axis=0, dtype=np.float64)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        self.mean_[list(self.flags)], self.scale_[list(self.flags)] = 0.0, 1.0
        with one_blas_thread():
            problem = _MixtureLoss(
                self._inputs(physics, code),
                expert_probability,
                is_positive,
                self.penalty,
                self.balance,
            )
            self.bias_, self.coef_ = problem.minimum()
        return self

    @property
    def n_inputs_(self) -> int:
        """Width of the gate's input: physics plus code."""
        check_is_fitted(self)
        return int(self.coef_.shape[0])

    def weights(
        self,
        physics: Float[np.ndarray, "rows features"],
        code: Float[np.ndarray, "rows width"],
    ) -> Float[np.ndarray, "rows experts"]:
        """Return positive weights that sum to one in each row."""
        check_is_fitted(self)
        with one_blas_thread():
            score = in_equal_batches(
                lambda inputs: inputs @ self.coef_, self._inputs(physics, code)
            )
        return np.asarray(softmax(score + self.bias_, axis=1))

    def _inputs(
        self,
        physics: Float[np.ndarray, "rows features"],
        code: Float[np.ndarray, "rows width"],
    ) -> Float[np.ndarray, "rows inputs"]:
        return np.hstack([(physics - self.mean_) / self.scale_, code])


class _MixtureLoss(NamedTuple):
    """Minus the penalised mean log likelihood of a mixture, with its gradient."""

    inputs: Float[np.ndarray, "rows inputs"]
    expert_probability: Float[np.ndarray, "rows experts"]
    is_positive: Bool[np.ndarray, " rows"]
    penalty: float
    balance: float

    def minimum(
        self,
    ) -> tuple[Float[np.ndarray, " experts"], Float[np.ndarray, "inputs experts"]]:
        n_experts = self.expert_probability.shape[1]
        found = minimize(
            self.loss_and_gradient,
            np.zeros((1 + self.inputs.shape[1]) * n_experts),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _MOST_STEPS},
        )
        both = found.x.reshape(-1, n_experts)
        return both[0], both[1:]

    def loss_and_gradient(
        self, flat: Float[np.ndarray, " numbers"]
    ) -> tuple[float, Float[np.ndarray, " numbers"]]:
        both = flat.reshape(-1, self.expert_probability.shape[1])
        bias, coef = both[0], both[1:]
        weights = softmax(self.inputs @ coef + bias, axis=1)
        said = weights * _of_outcome(self.expert_probability, self.is_positive)
        likelihood = said.sum(axis=1, keepdims=True)
        # The soft oracle less the gate, row by row.
        surprise = (said / likelihood - weights) / len(weights)
        loss = (
            -np.log(likelihood).mean()
            + 0.5 * self.penalty * np.sum(coef**2)
            + 0.5 * self.balance * np.sum(bias**2)
        )
        gradient = np.vstack(
            [
                self.balance * bias - surprise.sum(axis=0),
                self.penalty * coef - self.inputs.T @ surprise,
            ]
        )
        return float(loss), gradient.ravel()


def _of_outcome(
    expert_probability: Float[np.ndarray, "rows experts"],
    is_positive: Bool[np.ndarray, " rows"],
) -> Float[np.ndarray, "rows experts"]:
    """Return what each expert gave to what happened."""
    return np.where(
        is_positive[:, np.newaxis], expert_probability, 1.0 - expert_probability
    )
