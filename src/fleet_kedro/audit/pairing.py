"""Two tables of the same step from two worlds, row beside row."""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped

KEYS = ["timestamp", "asset"]


class Rows(NamedTuple):
    """The keys of paired rows, sorted by both."""

    timestamp: pd.DatetimeIndex
    asset: Shaped[np.ndarray, " rows"]


class Difference(NamedTuple):
    """Where two tables differ: how much at most, and at which row first.

    ``worst`` is infinite where a number faces none, or a row is missing.
    """

    worst: float
    moment: pd.Timestamp
    asset: str
    column: str


class Demand(NamedTuple):
    """Which rows must agree, up to what, and which must not.

    ``unknown`` rows must hold no number in the other world; ``changed`` rows must
    differ, where both worlds have a number.
    """

    agree: Bool[np.ndarray, " rows"]
    tolerance: float | Float[np.ndarray, " rows"] = 0.0
    unknown: Bool[np.ndarray, " rows"] | None = None
    changed: Bool[np.ndarray, " rows"] | None = None


class Pairing:
    """The union of the rows of two tables, with the numbers of both.

    Parameters
    ----------
    base, other
        Frames with ``timestamp`` and ``asset``, unique together, and other columns, the
        same ones in both; the numeric ones can be compared.
    """

    def __init__(self, base: pd.DataFrame, other: pd.DataFrame) -> None:
        self._columns = list(base.select_dtypes(["number", "bool"]).columns)
        base, other = base.set_index(KEYS), other.set_index(KEYS)
        index = base.index.union(other.index)
        self.rows = Rows(
            pd.DatetimeIndex(index.get_level_values(0)),
            index.get_level_values(1).to_numpy(dtype=object),
        )
        self._base, self._in_base = _numbers(base, index, self._columns)
        self._other, self._in_other = _numbers(other, index, self._columns)

    def compare(self, columns: str, demand: Demand) -> tuple[Difference | None, int]:
        """Return the difference, if there is one, and how many numbers were compared.

        Errors
        ------
        ValueError
            When no column has such a name.
        """
        chosen = [i for i, n in enumerate(self._columns) if re.fullmatch(columns, n)]
        if not chosen:
            raise ValueError(f"No column of the table matches {columns!r}.")
        base, other = self._base[:, chosen], self._other[:, chosen]
        wrong = _distance(base, other, demand.tolerance)
        wrong[self._in_base != self._in_other] = np.inf
        wrong[~demand.agree] = 0.0
        if demand.unknown is not None:
            wrong[demand.unknown[:, np.newaxis] & np.isfinite(other)] = np.inf
        if demand.changed is not None:
            wrong[demand.changed[:, np.newaxis] & (base == other)] = np.inf
        compared = int((np.isfinite(base) & demand.agree[:, np.newaxis]).sum())
        return self._first(wrong, chosen), compared

    def _first(
        self, wrong: Float[np.ndarray, "rows columns"], chosen: list[int]
    ) -> Difference | None:
        row, column = np.nonzero(wrong)
        if not len(row):
            return None
        key = self.rows.timestamp[row[0]], str(self.rows.asset[row[0]])
        return Difference(float(wrong.max()), *key, self._columns[chosen[column[0]]])


def _numbers(
    table: pd.DataFrame, index: pd.Index, columns: list[str]
) -> tuple[Float[np.ndarray, "rows columns"], Bool[np.ndarray, " rows"]]:
    """Return the rows of an index from a table, NaN where it has none, and which."""
    position = table.index.get_indexer(index)
    is_there = position >= 0
    numbers = np.full((len(index), len(columns)), np.nan)
    numbers[is_there] = table[columns].to_numpy(np.float64)[position[is_there]]
    return numbers, is_there


def _distance(
    base: Float[np.ndarray, "rows columns"],
    other: Float[np.ndarray, "rows columns"],
    tolerance: float | Float[np.ndarray, " rows"],
) -> Float[np.ndarray, "rows columns"]:
    """Absolute difference where it exceeds the tolerance, else 0; infinite at a NaN.

    The tolerance is relative for numbers above one.
    """
    with np.errstate(invalid="ignore"):
        difference = np.abs(base - other)
    same = (base == other) | (np.isnan(base) & np.isnan(other))
    allowed = np.broadcast_to(np.asarray(tolerance), len(base))[:, np.newaxis]
    size = np.where(np.isfinite(base), np.maximum(1.0, np.abs(base)), 1.0)
    within = difference <= allowed * size
    return np.where(
        same | within, 0.0, np.where(np.isnan(difference), np.inf, difference)
    )
