"""Percentile ranks of the assets hour by hour, in one byte or two each.

Of ``n`` known values a rank is one of ``2 n - 1`` half steps from the lowest to the
highest. That small number is kept, and turned into a percentile for one asset at a
time: the ranks of a large fleet by many statistics are most of what its context holds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped, UInt

from fleet_kedro.features.rolling import Series

# Hours ranked at once: what is needed on the way does not grow with the window.
CHUNK_HOURS = 2048


@dataclass(frozen=True, eq=False)
class PercentileRanks:
    """Rank of each value among the known ones of its hour.

    Attributes
    ----------
    half_steps
        Twice the number of places above the lowest, of mean ranks where values tie;
        the largest number of its type where the value is NaN.
    n_known
        Number of assets with a value.
    """

    half_steps: UInt[np.ndarray, "hours assets"]
    n_known: UInt[np.ndarray, " hours"]

    @classmethod
    def of(cls, values: Float[np.ndarray, "hours assets"]) -> "PercentileRanks":
        """Rank every hour by itself."""
        n_hours, n_assets = values.shape
        # Column by column in memory: an asset is ranked with others and read alone.
        half_steps = np.empty(
            values.shape, dtype=np.min_scalar_type(2 * n_assets), order="F"
        )
        unknown = np.iinfo(half_steps.dtype).max
        for start in range(0, n_hours, CHUNK_HOURS):
            hours = slice(start, start + CHUNK_HOURS)
            rank = pd.DataFrame(values[hours]).rank(axis=1).to_numpy()
            half_steps[hours] = np.where(np.isnan(rank), unknown, 2.0 * rank - 2.0)
        n_known = (half_steps != unknown).sum(axis=1)
        return cls(half_steps, n_known.astype(np.min_scalar_type(n_assets)))

    def of_asset(self, column: int, rows: Shaped[np.ndarray, " bars"]) -> Series:
        """Percentiles of one asset at the given hours, from -1 (lowest) to 1.

        Ties share their mean rank; 0 for a value alone in its hour; NaN where there is
        none. Rounded to float32, as they are stored in the end.
        """
        half_steps = self.half_steps[rows, column]
        is_known = half_steps != np.iinfo(half_steps.dtype).max
        n_known = self.n_known[rows].astype(np.float64)
        percentile = half_steps / np.maximum(n_known - 1.0, 1.0) - 1.0
        percentile[n_known == 1.0] = 0.0
        percentile[~is_known] = np.nan
        return percentile.astype(np.float32).astype(np.float64)
