"""A weighted z-score, for experts that compare columns with each other."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


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

    def apply(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, "rows columns"]:
        """Z-scores in float64."""
        return (X - self.mean) * self.inverse_deviation
