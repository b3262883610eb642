"""Elastic: the price as a weight on a spring.

Under an Ornstein-Uhlenbeck log price the return over the next ``H`` bars is normal,
with a mean ``m`` that pulls back to the level and a deviation ``s`` (Uhlenbeck and
Ornstein 1930; the exact update over a finite step is in Gillespie 1996, section II).
The chance that it beats the round-trip cost ``κ`` then has a closed form, and this
expert starts from it. The prior over its four numbers is a unit-information prior
(Kass and Wasserman 1995, section 2) times a number of rows.
"""

from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float, Float64
from pydantic import Field
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr

from fleet_kedro.config import Config
from fleet_kedro.labels.beats_fleet import LEAST_VOLATILITY
from fleet_kedro.models.experts.base import BinaryExpert

ELASTIC_INPUTS = (
    "elastic_expected_return",
    "elastic_return_volatility",
    "elastic_z",
)


class ElasticSettings(Config):
    """The cost to beat, and how far the data may pull the closed form."""

    cost: float = Field(
        default=0.002, ge=0, description="κ, round trip, as a share of the price."
    )
    prior_rows: float = Field(
        default=500.0, gt=0, description="Rows that the closed form is worth."
    )
    volatility_floor: float = Field(
        default=LEAST_VOLATILITY,
        gt=0,
        description="Smallest s that is believed, as a return.",
    )
    z_limit: float = Field(default=5.0, gt=0, description="Where z is cut off.")


class ElasticExpert(BinaryExpert):
    """Probit on the closed-form inputs, ridged towards the closed form.

    The columns of ``X`` are ``ELASTIC_INPUTS``: ``m`` (expected return over the
    horizon), ``s`` (its deviation) and ``z = m / s``, known at the row's close. ::

        p = Φ(θ₀ + θ₁ z − θ₂ / s + θ₃ m)

    With ``θ* = (0, 1, κ, 0)`` this is the Bayes probability ``Φ((m − κ) / s)`` of a
    true OU process. With ``η = θ·u`` and ``u = (1, z, −1/s, m)``, ``θ`` minimises
    ``−Σ w log Φ(±η) + ½ (θ − θ*)ᵀ Λ (θ − θ*)`` where
    ``Λ = prior_rows · (2/π) Σ w u uᵀ / Σ w`` is the information of that many rows at
    even odds. Where the spring is an illusion, ``θ₁`` falls to zero and the cost term
    is left: an answer that knows volatility alone.
    """

    settings_type = ElasticSettings
    kept: ClassVar = {"coef_": Float64[np.ndarray, "4"]}

    def __init__(
        self,
        *,
        cost: float = 0.002,
        prior_rows: float = 500.0,
        volatility_floor: float = LEAST_VOLATILITY,
        z_limit: float = 5.0,
    ) -> None:
        self.cost = cost
        self.prior_rows = prior_rows
        self.volatility_floor = volatility_floor
        self.z_limit = z_limit

    def _learn(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> None:
        if X.shape[1] != len(ELASTIC_INPUTS):
            raise ValueError(
                f"X has {X.shape[1]} columns; ElasticExpert reads exactly these three: "
                f"{', '.join(ELASTIC_INPUTS)}."
            )
        inputs = self._inputs(X)
        # Columns of one size: 1/s is near 100 and m near 0.01.
        size = np.sqrt(weight @ np.square(inputs) / weight.sum())
        size = np.where(size > 0.0, size, 1.0)
        closed_form = np.array([0.0, 1.0, self.cost, 0.0])
        problem = _RidgedProbit.towards(
            closed_form * size, inputs / size, y, weight, self.prior_rows
        )
        self.coef_ = problem.minimum() / size

    def _probability(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, " rows"]:
        return np.asarray(ndtr(self._inputs(X) @ self.coef_))

    def _inputs(self, X: Float[np.ndarray, "rows 3"]) -> Float[np.ndarray, "rows 4"]:
        """``u = (1, z, −1/s, m)`` with ``s`` floored and ``z`` bounded."""
        expected, volatility, z = X.astype(np.float64).T
        distance = -1.0 / np.maximum(volatility, self.volatility_floor)
        bounded = np.clip(z, -self.z_limit, self.z_limit)
        return np.column_stack([np.ones(len(X)), bounded, distance, expected])


class _RidgedProbit(NamedTuple):
    """Minus the log posterior of a probit and its two derivatives; it is convex."""

    centre: Float[np.ndarray, " k"]
    inputs: Float[np.ndarray, "rows k"]
    sign: Float[np.ndarray, " rows"]
    weight: Float[np.ndarray, " rows"]
    precision: Float[np.ndarray, "k k"]

    @classmethod
    def towards(
        cls,
        centre: Float[np.ndarray, " k"],
        inputs: Float[np.ndarray, "rows k"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
        prior_rows: float,
    ) -> "_RidgedProbit":
        mean_square = (inputs.T * (weight / weight.sum())) @ inputs
        # A trace of an identity keeps collinear columns apart (z and m on one asset).
        information = 2.0 / np.pi * (mean_square + 1e-6 * np.eye(len(centre)))
        return cls(centre, inputs, 2.0 * y - 1.0, weight, prior_rows * information)

    def minimum(self) -> Float[np.ndarray, " k"]:
        found = minimize(
            self.loss,
            self.centre,
            jac=self.gradient,
            hess=self.hessian,
            method="trust-exact",
            options={"gtol": 1e-7 * float(self.weight.sum())},
        )
        return np.asarray(found.x, dtype=np.float64)

    def loss(self, theta: Float[np.ndarray, " k"]) -> float:
        away = theta - self.centre
        likelihood = self.weight @ log_ndtr(self.sign * (self.inputs @ theta))
        return float(0.5 * away @ self.precision @ away - likelihood)

    def gradient(self, theta: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        pull = self.weight * self.sign * _mills(self.sign * (self.inputs @ theta))
        return self.precision @ (theta - self.centre) - pull @ self.inputs

    def hessian(self, theta: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k k"]:
        eta = self.sign * (self.inputs @ theta)
        ratio = _mills(eta)
        curvature = self.weight * ratio * (ratio + eta)
        return self.precision + (self.inputs.T * curvature) @ self.inputs


def _mills(eta: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """``φ(η) / Φ(η)``, without underflow far in the left tail."""
    return np.asarray(np.exp(-0.5 * eta**2 - log_ndtr(eta)) / np.sqrt(2.0 * np.pi))
