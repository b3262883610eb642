import io
import logging

from rich.console import Console

from fleet_kedro.reports.console import fold_lines
from fleet_kedro.reports.progress import ConsoleWatcher


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100)


class TestTrack:
    def test_a_terminal_sees_a_bar_and_gets_the_items_unchanged(self):
        screen = console(terminal=True)
        watcher = ConsoleWatcher(0.002, console=screen)

        assert list(watcher.track([3, 1, 2], "Walking [forward]")) == [3, 1, 2]
        assert "Walking [forward]" in screen.file.getvalue()
        assert "3/3" in screen.file.getvalue()

    def test_items_without_a_length_are_tracked_too(self):
        watcher = ConsoleWatcher(0.002, console=console(terminal=True))

        assert list(watcher.track(iter("ab"), "Steps")) == ["a", "b"]

    def test_bars_may_stand_inside_one_another(self):
        watcher = ConsoleWatcher(0.002, console=console(terminal=True))
        seen = [
            (outer, inner)
            for outer in watcher.track(range(2), "Outer")
            for inner in watcher.track(range(2), "Inner")
        ]

        assert seen == [(0, 0), (0, 1), (1, 0), (1, 1)]

    def test_elsewhere_a_line_per_step_takes_its_place(self, caplog):
        screen = console(terminal=False)
        watcher = ConsoleWatcher(0.002, console=screen)

        with caplog.at_level(logging.INFO, "fleet_kedro.reports.progress"):
            assert list(watcher.track(range(3), "Walking forward")) == [0, 1, 2]

        assert caplog.messages == ["Walking forward (3)"]
        assert screen.file.getvalue() == ""


class TestFold:
    def test_a_fold_is_told_through_the_report_logger(self, caplog, outcome):
        watcher = ConsoleWatcher(0.002, {"BTC": "BTCUSDT"}, console(terminal=False))

        with caplog.at_level(logging.INFO, "fleet_kedro.report"):
            watcher.on_fold(outcome)

        (record,) = caplog.records
        assert record.name == "fleet_kedro.report"
        assert record.message.split("\n") == fold_lines(
            outcome, 0.002, {"BTC": "BTCUSDT"}
        )
