"""Who looks on while a walk goes forward: nobody, unless a report chapter does."""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import pandas as pd

from fleet_kedro.splits.walk_forward import Fold

T = TypeVar("T")


class FoldOutcome(NamedTuple):
    """What there is to tell about a fold once it is walked."""

    fold: Fold
    n_columns: int
    n_latents: int
    n_physics: int
    embedding_width: int
    forecasts: pd.DataFrame


class Watcher:
    """Looks on in silence; subclasses show progress and tell about folds."""

    def track(self, items: Iterable[T], title: str) -> Iterable[T]:
        """Yield the items unchanged."""
        del title
        return items

    def on_rows(self, n_assets: int, n_rows: int) -> None:
        """Hear how many rows the fleet has to learn from or forecast."""

    def on_fold(self, outcome: FoldOutcome) -> None:
        """Hear of a scored fold."""
