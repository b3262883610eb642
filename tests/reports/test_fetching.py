import io
import logging

import pytest
from rich.console import Console

from fleet_kedro.reports.fetching import FetchingBar


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100)


def test_a_terminal_sees_speed_and_share():
    screen = console(terminal=True)
    with FetchingBar(screen) as on_progress:
        for _ in range(4):
            on_progress("BTC", 1000, 8000)

    shown = screen.file.getvalue()
    assert "Fetching candles of BTC" in shown
    assert "50%" in shown
    assert "candles/s" in shown


def test_elsewhere_one_line_sums_up(caplog):
    screen = console(terminal=False)
    with (
        caplog.at_level(logging.INFO, "fleet_kedro.reports.fetching"),
        FetchingBar(screen) as on_progress,
    ):
        on_progress("BTC", 1500, 3000)
        on_progress("ETH", 1500, 3000)

    (line,) = caplog.messages
    assert line.startswith("Settled 3,000 missing hours, ")
    assert screen.file.getvalue() == ""


def test_who_fetches_nothing_hears_nothing(caplog):
    screen = console(terminal=True)
    with caplog.at_level(logging.INFO), FetchingBar(screen):
        pass

    assert caplog.messages == []
    assert screen.file.getvalue() == ""


def fetch_and_fail(bar: FetchingBar) -> None:
    with bar as on_progress:
        on_progress("BTC", 10, 100)
        raise ValueError("no more")


def test_a_failure_leaves_no_bar_behind():
    bar = FetchingBar(console(terminal=True))
    with pytest.raises(ValueError, match="no more"):
        fetch_and_fail(bar)

    assert not bar.is_shown
