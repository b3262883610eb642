"""The last signals, told again from what was written."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from fleet_kedro.cli import FLEET_COMMANDS
from fleet_kedro.commands.signal import signal
from fleet_kedro.reports.signal_table import signal_lines
from fleet_kedro.signals.archive import file_signal
from fleet_kedro.signals.decision import DecisionInputs, SignalSettings
from fleet_kedro.signals.expectation import ExpectedReturns
from fleet_kedro.signals.portfolio_signal import compose_signal
from fleet_kedro.signals.signal_document import signal_text
from fleet_kedro.signals.signal_shape import PortfolioSignal
from fleet_kedro.signals.soundness import AssetFacts
from fleet_kedro.store.single_file import put_file

FIRST = datetime(2025, 10, 25, 19, 26, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def compose(expected_return: float, hours: int) -> PortfolioSignal:
    """Judge BTC alone, some hours after the first time."""
    now = FIRST + timedelta(hours=hours)
    middle = np.array([[expected_return]])
    inputs = DecisionInputs(
        ("BTC",),
        ExpectedReturns.of(middle, middle - 0.01, middle + 0.01),
        np.ones((1, 1)),
        np.array([np.nan]),
        np.array([np.nan]),
    )
    facts = {"BTC": AssetFacts(now - timedelta(minutes=90), 111238.53)}
    return compose_signal(now, inputs, facts, SignalSettings())


SIGNALS = [compose(size, hour) for hour, size in enumerate((0.02, 0.0, 0.05))]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project in which three signals were made, one after the other."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    reports = tmp_path / "data/08_reporting"
    for made in SIGNALS:
        file_signal(reports / "signals", signal_text(made))
        put_file(reports / "multi_asset_signal.json", signal_text(made).encode())
    monkeypatch.chdir(tmp_path)
    return reports


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(signal, arguments)


def test_it_is_one_of_the_fleets_commands():
    assert FLEET_COMMANDS["signal"] == "fleet_kedro.commands.signal:signal"


def test_the_latest_one(project):
    assert project.exists()
    told = ask()

    assert told.exit_code == 0
    assert told.output == "\n".join(signal_lines(SIGNALS[-1])) + "\n"


def test_as_json_it_is_what_was_written(project):
    told = ask("--json")

    assert told.exit_code == 0
    assert told.output == (project / "multi_asset_signal.json").read_text()
    assert json.loads(told.output)["portfolio_allocation"]["BTC"] == 0.45


@pytest.mark.parametrize("ago", [0, 1, 2])
def test_earlier_ones(project, ago):
    assert project.exists()
    told = ask("--history", str(ago), "--json")

    assert told.output == signal_text(SIGNALS[-1 - ago])


def test_earlier_than_the_first(project):
    assert project.exists()
    told = ask("--history", "3")

    assert told.exit_code == 1
    assert told.output.startswith("Error: 3 signals were made, so there is none 3 ")


def test_the_list_is_newest_first(project):
    assert project.exists()
    told = ask("--list")
    rows = [line for line in told.output.splitlines() if "2025-10-25" in line]

    assert told.exit_code == 0
    assert ["21:26" in rows[0], "20:26" in rows[1], "19:26" in rows[2]] == [True] * 3
    assert ["BTC 45.0%" in row for row in rows] == [True, False, True]


@pytest.mark.parametrize(
    "arguments", [(), ("--json",), ("--list",), ("--history", "0")]
)
def test_there_is_none_yet(tmp_path, monkeypatch, arguments):
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    monkeypatch.chdir(tmp_path)
    told = ask(*arguments)

    assert told.exit_code == 1
    assert told.output.startswith("Error: There is no signal in ")
    assert told.output.endswith(
        "yet; make one with `kedro run --pipelines signalling`.\n"
    )


def test_a_file_that_is_none(project):
    (project / "multi_asset_signal.json").write_text('{"schema_version": "0.1"}')
    told = ask()

    assert told.exit_code == 1
    assert "multi_asset_signal.json is no signal, schema_version: " in told.output


def test_outside_of_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = ask()

    assert told.exit_code == 1
    assert "lies in no Kedro project" in told.output
