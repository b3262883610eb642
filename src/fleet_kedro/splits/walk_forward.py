"""Past and future, kept apart in time: a purged walk-forward over all assets at once.

Folds are spans of the clock, never of rows, so the same hour of two assets always falls
on the same side. López de Prado (2018), ch. 7: a training row is *purged* when the
window of its label reaches the validation span, and an *embargo* keeps further bars
empty next to it. Here the embargo lies on both sides of the validation span: before
it, because neighbouring rows share nearly all of the candles behind their features;
after it, as in section 7.4.2 of the book.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.market.schema import BAR

NO_TIME = pd.Timedelta(0)


@dataclass(frozen=True)
class Fold:
    """One step of the walk: train on the past, look at the next span.

    All spans are half open, ``[start, end)``, and compare with the open time of a row.
    ``number`` counts the scored folds from 1; a warm-up fold has a number below 1: its
    forecasts teach the gate, the calibration and the thresholds, and are never scored.
    An asset takes part once it is ``min_history`` old at the end of the training span.
    """

    number: int
    train_start: pd.Timestamp
    train_end: pd.Timestamp
    validation_start: pd.Timestamp
    validation_end: pd.Timestamp
    min_history: pd.Timedelta = NO_TIME

    @property
    def is_scored(self) -> bool:
        """Whether the forecasts of this fold count."""
        return self.number >= 1

    def trains_on(self, timestamp: pd.DatetimeIndex) -> Bool[np.ndarray, " rows"]:
        """Mark the rows that may be learnt from."""
        return np.asarray(
            (timestamp >= self.train_start) & (timestamp < self.train_end)
        )

    def admits(self, first: pd.Timestamp) -> bool:
        """Whether an asset whose first bar opens at ``first`` is old enough by then."""
        return bool(self.train_end - first >= self.min_history)

    def validates_on(self, timestamp: pd.DatetimeIndex) -> Bool[np.ndarray, " rows"]:
        """Mark the rows that are forecast."""
        return np.asarray(
            (timestamp >= self.validation_start) & (timestamp < self.validation_end)
        )


class WalkForward(Config):
    """Cut a window into ``folds`` equal validation spans behind a first training span.

    The window is cut into ``folds + 1`` equal parts. The first one is training only; in
    it, ``warmup_folds`` smaller steps yield the first out-of-sample forecasts. A row is
    trained on when it lies at least ``purge_bars + embargo_bars`` before the validation
    span, so that its label is known one embargo before the first validation row.
    """

    folds: int = Field(ge=1, description="Scored validation spans.")
    warmup_folds: int = Field(ge=1, description="Unscored steps before the first.")
    horizon_bars: int = Field(ge=1, description="Horizon H of the label.")
    embargo_bars: int = Field(ge=0, description="Further bars kept empty.")
    mode: Literal["expanding", "rolling"] = Field(
        description="Train on the whole past, or on its last train_bars."
    )
    train_bars: int | None = Field(
        default=None, ge=1, description="Length of a rolling training span."
    )

    min_history_days: int | None = Field(
        default=None,
        ge=1,
        description="Age at which a late listing joins; None: whatever its age.",
    )

    @model_validator(mode="after")
    def _rolling_has_a_length(self) -> "WalkForward":
        if (self.mode == "rolling") != (self.train_bars is not None):
            raise ValueError(
                f"mode {self.mode!r} with train_bars {self.train_bars}: a rolling "
                "walk needs train_bars, an expanding one must not have it."
            )
        return self

    @property
    def purge_bars(self) -> int:
        """Bars after which the label of a row is known: it trades at the next open."""
        return self.horizon_bars + 1

    def split(self, start: pd.Timestamp, end: pd.Timestamp) -> list[Fold]:
        """Return the warm-up folds and then the scored ones, in time order.

        Parameters
        ----------
        start, end
            Open times of the first and the last bar of the window, both inclusive.

        Raises
        ------
        ValueError
            If the window is too short for a training span before every fold.
        """
        n_bars = int((end - start) / BAR) + 1
        first_part = n_bars // (self.folds + 1)
        warmup_edges = np.linspace(0, first_part, self.warmup_folds + 2)[1:]
        scored_edges = np.linspace(first_part, n_bars, self.folds + 1)[1:]
        edges = np.concatenate([warmup_edges, scored_edges]).round().astype(int)
        shortest_train = int(edges[0]) - self.purge_bars - self.embargo_bars
        if shortest_train < 1:
            raise ValueError(self._too_short(n_bars))
        return [
            self._fold(number, start, int(left), int(right))
            for number, (left, right) in enumerate(
                itertools.pairwise(edges), start=1 - self.warmup_folds
            )
        ]

    def _fold(self, number: int, start: pd.Timestamp, left: int, right: int) -> Fold:
        """Build the fold that validates on the bars ``left .. right - 1``."""
        train_end = left - self.purge_bars - self.embargo_bars
        train_start = 0 if self.train_bars is None else train_end - self.train_bars
        return Fold(
            number=number,
            train_start=start + max(train_start, 0) * BAR,
            train_end=start + train_end * BAR,
            validation_start=start + left * BAR,
            validation_end=start + right * BAR,
            min_history=pd.Timedelta(days=self.min_history_days or 0),
        )

    def _too_short(self, n_bars: int) -> str:
        kept_empty = self.purge_bars + self.embargo_bars
        needed = (self.folds + 1) * (self.warmup_folds + 1) * (kept_empty + 1)
        return (
            f"{n_bars} bars hold no training span for {self.folds} folds with "
            f"{self.warmup_folds} warm-up folds: {kept_empty} bars before each are "
            f"purged or under embargo. Use about {needed} bars or more, or fewer folds."
        )


def first_scored_with(folds: Sequence[Fold], first: pd.Timestamp) -> Fold:
    """Return the first scored fold that admits an asset whose first bar is given.

    The last fold if none does: nothing of the asset is scored then.
    """
    scored = [fold for fold in folds if fold.is_scored]
    return next((fold for fold in scored if fold.admits(first)), scored[-1])
