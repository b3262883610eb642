"""Stress: a straight line that cannot be carried away.

The expert for rough weather: few degrees of freedom, every input bounded, both classes
heard equally. The intercept correction is the prior correction of King and Zeng (2001,
"Logistic regression in rare events data", section 4.1), for weights, not for sampling.
"""

from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64
from pydantic import Field
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from fleet_kedro.config import Config
from fleet_kedro.models.experts.base import BinaryExpert
from fleet_kedro.models.experts.standardise import KEPT_SCALE, WeightedScale
from fleet_kedro.models.learnt import Learnt


class StressSettings(Config):
    """How short a leash the line is kept on."""

    penalty: float = Field(
        default=0.01, gt=0, description="λ, beside the mean loss of a row."
    )
    limit_deviations: float = Field(
        default=3.0, gt=0, description="Where a z-scored input is cut off."
    )


class StressExpert(BinaryExpert):
    """Logistic regression on bounded inputs, class-weighted, then set right again.

    Inputs are weighted z-scores cut at ``± limit_deviations``. With ``W₁`` and ``W₀``
    the total weights of the classes, a row of class ``c`` counts ``v = w / (2 W_c)``,
    so that each class weighs one half, and ``(a, b)`` minimise ::

        Σ v ℓ(y, a + b·z)  +  ½ λ |b|²

    Weighting multiplies the odds of every input by ``W₀ / W₁``. What was fitted is
    therefore ``logit p(z) + log(W₀ / W₁)``, and subtracting that constant,
    ``a ← a + log(W₁ / W₀)``, restores the odds of the unweighted world.

    Bounded inputs bound the answer: no row, however wild, moves the log odds by more
    than ``limit_deviations · Σ|b|``. A column that is constant in training is ignored.
    """

    settings_type = StressSettings
    kept: ClassVar = {
        "coef_": Float64[np.ndarray, " columns"],
        "intercept_": float,
        **KEPT_SCALE,
    }

    def __init__(self, *, penalty: float = 0.01, limit_deviations: float = 3.0) -> None:
        self.penalty = penalty
        self.limit_deviations = limit_deviations

    def _learn(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> None:
        self.scale_ = WeightedScale.of(X, weight)
        positive = float(weight @ y)
        negative = float(weight.sum()) - positive
        balanced = weight * np.where(y == 1.0, 0.5 / positive, 0.5 / negative)
        # The balanced weights sum to one, so C weighs the mean loss against λ.
        # Newton's steps suit many rows and few columns, and take no random start.
        model = LogisticRegression(
            C=1.0 / self.penalty, solver="newton-cholesky", tol=1e-8
        ).fit(self._bounded(X), y, sample_weight=balanced)
        self.coef_ = model.coef_[0]
        self.intercept_ = float(model.intercept_[0] + np.log(positive / negative))

    def _probability(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, " rows"]:
        odds = self._bounded(X) @ self.coef_ + self.intercept_
        return np.asarray(expit(odds))

    def _hand_on(self) -> Learnt:
        line = {"coef_": self.coef_, "intercept_": self.intercept_}
        return line | self.scale_.hand_on()

    def _take_over(self, learnt: Learnt) -> None:
        self.scale_ = WeightedScale.taken_over(learnt)
        self.coef_, self.intercept_ = learnt["coef_"], learnt["intercept_"]

    def _bounded(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, "rows columns"]:
        limit = self.limit_deviations
        return np.clip(self.scale_.apply(X), -limit, limit)
