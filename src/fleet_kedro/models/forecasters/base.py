"""What every forecaster promises, and the split by which it knows when to stop."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int64
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.models.forecasters.bars import AssetBars

OnProgress = Callable[[int, int, float | None], None]
"""(steps done, most steps, validation loss) after each epoch or round of trees."""


@runtime_checkable
class Forecaster(Protocol):
    """Forecasts the log return of the next hour and of the next H hours, bar by bar.

    ``fit`` learns from the rows it is given and from no bar after them; a window behind
    a row may reach further back. ``predict`` says what is expected of any usable rows,
    the same for a row whatever rows stand beside it. The same rows and settings give
    the same bytes. A fitted forecaster is its settings and its files, none of which can
    run code.
    """

    def fit(
        self,
        bars: AssetBars,
        rows: Int64[np.ndarray, " rows"],
        on_progress: OnProgress | None = None,
    ) -> "Forecaster":
        """Learn from labelled ``rows``, in time order."""

    def predict(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 2"]:
        """Return the expected log return of 1 and of H hours."""

    @property
    def n_parameters(self) -> int:
        """Numbers that were learnt: weights of a network, leaf values of trees."""

    def to_files(self) -> dict[str, bytes]:
        """Return what was learnt, by file name."""

    def load_files(self, files: Mapping[str, bytes]) -> "Forecaster":
        """Take over what was learnt; forecasts are those of the one that wrote it."""


class StoppingSplit(Config):
    """How much of the training rows tells a forecaster when to stop."""

    share: float = Field(
        default=0.15, gt=0, lt=0.5, description="Last part of the training hours."
    )
    embargo_bars: int = Field(
        default=24, ge=0, description="Bars kept empty beside the purged ones."
    )


class InnerRows(NamedTuple):
    """Rows to learn from, and later ones to stop by; no label reaches the others."""

    learnt: Int64[np.ndarray, " rows"]
    stopping: Int64[np.ndarray, " later"]


def inner_rows(
    bars: AssetBars, rows: Int64[np.ndarray, " rows"], split: StoppingSplit
) -> InnerRows:
    """Cut training rows in time, with purge and embargo between the parts.

    The last ``share`` of the span of time is for stopping; rows are dropped before it
    that lie closer than ``H + 1 + embargo_bars`` bars, as their labels would reach in.

    Raises
    ------
    ValueError
        If either part is left without a row.
    """
    hour = hours_since_epoch(bars.timestamp[rows])
    first_stopping = hour[-1] - round(split.share * (hour[-1] - hour[0]))
    kept_empty = max(bars.horizons) + 1 + split.embargo_bars
    inner = InnerRows(
        rows[hour < first_stopping - kept_empty], rows[hour >= first_stopping]
    )
    if not (len(inner.learnt) and len(inner.stopping)):
        raise ValueError(
            f"{len(rows)} training rows leave {len(inner.learnt)} to learn from and "
            f"{len(inner.stopping)} to stop by, with {kept_empty} bars between them: "
            "give a longer window or fewer folds."
        )
    return inner
