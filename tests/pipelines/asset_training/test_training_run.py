"""The training of forecasters after a feature run, through the command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from page_links import fetched_by

from fleet_kedro.store.bundle import read_bundle

ROOT = Path(__file__).parents[3]
ASSET, MODELS = "BTC", ("lightgbm", "lstm")
TRAIN = ("run", "--pipelines", "asset_training", "--env", "smoke")
PREPARE = ("run", "--pipelines", "ingestion,feature_engineering", "--env", "smoke")
IN_PARALLEL = ("--runner", "ParallelRunner", "--runner-params", "max_workers=2")
MODEL_FILES = ("arrays.safetensors", "card.json", "card.md", "checksums.json")
KEPT = "kept, as nothing it depends on changed."
TRAINED = "3 fits"  # of the two folds that are long enough, and production's
START, END = (
    pd.Timestamp("2023-11-20T00:00", tz="UTC"),
    pd.Timestamp("2023-12-31T23:00", tz="UTC"),
)


@pytest.fixture(scope="module")
def features(make_project) -> Path:
    """What the pipelines before this one leave."""
    project = make_project()
    done = project.kedro(*PREPARE)
    assert done.returncode == 0, done.stderr
    return project.folder / "data"


@pytest.fixture(scope="module")
def prepare(make_project, features):
    """Return a function that makes a project with features and no forecasters."""

    def make():
        project = make_project()
        shutil.copytree(features, project.folder / "data")
        return project

    return make


@pytest.fixture(scope="module")
def project(prepare):
    return prepare()


@pytest.fixture(scope="module")
def finished(project):
    done = project.kedro(*TRAIN)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def first(project, finished, features):
    """Every file that the training has left, before any later run."""
    assert finished.stdout
    before = {str(path.relative_to(features)) for path in features.rglob("*")}
    return {
        name: content
        for name, content in project.outputs().items()
        if name not in before
    }


@pytest.fixture(scope="module")
def trained_copy(prepare, first):
    """Return a function that makes a project in which all is trained."""

    def make():
        project = prepare()
        for name, content in first.items():
            path = project.folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return project

    return make


@pytest.fixture(scope="module")
def summary(first) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON.")

    return json.loads(first["08_reporting/forecasters.json"], parse_constant=refuse)


def left(project) -> dict[str, bytes]:
    """Read what a training leaves: models, walks and reports."""
    return {
        name: content
        for name, content in project.outputs().items()
        if "forecaster" in name
    }


def told_of(done, asset: str = ASSET, models: tuple[str, ...] = MODELS):
    """Say of each model whether it was fitted or kept, as the console does."""
    told = {}
    for line in done.stdout.splitlines():
        name, _, rest = line.partition(": ")
        for model in models:
            if name == f"{asset} {model}":
                told[model] = "kept" if rest == KEPT else rest.partition(" in ")[0]
    return told


def change(project, block: str, **settings: object) -> None:
    """Change settings of one forecaster in the smoke environment."""
    path = project.folder / "conf/smoke/parameters_asset_training.yml"
    configured = yaml.safe_load(path.read_text(encoding="utf-8"))
    configured["forecasters"][block] |= settings
    project.configure("smoke/parameters_asset_training.yml", yaml.safe_dump(configured))


class TestSmokeRun:
    def test_the_run_ends_well_and_names_the_page(self, finished):
        assert finished.stderr == ""
        assert told_of(finished) == dict.fromkeys(MODELS, TRAINED)
        assert finished.stdout.splitlines()[-1] == (
            "Report: data/08_reporting/forecasters.html"
        )

    def test_it_leaves_models_walks_and_reports_and_nothing_else(self, first):
        models, walks = f"06_models/forecasters/{ASSET}", "07_model_output/forecasters"
        expected = {
            *(
                f"{models}/ensemble/{name}"
                for name in (*MODEL_FILES[1:], "ensemble.json")
            ),
            *(f"{models}/{model}/{name}" for model in MODELS for name in MODEL_FILES),
            f"{models}/lightgbm/long.txt",
            *(f"{walks}/{ASSET}/{name}.parquet" for name in (*MODELS, "ensemble")),
            "08_reporting/forecaster_scores.parquet",
            "08_reporting/forecasters.html",
            "08_reporting/forecasters.json",
            "08_reporting/results/forecasters.json",
        }
        optional = {f"{models}/lightgbm/short.txt"}  # where an hour told nothing

        assert first.keys() | optional == expected | optional

    @pytest.mark.parametrize("model", MODELS)
    def test_a_card_tells_of_the_window_and_of_its_scores(self, project, first, model):
        assert first
        card = read_bundle(
            project.folder / f"data/06_models/forecasters/{ASSET}/{model}"
        ).card

        assert (card.name, card.kind, card.assets) == (
            f"{ASSET}-{model}".lower(),
            model,
            (ASSET,),
        )
        # Candles of the warm-up fill windows; nothing is learnt from them.
        assert card.data.start == START.to_pydatetime()
        assert card.data.end <= END.to_pydatetime()
        assert card.data.rows == 42 * 24 - 13
        assert card.folds == 2
        assert set(card.parameters) == {"bars", "seed", model}
        assert [metric.name for metric in card.metrics] == [
            *("RMSE 1 h", "skill 1 h", "RMSE 12 h", "skill 12 h"),
        ]
        assert card.verdict.passed is False

    def test_every_walk_forecasts_hours_of_the_window_once(self, project, first):
        assert first
        folder = project.folder / f"data/07_model_output/forecasters/{ASSET}"
        walks = {name: pd.read_parquet(folder / f"{name}.parquet") for name in MODELS}
        trees = walks["lightgbm"]

        assert (trees["forecast_12h"] != 0).any()
        for walk in walks.values():
            assert walk["timestamp"].equals(trees["timestamp"])
            assert walk["timestamp"].is_monotonic_increasing
            assert walk["timestamp"].is_unique
            assert walk["timestamp"].between(START, END).all()
            assert walk["fold"].unique().tolist() == [1, 2]
            assert np.isfinite(walk[["forecast_1h", "forecast_12h"]]).all(axis=None)

    def test_the_summary_agrees_with_the_scores_and_the_models(
        self, project, summary, first
    ):
        scores = pd.read_parquet(
            project.folder / "data/08_reporting/forecaster_scores.parquet"
        )
        told = pd.DataFrame(summary["scores"])
        sizes = {row["model"]: row["n_bytes"] for row in summary["models"]}
        files = {
            model: sum(
                len(content)
                for name, content in first.items()
                if f"/{model}/" in name and Path(name).name not in MODEL_FILES[1:]
            )
            for model in MODELS
        }

        assert told["model"].tolist() == [*MODELS, "ensemble", "zero"] * 2
        assert told["rmse"].tolist() == pytest.approx(scores["rmse"].tolist())
        assert sizes == files
        assert summary["store"] == {"models": 2, "n_bytes": sum(files.values())}
        assert [row["weight_zero"] for row in summary["production"]] == [1.0, 1.0]

    def test_the_page_needs_nothing_else(self, first):
        page = first["08_reporting/forecasters.html"].decode("utf-8")

        assert page.startswith("<!DOCTYPE html>")
        assert "lightgbm" in page
        assert fetched_by(page) == []


class TestAgain:
    def test_a_second_run_trains_nothing_and_leaves_the_same_bytes(
        self, project, first
    ):
        again = project.kedro(*TRAIN)

        assert again.returncode == 0, again.stderr
        assert told_of(again) == dict.fromkeys(MODELS, "kept")
        assert left(project) == first

    @pytest.mark.slow
    def test_a_changed_setting_trains_that_model_alone(self, trained_copy, first):
        changed = trained_copy()
        change(changed, "lightgbm", n_trees=21)
        again = changed.kedro(*TRAIN)

        assert told_of(again) == {"lightgbm": TRAINED, "lstm": "kept"}
        after = left(changed)
        differing = {name for name in first if after.get(name) != first[name]}
        assert f"06_models/forecasters/{ASSET}/lightgbm/card.json" in differing
        assert not [name for name in differing if "lstm" in name]

    @pytest.mark.slow
    def test_a_damaged_walk_is_made_anew(self, trained_copy, first):
        damaged = trained_copy()
        place = f"data/07_model_output/forecasters/{ASSET}/lstm.parquet"
        walk = damaged.folder / place
        walk.write_bytes(walk.read_bytes()[:1000])
        again = damaged.kedro(*TRAIN)

        assert told_of(again) == {"lightgbm": "kept", "lstm": TRAINED}
        assert "Not taken over" in again.stdout + again.stderr
        assert left(damaged) == first


@pytest.mark.slow
class TestGrid:
    def test_a_namespace_trains_one_asset_and_tells_of_none(self, prepare, first):
        both = prepare()
        text = (both.folder / "conf/smoke/globals.yml").read_text(encoding="utf-8")
        assert "forecast_assets: [BTC]" in text
        both.configure(
            "smoke/globals.yml",
            text.replace("forecast_assets: [BTC]", "forecast_assets: [ETH, BTC]"),
        )
        done = both.kedro(*TRAIN, "--namespaces", "BTC")
        after = left(both)

        assert done.returncode == 0, done.stderr
        assert told_of(done) == dict.fromkeys(MODELS, TRAINED)
        assert after == {
            name: content for name, content in first.items() if "/BTC/" in name
        }

    def test_any_asset_of_the_fleet_gets_forecasters(self, make_project):
        project = make_project()
        path = project.folder / "conf/smoke/globals.yml"
        configured = yaml.safe_load(path.read_text(encoding="utf-8"))
        configured |= {"assets": ["BTC", "DOGE"], "forecast_assets": ["DOGE"]}
        project.configure("smoke/globals.yml", yaml.safe_dump(configured))
        assert project.kedro(*PREPARE).returncode == 0
        done = project.kedro(*TRAIN)

        assert done.returncode == 0, done.stderr
        assert told_of(done, "DOGE") == dict.fromkeys(MODELS, TRAINED)
        assets = {Path(name).parts[2] for name in left(project) if name[1] in "67"}
        assert assets == {"DOGE"}

    def test_an_asset_without_features_is_told_in_a_sentence(self, prepare):
        project = prepare()
        path = project.folder / "conf/smoke/globals.yml"
        text = path.read_text(encoding="utf-8")
        project.configure(
            "smoke/globals.yml",
            text.replace("forecast_assets: [BTC]", "forecast_assets: [DOGE]"),
        )
        refused = project.kedro(*TRAIN)

        assert refused.returncode == 1
        assert refused.stderr == (
            "Error: The asset 'DOGE' is to get forecasters, but there are features "
            "only of BTC, ETH; correct forecast_assets, or add it to assets and build "
            "the features.\n"
        )
        assert left(project) == {}


@pytest.mark.slow
class TestResume:
    def test_a_killed_run_keeps_what_it_had_finished(self, prepare, first):
        killed = prepare()
        models = killed.folder / f"data/06_models/forecasters/{ASSET}"
        # Long enough that the kill comes while it learns.
        change(killed, "lstm", training={"epochs": 1000, "patience": 1000})
        run = subprocess.Popen(  # noqa: S603
            [Path(sys.executable).with_name("kedro"), *TRAIN],
            cwd=killed.folder,
            env=os.environ | {"DO_NOT_TRACK": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not (models / "lightgbm").is_dir():
            assert run.poll() is None
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
        run.wait()
        survived = left(killed)
        shutil.rmtree(killed.folder / "conf")
        shutil.copytree(ROOT / "conf", killed.folder / "conf")
        resumed = killed.kedro(*TRAIN)

        assert not [name for name in survived if "lstm" in name or "08_" in name]
        assert resumed.returncode == 0, resumed.stderr
        assert told_of(resumed) == {"lightgbm": "kept", "lstm": TRAINED}
        assert left(killed) == first

    def test_worker_processes_leave_the_same_bytes(self, prepare, first):
        project = prepare()
        done = project.kedro(*TRAIN, *IN_PARALLEL)

        assert done.returncode == 0, done.stderr
        assert told_of(done) == dict.fromkeys(MODELS, TRAINED)
        assert left(project) == first
