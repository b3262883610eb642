"""Shows how far the training of one forecaster is."""

import logging
import multiprocessing
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from fleet_kedro.validation.forecaster_training import TrainingWatcher

logger = logging.getLogger(__name__)


class ForecasterProgress(TrainingWatcher):
    """A bar over all fits of a forecaster, and a line when they are done.

    On a terminal the bar names asset, model, fit, step and validation loss, with the
    time that is left. Elsewhere, and in a worker process, where bars of several
    forecasters would overwrite each other, there is the line alone.

    Parameters
    ----------
    n_fits
        How often the forecaster is fitted: once for each fold, and once more.
    console
        Where the bar is drawn; standard error when not given.
    """

    def __init__(
        self, asset: str, kind: str, n_fits: int, console: Console | None = None
    ) -> None:
        self._name = f"{asset} {kind}"
        self._n_fits = n_fits
        console = console or Console(stderr=True)
        is_worker = multiprocessing.parent_process() is not None
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=is_worker or not console.is_terminal,
        )
        self._task = self._progress.add_task(self._name, total=float(n_fits))
        self._fit = 0
        self._loss: float | None = None
        self._started = time.perf_counter()

    def on_fit(self) -> None:
        """Count one more."""
        self._fit += 1

    def on_step(self, done: int, most: int, loss: float | None) -> None:
        """Move the bar."""
        self._loss = loss
        told = "" if loss is None else f" · loss {loss:.4f}"
        self._progress.update(
            self._task,
            completed=self._fit - 1 + done / max(most, 1),
            description=f"{self._name} · fit {self._fit}/{self._n_fits} · "
            f"step {done}/{most}{told}",
        )

    def __enter__(self) -> "ForecasterProgress":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
        if kind is None:
            seconds = time.perf_counter() - self._started
            told = "" if self._loss is None else f", last loss {self._loss:.4f}"
            logger.info(
                "%s: %d fits in %.1f s%s.", self._name, self._fit, seconds, told
            )
