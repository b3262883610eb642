"""A weighted z-score, for experts that compare columns with each other."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from fleet_kedro.models.learnt import Learnt

KEPT_SCALE = {
    "scale_.mean": Float64[np.ndarray, " columns"],
    "scale_.inverse_deviation": Float64[np.ndarray, " columns"],
}
"""A scale among the learnt attributes of an expert."""


class WeightedScale(NamedTuple):
    """Centre and spread of each column under the sample weights.

    ``z = (x − mean) · inverse_deviation``. A column that is constant in training, such
    as a warning flag whose raised rows all have weight zero, gets an inverse deviation
    of zero: nothing was learnt about it, so it stays silent afterwards.
    """

    mean: Float[np.ndarray, " columns"]
    inverse_deviation: Float[np.ndarray, " columns"]

    @classmethod
    def of(
        cls,
        X: Float[np.ndarray, "rows columns"],
        weight: Float[np.ndarray, " rows"],
    ) -> "WeightedScale":
        """Measure the columns of training rows."""
        share = weight / weight.sum()
        mean = share @ X
        deviation = np.sqrt(share @ np.square(X - mean))
        # Below this, the spread is the rounding error of the mean and nothing else.
        varies = deviation > 1e-6 * np.maximum(1.0, np.abs(mean))
        inverse = np.divide(1.0, deviation, out=np.zeros_like(mean), where=varies)
        return cls(mean, inverse)

    def hand_on(self) -> Learnt:
        """Return the numbers under the names of ``KEPT_SCALE``."""
        return dict(zip(KEPT_SCALE, self, strict=True))

    @classmethod
    def taken_over(cls, learnt: Learnt) -> "WeightedScale":
        """Return the scale among what an expert has learnt."""
        return cls(*(learnt[name] for name in KEPT_SCALE))

    def apply(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, "rows columns"]:
        """Z-scores in float64."""
        return (X - self.mean) * self.inverse_deviation
