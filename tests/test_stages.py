"""The stages of DVC are in step, and a change reruns what it concerns and no more."""

import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
import yaml

from fleet_kedro.lineage.project import project_document

ROOT = Path(__file__).parents[1]
DVC = Path(sys.executable).with_name("dvc")
CODE = "src/fleet_kedro"
TUNING = "conf/base/parameters_tuning.yml"
BRAIN = {"global_validation", "global_training"}
ALL = {
    *("ingestion", "features", "tuning", "asset_training", "backtest"),
    *BRAIN,
}


@functools.cache
def written() -> str:
    return project_document(ROOT)


@functools.cache
def stages() -> dict[str, dict]:
    return yaml.safe_load(written())["stages"]


def outs(stage: str) -> set[str]:
    listed = [
        out for kind in ("outs", "metrics") for out in stages()[stage].get(kind, [])
    ]
    # An out with options of its own is written as a mapping.
    return {out if isinstance(out, str) else next(iter(out)) for out in listed}


def depends(path: str, listed: set[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(place) for place in listed)


def concerned(path: str) -> set[str]:
    """Return the stages that depend on a file of the project."""
    assert (ROOT / path).is_file()
    return {name for name in stages() if depends(path, set(stages()[name]["deps"]))}


def asking(file: str, key: str) -> set[str]:
    """Return the stages that depend on a parameter."""
    return {
        name
        for name, stage in stages().items()
        for part in stage["params"]
        if key in part.get(file, [])
    }


def following(names: set[str]) -> set[str]:
    """Return the stages that read, through any others, what these leave."""
    found = set(names)
    while True:
        left = set().union(*(outs(name) for name in found))
        more = {
            name
            for name in stages()
            if any(depends(read, left) for read in stages()[name]["deps"])
        }
        if more <= found:
            return found - names
        found |= more


def test_the_committed_stages_are_in_step():
    """`kedro fleet dvc-sync` brings them in step."""
    assert (ROOT / "dvc.yaml").read_text(encoding="utf-8") == written()


def test_the_pipelines_that_leave_something_are_stages():
    assert stages().keys() == ALL


@pytest.mark.parametrize("stage", sorted(ALL))
def test_all_code_and_configuration_that_a_stage_needs_is_there(stage):
    needed = [path for path in stages()[stage]["deps"] if not path.startswith("data/")]

    assert f"{CODE}/config.py" in needed
    assert "constraints.txt" in needed
    assert [path for path in needed if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("stage", sorted(ALL))
def test_a_stage_reads_only_what_stages_leave(stage):
    left = set().union(*(outs(name) for name in stages()))
    read = {path for path in stages()[stage]["deps"] if path.startswith("data/")}

    assert [path for path in sorted(read) if not depends(path, left)] == []
    assert read.isdisjoint(outs(stage))


class TestAChange:
    """Changes one thing, and counts what has to run again."""

    def test_of_a_threshold_parameter_concerns_tuning_alone(self):
        assert asking(TUNING, "tuning") == {"tuning"}
        assert following({"tuning"}).isdisjoint(
            BRAIN | {"ingestion", "features", "asset_training"}
        )

    @pytest.mark.parametrize("expert", ["pattern", "trend", "stress", "elastic"])
    def test_of_an_expert_concerns_the_brain_alone(self, expert):
        assert concerned(f"{CODE}/models/experts/{expert}.py") == BRAIN

    @pytest.mark.parametrize("forecaster", ["lstm", "transformer", "lightgbm_trees"])
    def test_of_a_forecaster_does_not_train_the_brain_again(self, forecaster):
        changed = concerned(f"{CODE}/models/forecasters/{forecaster}.py")

        assert changed == {"asset_training"}
        assert following(changed).isdisjoint(BRAIN | {"ingestion", "features"})

    def test_of_the_engine_trains_nothing_again(self):
        changed = concerned(f"{CODE}/signals/backtest/engine.py")

        assert "backtest" in changed
        assert changed.isdisjoint(BRAIN | {"ingestion", "features", "asset_training"})

    @pytest.mark.parametrize(
        ("page", "stage"),
        [
            ("page", "global_validation"),
            ("tuning_page", "tuning"),
            ("forecast_page", "asset_training"),
            ("backtest_page", "backtest"),
        ],
    )
    def test_of_a_page_concerns_the_stage_that_writes_it(self, page, stage):
        assert concerned(f"{CODE}/reports/{page}.py") == {stage}

    def test_of_what_all_rest_on_concerns_all(self):
        assert concerned(f"{CODE}/config.py") == ALL
        assert concerned("constraints.txt") == ALL

    @pytest.mark.parametrize(
        "file", ["cli.py", "hooks.py", "settings.py", "commands/models.py"]
    )
    def test_of_what_shapes_no_result_concerns_none(self, file):
        assert concerned(f"{CODE}/{file}") == set()

    def test_of_a_signal_concerns_what_computes_or_names_signals(self):
        changed = concerned(f"{CODE}/features/families/trend.py")

        assert {"features"} | BRAIN <= changed
        assert changed.isdisjoint({"ingestion", "tuning", "asset_training"})


class TestParameters:
    def test_a_shared_number_reaches_every_stage_that_it_is_written_into(self):
        shared = "conf/base/globals.yml"

        assert asking(shared, "days") == {"ingestion"}
        assert asking(shared, "seed") == ALL - {"features"}
        assert asking(shared, "rank_days") == BRAIN

    def test_the_grid_decides_which_forecasters_there_are(self):
        """No node asks for it, as it decides which nodes there are."""
        file = "conf/base/parameters_asset_training.yml"

        assert asking(file, "forecaster_grid") == {"asset_training"}
        assert asking("conf/base/globals.yml", "forecast_models") == {"asset_training"}


class TestOuts:
    def test_what_is_appended_to_or_taken_up_is_kept_before_a_run(self):
        kept = {
            path
            for stage in stages().values()
            for out in stage["outs"]
            if isinstance(out, dict)
            for path, options in out.items()
            if options.get("persist")
        }

        assert kept == {
            *("data/07_model_output/trials.jsonl",),
            *("data/07_model_output/tuning_trials.jsonl",),
            *("data/06_models/forecasters", "data/07_model_output/forecasters"),
        }

    def test_what_tells_the_time_is_tracked_by_nobody(self):
        journal = "data/06_models/tuning/journal.log"

        for stage in stages():
            assert not depends(journal, outs(stage) | set(stages()[stage]["deps"]))

    def test_git_keeps_metrics_and_plots_which_lie_outside_the_data(self):
        document = yaml.safe_load(written())
        plotted = {
            path for plot in document["plots"] for p in plot.values() for path in p["y"]
        }
        by_git = {
            path
            for stage in document["stages"].values()
            for out in [*stage["outs"], *stage.get("metrics", [])]
            if isinstance(out, dict)
            for path, options in out.items()
            if options.get("cache") is False
        }
        metrics = {
            path
            for stage in document["stages"].values()
            for out in stage.get("metrics", [])
            for path in out
        }

        assert len(metrics) == 4
        assert by_git == metrics | plotted
        assert {path.partition("/")[0] for path in by_git} == {"results"}

    def test_every_model_in_the_store_is_an_artifact_that_lies_in_an_out(self):
        artifacts = yaml.safe_load(written())["artifacts"]
        models = {
            out for stage in stages() for out in outs(stage) if "06_models" in out
        }

        assert {"global-brain", "btc-lstm", "sol-random_forest"} <= artifacts.keys()
        for artifact in artifacts.values():
            assert depends(artifact["path"], models)
        assert [
            model
            for model in sorted(models)
            if not any(depends(a["path"], {model}) for a in artifacts.values())
        ] == []


def copied(folder: Path) -> Path:
    """Copy the project without data, with its own environment and its own DVC."""
    for name in ("conf", "src"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "constraints.txt", ".dvcignore"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text(
        "[core]\n    analytics = false\n    no_scm = true\n"
    )
    (folder / "dvc.yaml").write_text(project_document(folder), encoding="utf-8")
    return folder


def dvc(project: Path, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603
        [DVC, *arguments], cwd=project, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="class")
def finished(tmp_path_factory):
    """A project whose stages have all run, as DVC sees it: every out is a few bytes."""
    project = copied(tmp_path_factory.mktemp("finished"))
    for stage in stages():
        for out in outs(stage):
            path = project / out
            if not path.suffix:  # a folder
                path = path / "one.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(out)
    dvc(project, "commit", "--force", "--quiet")
    return project


@pytest.mark.slow
class TestWhatDvcSays:
    def status(self, project: Path) -> set[str]:
        return set(re.findall(r"^(\w+):$", dvc(project, "status"), flags=re.MULTILINE))

    @pytest.mark.parametrize(
        ("file", "old", "new", "changed"),
        [
            (TUNING, "lowest_rank: 0.80", "lowest_rank: 0.85", {"tuning"}),
            (f"{CODE}/models/experts/pattern.py", "import", "import  ", BRAIN),
            (f"{CODE}/models/forecasters/lstm.py", '"""', '""" ', {"asset_training"}),
            (f"{CODE}/__init__.py", "reading order", "order of reading", set()),
            ("conf/base/globals.yml", "days: 730 ", "days: 731 ", {"ingestion"}),
            ("README.md", "", "changed", set()),
        ],
    )
    def test_a_change_concerns_what_it_should(self, finished, file, old, new, changed):
        path = finished / file
        before = path.read_text() if path.exists() else ""
        assert old in before
        assert self.status(finished) == set()

        path.write_text(before.replace(old, new, 1))
        try:
            assert self.status(finished) == changed
        finally:
            path.write_text(before)

    def test_what_tuning_leaves_concerns_what_reads_it(self, finished):
        for out in outs("tuning"):
            path = finished / out
            (path / "one.bin" if path.is_dir() else path).write_text("other bytes")

        assert self.status(finished) >= {"tuning"}
        assert self.status(finished) <= {"tuning"} | following({"tuning"})
