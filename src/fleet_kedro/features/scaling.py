"""Outliers bounded at the source, then z-scores from training rows only.

``bound`` knows no statistics: it may be applied before any fold is cut. ``ZScore`` is
affine, so that a matrix of cross-products can be scaled without its rows, and is
learnt from ``ScalingSums``, which add up over blocks of time and over processes: the
next fold of an expanding walk-forward adds its new rows to the old sums.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

# Rows turned into float64 at a time: memory stays flat however long the panel is.
CHUNK_ROWS = 4096
# Relative spread under which a column is constant but for its float32 rounding.
CONSTANT_SPREAD = 1e-7


def bound(
    values: Float[np.ndarray, "..."], unit: float = 1.0
) -> Float[np.ndarray, "..."]:
    """``asinh(values / unit)``: linear within a unit, logarithmic beyond it.

    Odd, strictly increasing, the same for every row, fold and asset; a value of 1e6
    units becomes 14.5. NaN stays NaN; the precision of the input is kept.
    """
    return np.arcsinh(values / values.dtype.type(unit))


@dataclass(frozen=True)
class ScalingSums:
    """Per column: how many finite values, their mean, and their squared deviations.

    Equivalent to count, sum and sum of squares, and it adds up like them (Chan, Golub
    & LeVeque 1983), but a large mean does not swallow a small spread.
    """

    count: Int[np.ndarray, " columns"]
    mean: Float[np.ndarray, " columns"]
    squared_deviation: Float[np.ndarray, " columns"]

    @classmethod
    def of_nothing(cls, n_columns: int) -> "ScalingSums":
        """Return the sums of no rows: what an accumulation starts from."""
        zero = np.zeros(n_columns)
        return cls(np.zeros(n_columns, dtype=np.int64), zero, zero)

    @classmethod
    def from_rows(cls, values: Float[np.ndarray, "rows columns"]) -> "ScalingSums":
        """Sum the rows in float64; NaN and infinite values are left out."""
        total = cls.of_nothing(values.shape[1])
        for chunk in _chunks(values):
            finite = np.isfinite(chunk)
            count = finite.sum(axis=0)
            mean = np.where(finite, chunk, 0.0).sum(axis=0) / np.maximum(count, 1)
            deviation = np.where(finite, chunk - mean, 0.0)
            total = total + cls(count, mean, np.square(deviation).sum(axis=0))
        return total

    def __add__(self, other: "ScalingSums") -> "ScalingSums":
        """Add up both sets of rows."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        shift = other.mean - self.mean
        return ScalingSums(
            count=count,
            mean=self.mean + share * shift,
            squared_deviation=self.squared_deviation
            + other.squared_deviation
            + self.count * share * shift**2,
        )

    @property
    def sum(self) -> Float[np.ndarray, " columns"]:
        """Sum of the finite values of each column."""
        return self.count * self.mean

    @property
    def square_sum(self) -> Float[np.ndarray, " columns"]:
        """Sum of the squares of the finite values of each column."""
        return self.squared_deviation + self.count * self.mean**2


@dataclass(frozen=True)
class ZScore:
    """``(values - mean) / scale``, column by column, with training statistics."""

    mean: Float[np.ndarray, " columns"]
    scale: Float[np.ndarray, " columns"]

    @classmethod
    def from_sums(
        cls, sums: ScalingSums, is_flag: Bool[np.ndarray, " columns"] | None = None
    ) -> "ZScore":
        """Learn mean and population deviation from the sums of training rows.

        A constant column has scale 1: it becomes 0 rather than noise. A flag has mean
        0 and scale 1 and so passes as it is, and so does a column without any value.
        """
        spread = np.sqrt(sums.squared_deviation / np.maximum(sums.count, 1))
        varies = spread > CONSTANT_SPREAD * np.abs(sums.mean)
        passes = np.zeros(spread.size, dtype=bool) if is_flag is None else is_flag
        return cls(
            mean=np.where(passes, 0.0, sums.mean),
            scale=np.where(varies & ~passes, spread, 1.0),
        )

    def transform(
        self, values: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, "rows columns"]:
        """Scale rows of any time; NaN stays NaN, the input's precision is kept."""
        kind = values.dtype
        return (values - self.mean.astype(kind)) / self.scale.astype(kind)


def _chunks(
    values: Float[np.ndarray, "rows columns"],
) -> Iterator[Float[np.ndarray, "chunk columns"]]:
    """Consecutive rows in float64, anchored at the first row."""
    for start in range(0, values.shape[0], CHUNK_ROWS):
        yield values[start : start + CHUNK_ROWS].astype(np.float64)
