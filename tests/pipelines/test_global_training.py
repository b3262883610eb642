"""The global brain, trained through the command line and asked once more."""

import pandas as pd
import pytest

from fleet_kedro.models.brain_files import brain_from_files
from fleet_kedro.store.bundle import read_bundle

SMOKE = ("--env", "smoke")
FOLDER = "data/06_models/brain"


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project()
    done = project.kedro("run", "--pipelines", "global_validation", *SMOKE)
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture(scope="module")
def trained(project):
    return project.kedro("run", "--pipelines", "global_training", *SMOKE)


@pytest.mark.slow
def test_the_run_ends_well_and_says_what_it_made(trained):
    assert trained.returncode == 0, trained.stderr
    last = trained.stdout.rstrip().splitlines()[-1]
    assert last.startswith("global-brain: learnt from ")


@pytest.mark.slow
def test_the_brain_in_the_store_forecasts_the_last_hour(project, trained):
    assert trained.returncode == 0
    model = read_bundle(project.folder / FOLDER)
    tables = project.folder / "data/04_feature"
    features = {
        path.stem: (lambda path=path: pd.read_parquet(path))
        for path in sorted(tables.glob("*.parquet"))
    }
    said = brain_from_files(model.files).forecast(features, last_bars=1).table

    assert model.card.assets == ("BTC", "ETH")
    assert model.card.verdict is not None
    assert said["asset"].tolist() == ["BTC", "ETH"]
    assert (said["timestamp"] == features["BTC"]()["timestamp"].iloc[-1]).all()
    assert said["probability"].between(0, 1).all()


@pytest.mark.slow
def test_a_second_run_leaves_the_same_bytes(project, trained):
    assert trained.returncode == 0

    def contents():
        folder = project.folder / FOLDER
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    first = contents()
    again = project.kedro("run", "--pipelines", "global_training", *SMOKE)

    assert again.returncode == 0
    assert len(first) == 8
    assert contents() == first


@pytest.mark.slow
def test_a_brain_of_another_window_than_the_validation_is_refused(project, trained):
    assert trained.returncode == 0
    window = project.folder / "data/02_intermediate/fleet_window.json"
    known = window.read_text()
    window.write_text(known.replace("planted edge 0.1", "planted edge 0.2"))
    refused = project.kedro("run", "--pipelines", "global_training", *SMOKE)
    window.write_text(known)

    assert refused.returncode != 0
    assert "validate on this window first" in refused.stderr + refused.stdout
