"""Shows how far a long walk is, and tells about each fold as it is scored.

Bars go to standard error and vanish when they are full, so that standard output holds
the report alone. Where nobody watches a terminal, a line per step takes their place.
"""

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from fleet_kedro.reports.console import combining_lines, fold_lines
from fleet_kedro.validation.watcher import FoldOutcome, Watcher

logger = logging.getLogger(__name__)
report_logger = logging.getLogger("fleet_kedro.report")

T = TypeVar("T")


class ConsoleWatcher(Watcher):
    """A progress bar for each step, and the lines of each fold through ``logging``.

    Parameters
    ----------
    round_trip_cost
        What a trade costs, as a fraction of what is traded.
    symbols
        Names of assets at an exchange; canonical names where it holds none.
    console
        Where bars are drawn; standard error when not given.
    """

    def __init__(
        self,
        round_trip_cost: float,
        symbols: Mapping[str, str] | None = None,
        console: Console | None = None,
    ) -> None:
        self._round_trip_cost = round_trip_cost
        self._symbols = symbols
        self._console = console or Console(stderr=True)

    def track(self, items: Iterable[T], title: str) -> Iterable[T]:
        """Yield the items unchanged while showing how many of them are done."""
        total = len(items) if isinstance(items, Sized) else None
        if self._console.is_terminal:
            return self._with_bar(items, title, total)
        logger.info("%s%s", title, "" if total is None else f" ({total})")
        return items

    def on_rows(self, n_assets: int, n_rows: int) -> None:
        """Tell how many samples the fleet makes up."""
        report_logger.info("\n".join(combining_lines(n_assets, n_rows)))

    def on_fold(self, outcome: FoldOutcome) -> None:
        """Tell about a scored fold."""
        lines = fold_lines(outcome, self._round_trip_cost, self._symbols)
        report_logger.info("\n".join(lines))

    def _with_bar(
        self, items: Iterable[T], title: str, total: int | None
    ) -> Iterator[T]:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(
            *columns,
            console=self._console,
            transient=True,
            # A redirected report belongs into its file, not above the bar.
            redirect_stdout=sys.stdout.isatty(),
        ) as progress:
            yield from progress.track(items, total=total, description=title)
