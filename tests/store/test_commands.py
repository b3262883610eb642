"""The commands as a user types them, in a scratch project."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fleet_kedro.cli import FLEET_COMMANDS, cli

KEDRO = """[tool.kedro]
package_name = "fleet_kedro"
project_name = "fleet_kedro"
kedro_init_version = "1.7.0"
source_dir = "src"
"""


@pytest.fixture
def project(repository, monkeypatch):
    """A repository that is a Kedro project, and the current folder."""
    (repository.folder / "pyproject.toml").write_text(KEDRO)
    (repository.folder / "src").mkdir()
    (repository.folder / ".gitignore").write_text("/data\n")
    repository.git("add", "--all")
    repository.commit("make it a project")
    monkeypatch.chdir(repository.folder)
    return repository


def fleet(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["fleet", *arguments])


def refused(*arguments: str) -> str:
    """Return what a command says that ends with status 1 and no traceback."""
    result = fleet(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.output.startswith("Error: ")
    return result.output


class TestHelp:
    def test_every_command_is_listed_and_explains_itself(self):
        listed = fleet("--help").output
        for name in FLEET_COMMANDS:
            assert f"\n  {name} " in listed
            assert f"kedro fleet {name}" in fleet(name, "--help").output

    def test_a_command_that_is_none_is_told(self):
        result = fleet("promtoe")
        assert result.exit_code == 2
        assert "No such command" in result.output


class TestModels:
    @pytest.mark.usefixtures("project")
    def test_an_empty_store_says_so(self):
        told = "0 models, 0.0 MB in data/06_models (0.0 MB with history in the cache)."
        assert told in fleet("models").output

    def test_the_table_tells_version_stage_verdict_metrics_size_and_date(self, project):
        found = project.train("btc-lstm")
        project.train("eth-lstm", passed=False)
        fleet("promote", "btc-lstm")
        lines = fleet("models").output.splitlines()
        (btc,) = [line for line in lines if "btc-lstm" in line]
        (eth,) = [line for line in lines if "eth-lstm" in line]
        for told in ("v0.0.1", "prod", "pass", "rmse_1h 0.36 % (zero forecast 0.37 %)"):
            assert told in btc
        assert f"{found.model.card.size_bytes / 1e6:.2f} MB" in btc
        assert "UTC" in btc
        for told in ("new", "fail"):
            assert told in eth
        assert lines[-1].startswith("2 models, 0.0 MB in data/06_models (")

    def test_old_versions_are_shown_when_asked_for(self, project):
        for number in (1, 2, 3):
            project.train_and_commit(number)
            if number == 1:
                fleet("promote", "btc-lstm")
            else:
                fleet("promote", "btc-lstm", "--stage", "staging")
        shown, every = fleet("models").output, fleet("models", "--all").output
        assert "v0.0.2" not in shown
        for version in ("v0.0.1", "v0.0.2", "v0.0.3"):
            assert version in every

    def test_what_cannot_be_read_is_told_below(self, project):
        (project.train().folder / "trees.txt").unlink()
        result = fleet("models")
        assert result.exit_code == 0
        assert "trees.txt is missing" in " ".join(result.output.split())


class TestPromote:
    def test_it_says_what_happened(self, project):
        project.train()
        output = fleet("promote", "btc-lstm", "--stage", "staging").output
        assert "btc-lstm v0.0.1 is in staging." in output
        assert "only this machine has them" in output
        assert "git push --tags" in output

    def test_a_refusal_names_the_reasons_and_the_way_out(self, project):
        project.train(passed=False)
        told = refused("promote", "btc-lstm")
        assert "the verdict fails: RMSE below the zero forecast's" in told
        assert "--override" in told
        output = fleet("promote", "btc-lstm", "--override", "paper trading").output
        assert "Overridden: the verdict fails" in output
        assert "Overridden: paper trading" in project.message("btc-lstm#prod#1")

    @pytest.mark.usefixtures("project")
    def test_a_model_that_is_not_there_is_told(self):
        assert "no model called btc-lstm" in refused("promote", "btc-lstm")

    def test_a_folder_that_is_no_project_is_told(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert "no Kedro project" in refused("promote", "btc-lstm")


class TestRollback:
    def test_it_says_what_serves_again(self, project):
        for number in (1, 2):
            project.train_and_commit(number)
            fleet("promote", "btc-lstm")
        output = fleet("rollback", "btc-lstm").output
        assert "btc-lstm v0.0.1 is in prod again, in place of v0.0.2." in output
        assert "nothing to go back to" in refused("rollback", "btc-lstm")


class TestCard:
    def test_a_pipe_gets_markdown_or_json(self, project):
        found = project.train()
        assert fleet("card", "btc-lstm").output.startswith("# btc-lstm\n")
        told = json.loads(fleet("card", "btc-lstm", "--json").output)
        assert told == json.loads(found.model.card.to_json())

    def test_a_stage_that_is_empty_is_told(self, project):
        project.train()
        told = refused("card", "btc-lstm", "--stage", "prod")
        assert "No version of btc-lstm is in prod" in told


@pytest.mark.slow
def test_kedro_itself_knows_the_commands(project):
    project.train()
    run = subprocess.run(  # noqa: S603
        [Path(sys.executable).with_name("kedro"), "fleet", "promote", "eth-lstm"],
        env=os.environ | {"DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "holds no model called eth-lstm; there are: btc-lstm" in run.stderr
    assert "Traceback" not in run.stderr
