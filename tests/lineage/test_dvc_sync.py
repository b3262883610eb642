"""The command, on copies of the project's configuration."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from fleet_kedro.commands.dvc_sync import FILE, dvc_sync
from fleet_kedro.lineage.project import project_document

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document():
    return project_document(ROOT)


@pytest.fixture
def project(tmp_path, monkeypatch, document):
    """A project that is in step."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / FILE).write_text(document, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str):
    return CliRunner().invoke(dvc_sync, arguments, catch_exceptions=False)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


class TestInStep:
    def test_a_file_in_step_is_not_touched(self, project):
        file = project / FILE
        before = file.stat()

        told = call()

        assert told.output == "dvc.yaml is in step with the pipelines.\n"
        assert call("--check").exit_code == told.exit_code == 0
        after = file.stat()
        assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)

    def test_nothing_is_left_beside_it(self, project):
        assert {path.name for path in project.iterdir()} == {
            *("conf", "pyproject.toml", FILE)
        }

    def test_what_changes_no_stage_is_not_seen(self, project):
        change(project / "conf/base/parameters_tuning.yml", "lowest_rank: 0.80", "x: 1")

        assert call("--check").exit_code == 0


class TestOutOfStep:
    def test_the_difference_is_told_and_the_file_left_alone(self, project):
        change(
            project / "conf/base/catalog_tuning.yml",
            "data/07_model_output/thresholds.json",
            "data/07_model_output/chosen.json",
        )
        before = (project / FILE).read_bytes()

        told = call("--check")

        assert told.exit_code == 1
        assert "\n-      - data/07_model_output/thresholds.json\n" in told.output
        assert "\n+      - data/07_model_output/chosen.json\n" in told.output
        assert "run `kedro fleet dvc-sync`" in told.output
        assert (project / FILE).read_bytes() == before

    def test_without_check_the_file_is_brought_in_step(self, project):
        wanted = (project / FILE).read_bytes()
        change(project / FILE, "  tuning:\n", "  tuned:\n")
        (project / FILE).chmod(0o640)

        told = call()

        assert told.exit_code == 0
        assert "-  tuned:\n+  tuning:\n" in told.output
        assert (project / FILE).read_bytes() == wanted
        assert (project / FILE).stat().st_mode & 0o777 == 0o640
        assert call("--check").exit_code == 0

    def test_a_missing_file_is_out_of_step(self, project):
        (project / FILE).unlink()

        assert call("--check").exit_code == 1
        assert not (project / FILE).exists()


class TestErrors:
    @pytest.mark.parametrize(
        ("file", "old", "new", "told"),
        [
            (
                "catalog_ingestion.yml",
                "  filepath: data/02_intermediate/fleet_window.json\n",
                "",
                "reads 'fleet_window', which is in no file",
            ),
            (
                "parameters_ingestion.yml",
                "universe:",
                "univers:",
                "no parameter 'universe' in base; did you mean 'univers'",
            ),
            (
                "parameters_tuning.yml",
                "${globals:seed}",
                "${env:SEED}",
                "DVC cannot follow",
            ),
            (
                "parameters_tuning.yml",
                "${globals:seed}",
                "${globals:sed}",
                "Globals key 'sed' not found",
            ),
            (
                "globals.yml",
                "forecast_assets: [BTC, ETH, SOL]",
                "forecast_assets: []",
                "'forecaster_grid' cannot be",
            ),
            (
                "catalog_tuning.yml",
                "track: false",
                "tracked: false",
                "'tuning_journal' says metadata.dvc.tracked",
            ),
        ],
    )
    def test_what_cannot_be_derived_is_told_in_a_sentence(
        self, project, file, old, new, told
    ):
        change(project / "conf/base" / file, old, new)

        answer = call("--check")

        assert answer.exit_code == 1
        assert told in answer.output
        assert answer.output.startswith("Error: ")

    def test_outside_a_project_it_says_so(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        answer = call()
        assert answer.exit_code == 1
        assert "no Kedro project" in answer.output
