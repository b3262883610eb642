"""Shows how far an exchange's candles are fetched: candles a second, and time left.

The bar goes to standard error and vanishes when it is full; where nobody watches a
terminal, a line at the end takes its place.
"""

import logging
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

logger = logging.getLogger(__name__)


class FetchingBar:
    """A context whose value is told what has been fetched, and shows it.

    It is called with an asset, the hours of it just settled, and all hours that were
    missing at the beginning. Nothing is shown until the first call.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            _CandlesPerSecond(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task: TaskID | None = None
        self._fetched = 0
        self._started = 0.0

    def __enter__(self) -> "FetchingBar":
        return self

    def __call__(self, asset: str, settled: int, total: int) -> None:
        """Show that hours of an asset are settled."""
        if self._fetched == 0:
            self._started = time.monotonic()
        self._fetched += settled
        if not self._console.is_terminal:
            return
        if self._task is None:
            self._task = self._progress.add_task("Fetching candles", total=total)
            self._progress.start()
        self._progress.update(
            self._task, advance=settled, description=f"Fetching candles of {asset}"
        )

    @property
    def is_shown(self) -> bool:
        """Whether the bar is on the screen now."""
        return self._progress.live.is_started

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._progress.stop()
        if self._fetched:
            seconds = max(time.monotonic() - self._started, 1e-3)
            logger.info(
                "Settled %s missing hours, %s a second.",
                f"{self._fetched:,}",
                f"{self._fetched / seconds:,.0f}",
            )


class _CandlesPerSecond(ProgressColumn):
    """How fast candles come."""

    def render(self, task: Task) -> Text:
        """Write the speed; nothing before it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} candles/s")
