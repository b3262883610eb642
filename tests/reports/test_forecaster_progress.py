import io
import logging
import multiprocessing

import pytest
from rich.console import Console

from fleet_kedro.reports.forecaster_progress import ForecasterProgress

LOGGER = "fleet_kedro.reports.forecaster_progress"


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120)


def fit_twice(progress: ForecasterProgress, loss: float | None) -> None:
    """Tell of two fits of four steps each."""
    with progress:
        for _ in range(2):
            progress.on_fit()
            for done in (1, 2, 3, 4):
                progress.on_step(done, 4, loss)


class TestTerminal:
    def test_a_bar_names_asset_model_fit_step_and_loss(self):
        screen = console(terminal=True)
        fit_twice(ForecasterProgress("BTC", "lstm", 2, screen), 0.5)

        assert "BTC lstm · fit 2/2 · step 4/4 · loss 0.5000" in screen.file.getvalue()

    def test_a_forecaster_without_a_loss_has_a_bar_without_one(self):
        screen = console(terminal=True)
        fit_twice(ForecasterProgress("BTC", "random_forest", 2, screen), None)
        drawn = screen.file.getvalue()

        assert "BTC random_forest · fit 2/2 · step 4/4" in drawn
        assert "loss" not in drawn

    def test_a_name_is_no_markup(self):
        screen = console(terminal=True)
        fit_twice(ForecasterProgress("[red]", "lstm", 2, screen), None)

        assert "[red] lstm" in screen.file.getvalue()

    def test_the_bar_is_as_long_as_all_fits_together(self):
        progress = ForecasterProgress("BTC", "lstm", 4, console(terminal=True))
        progress.on_fit()
        progress.on_fit()
        progress.on_step(1, 4, None)
        (task,) = progress._progress.tasks

        assert (task.completed, task.total) == (1.25, 4.0)

    def test_a_forecaster_that_knows_of_no_steps_moves_nothing(self):
        progress = ForecasterProgress("BTC", "lstm", 1, console(terminal=True))
        progress.on_fit()
        progress.on_step(0, 0, None)
        (task,) = progress._progress.tasks

        assert task.completed == 0.0


class TestElsewhere:
    @pytest.mark.parametrize(
        ("loss", "told"), [(0.25, ", last loss 0.2500"), (None, "")]
    )
    def test_a_line_takes_the_place_of_the_bar(self, caplog, loss, told):
        screen = console(terminal=False)
        with caplog.at_level(logging.INFO, LOGGER):
            fit_twice(ForecasterProgress("ETH", "lstm", 2, screen), loss)

        (message,) = caplog.messages
        assert message.startswith("ETH lstm: 2 fits in 0.")
        assert message.endswith(f" s{told}.")
        assert screen.file.getvalue() == ""

    def test_a_failure_is_not_told_as_done(self, caplog):
        progress = ForecasterProgress("ETH", "lstm", 2, console(terminal=False))
        with (
            caplog.at_level(logging.INFO, LOGGER),
            pytest.raises(ValueError, match="too few"),
            progress,
        ):
            raise ValueError("too few")

        assert caplog.messages == []

    def test_a_worker_process_draws_no_bar(self):
        ours, theirs = multiprocessing.Pipe()
        worker = multiprocessing.get_context("fork").Process(
            target=_draw_in_a_worker, args=(theirs,)
        )
        worker.start()
        drawn = ours.recv()
        worker.join()

        assert worker.exitcode == 0
        assert drawn == ""


def _draw_in_a_worker(connection) -> None:
    screen = console(terminal=True)
    fit_twice(ForecasterProgress("BTC", "lstm", 2, screen), 0.5)
    connection.send(screen.file.getvalue())
