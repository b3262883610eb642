"""A signal of production: by the models of its tags, whatever else lies around."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from repro.small_project import SmallProject

pytestmark = pytest.mark.slow

STORE = "data/06_models"
RECIPE = "data/03_primary/feature_recipe.json"
FEATURES = "conf/base/parameters_feature_engineering.yml"


def signal(project: SmallProject, stage: str) -> dict[str, Any]:
    """Return the signal that the models of a stage make here."""
    project.kedro(
        *("run", "--env", "base", "--pipelines", "signalling"),
        *("--params", f"serving.stage={stage}"),
    )
    told = project.folder / "data/08_reporting/multi_asset_signal.json"
    return json.loads(told.read_text())


def names_in(store: Path) -> list[str]:
    return sorted(
        json.loads(card.read_text())["name"] for card in store.rglob("card.json")
    )


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory) -> SmallProject:
    """A project in which every model serves, pushed to its remote."""
    copy = finished.project.copy(tmp_path_factory.mktemp("production") / "project")
    # Hardly anything that is trained on so little passes its verdict, and shall.
    for name in names_in(copy.folder / STORE):
        copy.kedro("fleet", "promote", name, "--override", "to see it serve")
    copy.dvc("push")
    return copy


@pytest.fixture(scope="module")
def served(project) -> dict[str, Any]:
    return signal(project, "prod")


def test_all_of_it_was_asked(project, served):
    told = served["individual_signals"].values()
    assert {own["problem"] for own in told} == {"NONE"}
    assert not any("not used" in notice for notice in served["notices"])
    assert all(own["gate_weights"] for own in told)
    assert len(names_in(project.folder / STORE)) > len(served["individual_signals"])


def test_what_was_promoted_from_the_folder_says_what_the_folder_says(project, served):
    assert signal(project, "latest") == served


def test_a_clone_without_a_model_fetches_what_serves(project, served):
    clone = project.clone(project.folder.with_name("clone"))
    clone.dvc("pull", "data/01_raw/dominance.parquet", "data/02_intermediate/candles")

    assert signal(clone, "prod") == served
    assert names_in(clone.folder / STORE) == []


def test_a_training_on_other_features_changes_nothing_before_it_is_promoted(
    project, served
):
    """Features of a signal are made as the models of its stage have learnt them."""
    other = project.copy(project.folder.with_name("other"))
    path = other.folder / FEATURES
    blocks = yaml.safe_load(path.read_text())
    physics = blocks["features"]["physics"]
    changed = {name: bars // 2 for name, bars in physics.items() if bars > 40}
    blocks["features"]["physics"] = physics | changed
    path.write_text(yaml.safe_dump(blocks))
    before = (other.folder / RECIPE).read_bytes()
    other.dvc("repro")

    assert changed
    assert (other.folder / RECIPE).read_bytes() != before
    assert signal(other, "latest") != served
    assert signal(other, "prod") == served
