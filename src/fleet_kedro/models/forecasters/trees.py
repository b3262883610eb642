"""What the tree forecasters share: units, bounded outcomes, what is kept, files.

Each horizon has trees of its own. They read the plain signals of the last bar and
answer in units of trailing volatility, starting from zero: what they do not find is no
forecast, and not the mean return of the past.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Float32, Int64
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.models.forecasters.bars import N_HORIZONS, AssetBars
from fleet_kedro.models.forecasters.base import (
    OnProgress,
    StoppingSplit,
    inner_rows,
)
from fleet_kedro.models.forecasters.shrinkage import kept_share
from fleet_kedro.models.formats import ARRAYS, arrays_from_bytes, arrays_to_bytes

REPORT_EVERY = 10
"""Trees between two reports of progress."""

OnTree = Callable[[int, float | None], None]
"""(trees so far, loss on the later hours if it is known)."""


class TreesSettings(Config):
    """What every tree forecaster is told; each has defaults of its own."""

    n_trees: int = Field(ge=1, description="Most trees of a horizon.")
    max_leaves: int = Field(ge=2, description="Leaves of one tree.")
    min_leaf_outcomes: int = Field(
        ge=1, description="Rows of a leaf, in outcomes that do not overlap: times h."
    )
    l2: float = Field(
        ge=0, description="Outcomes of zero that are added to each leaf: times h."
    )
    row_share: float = Field(gt=0, le=1, description="Rows drawn for each tree.")
    column_share: float = Field(gt=0, le=1, description="Signals that are looked at.")
    clip_target: float = Field(
        default=2.0, gt=0, description="Units at which a learnt return is cut off."
    )
    doubt: float = Field(
        default=1.25,
        ge=0,
        description="Standard errors at which nothing of a forecast is kept.",
    )
    stopping: StoppingSplit = Field(
        default=StoppingSplit(), description="Rows that tell what to keep."
    )
    seed: int = Field(default=0, ge=0, description="Draws rows and columns.")


class BoostedTreesSettings(TreesSettings):
    """How much boosted trees may say; weak signals want little from each."""

    n_trees: int = Field(default=300, ge=1, description="Most trees of a horizon.")
    patience: int = Field(
        default=50, ge=1, description="Trees without a better loss on later rows."
    )
    learning_rate: float = Field(
        default=0.05, gt=0, le=1, description="Share of each tree that is added."
    )
    max_leaves: int = Field(default=8, ge=2, description="Leaves of one tree.")
    min_leaf_outcomes: int = Field(
        default=40, ge=1, description="Rows of a leaf that do not overlap: times h."
    )
    l2: float = Field(
        default=64.0, ge=0, description="Outcomes of zero added to a leaf: times h."
    )


class Lesson(NamedTuple):
    """One horizon's rows: to learn from, and later ones to judge by.

    Outcomes are in units, cut off at ``clip_target``: a crash is learnt as a large
    loss, but does not decide alone what its leaf says.
    """

    signals: Float32[np.ndarray, "rows signals"]
    outcome: Float[np.ndarray, " rows"]
    later_signals: Float32[np.ndarray, "later signals"]
    later_outcome: Float[np.ndarray, " later"]
    horizon: int

    @property
    def loss_of_zero(self) -> float:
        """Mean squared later outcome: what a forecast must come below."""
        return float(np.square(self.later_outcome).mean())


Settings = TypeVar("Settings", bound=TreesSettings)
Booster = TypeVar("Booster")


@dataclass(frozen=True)
class Kept(Generic[Booster]):
    """One horizon's trees, and the share of their forecast that is kept, in [0, 1].

    Where the share is zero there are no trees.
    """

    share: float
    content: bytes
    booster: Booster | None


class TreeForecaster(ABC, Generic[Settings, Booster]):
    """Trees for each horizon, as a forecaster: ``r̂_h = share_h f_h(x) σ √h``.

    All trees are grown on one thread, because a sum that is split over threads rounds
    differently; assets and models run side by side instead.

    Attributes
    ----------
    kept_
        What is kept of each horizon, the short one first.
    """

    suffix: ClassVar[str]
    """How the names of the files end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def _grow(self, lesson: Lesson, on_tree: OnTree) -> bytes | None:
        """Return the trees of one horizon; None if none is better than zero."""

    @abstractmethod
    def _read(self, content: bytes) -> Booster:
        """Read trees; ValueError if these are none."""

    @abstractmethod
    def _answer(
        self, booster: Booster, signals: Float32[np.ndarray, "rows signals"]
    ) -> Float[np.ndarray, " rows"]:
        """Return what the trees say of each row, in units."""

    @abstractmethod
    def _n_leaves(self, booster: Booster) -> int:
        """Count the leaves of all trees."""

    def fit(
        self,
        bars: AssetBars,
        rows: Int64[np.ndarray, " rows"],
        on_progress: OnProgress | None = None,
    ) -> "TreeForecaster[Settings, Booster]":
        """Learn from labelled ``rows``, in time order; the last ones say what to keep.

        Raises
        ------
        ValueError
            If either part is left without a row.
        """
        tell = on_progress or _untold
        # Twice the longest overlap, so that what blocks add up to is hardly correlated.
        block_rows = 2 * max(bars.horizons)
        self.kept_: tuple[Kept[Booster], ...] = tuple(
            self._learn(lesson, self._teller(tell, column), block_rows)
            for column, lesson in enumerate(self._lessons(bars, rows))
        )
        most = N_HORIZONS * self.settings.n_trees
        tell(most, most, None)
        return self

    def predict(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 2"]:
        """Return the expected log return of 1 and of H hours."""
        signals = bars.signals[rows]
        scaled = np.zeros((len(rows), N_HORIZONS))
        for column, kept in enumerate(self.kept_):
            if kept.booster is not None and len(rows):
                scaled[:, column] = kept.share * self._answer(kept.booster, signals)
        return scaled * bars.unit(rows)

    @property
    def n_parameters(self) -> int:
        """Leaf values of all trees; none before it has learnt."""
        return sum(
            self._n_leaves(kept.booster)
            for kept in getattr(self, "kept_", ())
            if kept.booster is not None
        )

    def to_files(self) -> dict[str, bytes]:
        """Return the shares as a file of arrays, and each horizon's trees beside it."""
        share = np.array([kept.share for kept in self.kept_])
        trees = {
            self._name(column): kept.content
            for column, kept in enumerate(self.kept_)
            if kept.booster is not None
        }
        return {ARRAYS: arrays_to_bytes({"share": share}), **trees}

    def load_files(
        self, files: Mapping[str, bytes]
    ) -> "TreeForecaster[Settings, Booster]":
        """Take over shares and trees.

        Raises
        ------
        ValueError
            If a file is missing, is one too many, or cannot be read.
        """
        share: list[float] = _shares(files).tolist()
        trees = {self._name(column) for column in range(N_HORIZONS) if share[column]}
        if files.keys() != {ARRAYS} | trees:
            raise ValueError(
                f"The files are {sorted(files)}, but the shares {share} speak of trees "
                f"in {sorted(trees)}: take the files of one forecaster."
            )
        self.kept_ = tuple(
            self._held(share[column], files.get(self._name(column)))
            for column in range(N_HORIZONS)
        )
        return self

    def _lessons(
        self, bars: AssetBars, rows: Int64[np.ndarray, " rows"]
    ) -> list[Lesson]:
        learnt, later = inner_rows(bars, rows, self.settings.stopping)
        limit = self.settings.clip_target
        outcome, later_outcome = (
            np.clip(bars.scaled_target(part), -limit, limit) for part in (learnt, later)
        )
        return [
            Lesson(
                bars.signals[learnt],
                outcome[:, column],
                bars.signals[later],
                later_outcome[:, column],
                horizon,
            )
            for column, horizon in enumerate(bars.horizons)
        ]

    def _teller(self, tell: OnProgress, column: int) -> OnTree:
        """Count trees over both horizons, and tell of every tenth."""
        n_trees = self.settings.n_trees

        def on_tree(done: int, loss: float | None) -> None:
            if done % REPORT_EVERY == 0:
                tell(column * n_trees + done, N_HORIZONS * n_trees, loss)

        return on_tree

    def _learn(
        self, lesson: Lesson, on_tree: OnTree, block_rows: int
    ) -> "Kept[Booster]":
        """Grow one horizon's trees, and judge them by the later hours."""
        grown = self._held(1.0, self._grow(lesson, on_tree))
        if grown.booster is None:
            return grown
        forecast = self._answer(grown.booster, lesson.later_signals)
        share = kept_share(
            forecast, lesson.later_outcome, block_rows, self.settings.doubt
        )
        return replace(grown, share=share) if share > 0.0 else self._held(0.0, None)

    def _held(self, share: float, content: bytes | None) -> "Kept[Booster]":
        """Hold trees as they are written: who reads them later forecasts alike."""
        if content is None:
            return Kept(0.0, b"", None)
        return Kept(share, content, self._read(content))

    def _name(self, column: int) -> str:
        return f"{('short', 'long')[column]}{self.suffix}"


def _shares(files: Mapping[str, bytes]) -> Float[np.ndarray, "2"]:
    if ARRAYS not in files:
        raise ValueError(f"{ARRAYS} is not among the files {sorted(files)}.")
    arrays = arrays_from_bytes(files[ARRAYS])
    share = arrays.get("share", np.array([]))
    if not (
        arrays.keys() == {"share"}
        and share.dtype == np.float64
        and share.shape == (N_HORIZONS,)
        and np.all((share >= 0.0) & (share <= 1.0))
    ):
        raise ValueError(
            f"{ARRAYS} holds {sorted(arrays)}, not one share in [0, 1] per horizon."
        )
    return share


def _untold(done: int, most: int, loss: float | None) -> None:
    """Tell nobody."""
