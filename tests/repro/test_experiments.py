"""Experiments of DVC and plain runs of Kedro work on the same files.

What ``-S`` may set are the shared numbers in ``globals.yml``: DVC resolves what a file
of parameters refers to, and cannot know Kedro's references to another file.
"""

import json

import pytest
import yaml

from repro.small_project import STARTED, SmallProject

pytestmark = pytest.mark.slow

FOLDS = "conf/base/globals.yml"
TUNING = "conf/base/parameters_tuning.yml"


def followers(project: SmallProject, first: str) -> set[str]:
    """Return a stage and all that read what it leaves, directly or not."""
    stages = yaml.safe_load((project.folder / "dvc.yaml").read_text())["stages"]
    left = {
        name: {
            path if isinstance(path, str) else next(iter(path))
            for kind in ("outs", "metrics", "plots")
            for path in stage.get(kind, [])
        }
        for name, stage in stages.items()
    }
    found = {first}
    while True:
        made = set().union(*(left[name] for name in found))
        more = {n for n, stage in stages.items() if made & set(stage["deps"])}
        if more <= found:
            return found
        found |= more


def ran(said: str) -> set[str]:
    return {found[1] for found in STARTED.finditer(said)}


def metrics_of(project: SmallProject, *arguments: str) -> dict[str, object]:
    return json.loads(project.dvc("metrics", *arguments, "--json").stdout)


@pytest.fixture(scope="module")
def experiment(finished, tmp_path_factory) -> SmallProject:
    """A project after an experiment with one fold more, in its workspace."""
    project = finished.project.copy(tmp_path_factory.mktemp("experiment") / "project")
    said = project.dvc("exp", "run", "--name", "finer", "-S", f"{FOLDS}:folds=3").stdout
    assert ran(said) == set(project.stages()) - {"ingestion"}
    return project


class TestExperiment:
    def test_it_is_kept_beside_the_commit_it_started_from(self, experiment):
        shown = json.loads(experiment.dvc("exp", "show", "--json").stdout)
        names = {
            each.get("name") for row in shown for each in (row.get("experiments") or [])
        }
        assert "finer" in names
        told = yaml.safe_load((experiment.folder / FOLDS).read_text())
        assert told["folds"] == 3
        changed = {line[3:] for line in experiment.git("status", "-s").splitlines()}
        # What is small enough to be read as a difference is in git itself.
        small = {path for path in changed if path.startswith("results/")}
        assert changed - small == {FOLDS, "dvc.lock"}

    def test_metrics_are_shown_and_told_from_those_of_the_commit(self, experiment):
        shown = metrics_of(experiment, "show")[""]["data"]
        differ = metrics_of(experiment, "diff")
        assert shown
        assert differ
        assert set(differ) <= set(shown)
        for path, values in shown.items():
            lies = json.loads((experiment.folder / path).read_text())
            assert values["data"] == lies

    def test_plots_are_drawn_beside_those_of_the_commit(self, experiment):
        for command in ("show", "diff"):
            experiment.dvc("plots", command, "--out", f"plots_{command}")
            page = experiment.folder / f"plots_{command}/index.html"
            assert page.read_text().count("vega") > 0

    def test_plain_runs_leave_what_the_experiment_left(self, experiment):
        before = experiment.locked()
        for name in ("feature_engineering", "tuning", "backtest"):
            experiment.kedro("run", "--env", "base", "--pipelines", name)
        assert "up to date" in experiment.dvc("status").stdout
        assert experiment.locked() == before

    def test_it_is_undone_by_git_and_dvc(self, experiment, finished):
        experiment.git("checkout", "--quiet", ".")
        experiment.dvc("checkout")
        assert "up to date" in experiment.dvc("status").stdout
        assert experiment.locked() == finished.project.locked()


def test_a_threshold_s_parameter_reruns_the_tuning_and_what_follows(make_copy):
    project = make_copy()
    file = project.folder / TUNING
    file.write_text(
        file.read_text().replace("lowest_rank: 0.8\n", "lowest_rank: 0.85\n")
    )
    assert project.git("status", "--short").split() == ["M", TUNING]
    said = project.dvc("exp", "run", "--name", "stricter").stdout
    assert ran(said) <= followers(project, "tuning")
    assert "tuning" in ran(said)
