"""Every choice of test groups once: combinatorial purged cross-validation in time.

López de Prado, "Advances in Financial Machine Learning" (2018), chapter 12. The window
is cut into ``N`` groups of hours, and each choice of ``k`` of them is forecast once by
what was learnt from the rest. Each group is thus forecast ``C(N − 1, k − 1)`` times,
and these forecasts are put together into as many paths through the whole window: a
distribution of backtests instead of a single one.

Unlike a walk forward, a split also learns from what came after its test groups. It says
how much a result depends on the hours it was measured on, not what one would have
earned at the time.

Groups are spans of the clock, never of rows. Splitters that count observations, such as
skfolio's ``CombinatorialPurgedCV`` and scikit-learn's ``TimeSeriesSplit``, would purge
``H + 1`` rows of a long panel, which are little more than one hour of eleven assets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.market.schema import BAR

Span = tuple[pd.Timestamp, pd.Timestamp]
"""``[start, end)``, compared with the open time of a row."""


@dataclass(frozen=True)
class CombinatorialFold:
    """One choice of test groups, and what may be learnt for it.

    ``number`` counts from 1; ``test_groups`` count from 0, oldest first, with a span
    each in ``test_spans``. ``train_spans`` are in time order, and never empty.
    """

    number: int
    test_groups: tuple[int, ...]
    train_spans: tuple[Span, ...]
    test_spans: tuple[Span, ...]

    def trains_on(self, timestamp: pd.DatetimeIndex) -> Bool[np.ndarray, " rows"]:
        """Mark the rows that may be learnt from."""
        return _within(self.train_spans, timestamp)

    def validates_on(self, timestamp: pd.DatetimeIndex) -> Bool[np.ndarray, " rows"]:
        """Mark the rows that are forecast."""
        return _within(self.test_spans, timestamp)


class CombinatorialPurged(Config):
    """Cut a window into ``groups`` equal spans, and test on each choice of some.

    ``purge_bars + embargo_bars`` are kept empty on both sides of a test group. Before
    it, the label of the last training row is known one embargo before the first test
    row. After it, the first training row comes one embargo after the last test label is
    known, so that no training row sees the outcome of a test row either.
    """

    groups: int = Field(ge=2, description="N, spans of about equal length.")
    test_groups: int = Field(ge=1, description="k, spans forecast together.")
    horizon_bars: int = Field(ge=1, description="Horizon H of the label.")
    embargo_bars: int = Field(ge=0, description="Further bars kept empty.")

    @model_validator(mode="after")
    def _leaves_something_to_learn_from(self) -> "CombinatorialPurged":
        if self.test_groups >= self.groups:
            raise ValueError(
                f"test_groups {self.test_groups} of {self.groups} groups leave none to "
                "learn from; choose fewer."
            )
        return self

    @property
    def purge_bars(self) -> int:
        """Bars after which the label of a row is known: it trades at the next open."""
        return self.horizon_bars + 1

    @property
    def n_splits(self) -> int:
        """Number of splits: ``groups`` over ``test_groups``."""
        return comb(self.groups, self.test_groups)

    @property
    def n_paths(self) -> int:
        """Number of paths, which is how often each group is forecast."""
        return comb(self.groups - 1, self.test_groups - 1)

    def split(self, start: pd.Timestamp, end: pd.Timestamp) -> list[CombinatorialFold]:
        """Return a fold for each choice of test groups, in lexicographic order.

        Parameters
        ----------
        start, end
            Open times of the first and the last bar of the window, both inclusive.

        Raises
        ------
        ValueError
            If the window is too short for every fold to have a training row.
        """
        n_bars = int((end - start) / BAR) + 1
        edges = np.linspace(0, n_bars, self.groups + 1).round().astype(int).tolist()
        folds = [
            self._fold(number, start, chosen, edges)
            for number, chosen in enumerate(self._choices(), start=1)
        ]
        if min(np.diff(edges)) < 1 or not all(fold.train_spans for fold in folds):
            raise ValueError(self._too_short(n_bars))
        return folds

    def paths(self) -> Int64[np.ndarray, "paths groups"]:
        """Return which fold serves which group on which path, by place in ``split``.

        Path ``p`` takes each group from the ``p``-th of the folds that test it.
        """
        is_tested = np.zeros((self.n_splits, self.groups), dtype=bool)
        for place, chosen in enumerate(self._choices()):
            is_tested[place, list(chosen)] = True
        return np.column_stack([np.flatnonzero(column) for column in is_tested.T])

    def _choices(self) -> Iterator[tuple[int, ...]]:
        return combinations(range(self.groups), self.test_groups)

    def _fold(
        self,
        number: int,
        start: pd.Timestamp,
        chosen: tuple[int, ...],
        edges: list[int],
    ) -> CombinatorialFold:
        test = [(edges[group], edges[group + 1]) for group in chosen]
        kept_empty = self.purge_bars + self.embargo_bars
        ends = [0, *(right + kept_empty for _, right in test)]
        starts = [*(left - kept_empty for left, _ in test), edges[-1]]
        train = [
            (left, right)
            for left, right in zip(ends, starts, strict=True)
            if left < right
        ]
        return CombinatorialFold(
            number, chosen, _spans(start, train), _spans(start, test)
        )

    def _too_short(self, n_bars: int) -> str:
        kept_empty = self.purge_bars + self.embargo_bars
        return (
            f"{n_bars} bars in {self.groups} groups leave a fold without a training "
            f"row: {kept_empty} bars on either side of each test group are purged or "
            f"under embargo. Use {self.groups * (2 * kept_empty + 2)} bars or more, or "
            "fewer groups."
        )


def _spans(start: pd.Timestamp, bars: list[tuple[int, int]]) -> tuple[Span, ...]:
    return tuple((start + left * BAR, start + right * BAR) for left, right in bars)


def _within(
    spans: tuple[Span, ...], timestamp: pd.DatetimeIndex
) -> Bool[np.ndarray, " rows"]:
    inside = np.zeros(len(timestamp), dtype=bool)
    for start, end in spans:
        inside |= np.asarray((timestamp >= start) & (timestamp < end))
    return inside
