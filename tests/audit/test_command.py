"""The command as a user types it; whole audits in a copy of the project are slow."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner

from fleet_kedro.audit.step import Law
from fleet_kedro.commands.leak_audit import audit, fleet, write_record

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from fleet_kedro.commands.leak_audit import fleet
fleet(sys.argv[1:])
"""


@pytest.fixture
def leak_audit(tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Return a function that runs the command in a copy of the configuration."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "src").mkdir()

    def run(*arguments: str) -> CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("KEDRO_")}
        return subprocess.run(  # noqa: S603
            [sys.executable, "-c", RUN, "leak-audit", *arguments],
            cwd=tmp_path,
            env=kept | {"DO_NOT_TRACK": "1", "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


class TestOptions:
    def test_help_names_every_check(self):
        text = CliRunner().invoke(fleet, ["leak-audit", "--help"]).output
        for check in ("future cut off", "other future", "other warm-up"):
            assert check in text

    @pytest.mark.parametrize(
        ("option", "value", "complaint"),
        [
            ("--days", "10", "not in the range"),
            ("--end", "yesterday", "is no moment in UTC"),
            ("--profile", "wide", "is not one of"),
        ],
    )
    def test_a_value_that_cannot_be_is_refused_at_once(self, option, value, complaint):
        result = CliRunner().invoke(fleet, ["leak-audit", option, value])
        assert result.exit_code == 2
        assert complaint in result.output


class TestAudit:
    def test_a_leak_is_told_with_its_moment(self, world, step_of, capsys):
        peeking = step_of(lambda own: own["close"].shift(-1), Law(), "peeking")
        outcomes = audit(world, [peeking], seed=0)
        told = capsys.readouterr().out
        assert any(outcome.status == "finding" for outcome in outcomes)
        assert "peeking, future cut off: value differs" in told
        assert "1 of the steps did not pass" in told

    def test_a_clean_step_ends_in_a_calm_sentence(self, world, step_of, capsys):
        outcomes = audit(world, [step_of(lambda own: own["close"])], seed=0)
        assert all(outcome.status == "ok" for outcome in outcomes)
        assert "Nothing leaks" in capsys.readouterr().out


class TestRecord:
    def test_a_record_is_written_whole(self, tmp_path):
        path = tmp_path / "new" / "audit.json"
        write_record(path, {"passed": True})
        assert json.loads(path.read_text()) == {"passed": True}
        assert list(path.parent.iterdir()) == [path]

    def test_what_cannot_be_written_leaves_the_old_record_alone(self, tmp_path):
        path = tmp_path / "audit.json"
        write_record(path, {"passed": True})
        with pytest.raises(ValueError, match="not JSON compliant"):
            write_record(path, {"worst": float("inf")})
        assert json.loads(path.read_text()) == {"passed": True}
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
class TestWholeCommand:
    def test_the_embedded_market_is_clean(self, leak_audit, tmp_path):
        record = tmp_path / "audit.json"
        run = leak_audit("--profile", "lean", "--json", str(record))
        assert run.returncode == 0, run.stderr
        assert "Nothing leaks" in run.stdout
        values = json.loads(record.read_text())
        assert values["passed"]
        assert values["assets"] == ["BTC", "ETH", "SOL"]

    def test_every_planted_leak_is_found(self, leak_audit):
        run = leak_audit("--planted")
        assert run.returncode == 0, run.stderr
        assert "14 of 14 planted leaks found" in run.stdout

    @pytest.mark.skipif(
        "FLEET_MARKET_DIR" not in os.environ,
        reason="FLEET_MARKET_DIR names no folder of real candles",
    )
    def test_real_candles_are_audited(self, leak_audit):
        run = leak_audit("--env", "files", "--profile", "lean", "--assets", "BTC,ETH")
        assert run.returncode == 0, run.stdout + run.stderr

    def test_a_fleet_of_one_is_refused_in_a_sentence(self, leak_audit):
        run = leak_audit("--assets", "BTC")
        assert run.returncode == 1
        assert "an audit needs 2 assets" in run.stderr
        assert "Traceback" not in run.stderr
