"""The pipeline as a user runs it, and `kedro fleet signal` behind it."""

import shutil

import pytest
import yaml
from signal_stock import ENVIRONMENT

RUN = ("run", "--pipelines", "signalling", "--env", ENVIRONMENT)


@pytest.fixture(scope="module")
def project(make_project, stocked):
    project = make_project()
    shutil.rmtree(project.folder)
    shutil.copytree(stocked, project.folder)
    return project


@pytest.fixture(scope="module")
def finished(project):
    done = project.kedro(*RUN)
    assert done.returncode == 0, done.stderr
    return done


def left(project):
    return {
        name: content
        for name, content in project.outputs().items()
        if name.startswith("08_reporting")
    }


def test_the_console_ends_with_the_signal_and_its_page(finished):
    lines = finished.stdout.splitlines()

    assert finished.stderr == ""
    assert "MULTI-ASSET SIGNAL, 2024-01-01 00:00 UTC" in lines
    assert [line.split()[0] for line in lines if "The forecast of" in line] == [
        *("BTC", "ETH", "SOL"),
    ]
    assert lines[-1] == "Report: data/08_reporting/signal.html"


def test_the_latest_signal_is_told_again_without_a_run(project, finished):
    before = left(project)
    told = project.kedro("fleet", "signal")

    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() in finished.stdout
    assert told.stdout.count("The forecast of") == 3
    assert left(project) == before


@pytest.mark.slow
def test_nothing_usable_is_one_sentence_and_leaves_the_last_signal(project, finished):
    assert finished.returncode == 0
    before = left(project)
    file = f"{ENVIRONMENT}/parameters_signalling.yml"
    serving = {"stage": "latest", "clock": "now", "tail_bars": 6000}
    project.configure(file, yaml.safe_dump({"serving": serving}))
    refused = project.kedro(*RUN)
    (project.folder / "conf" / file).unlink()

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("Error: None of 3 assets can be judged, so there ")
    assert "Traceback" not in refused.stderr
    assert len(before) == 3
    assert left(project) == before


@pytest.mark.slow
def test_what_only_another_pipeline_can_make(project):
    path = project.folder / "data/02_intermediate/candles"
    aside = path.with_name("aside")
    path.rename(aside)
    refused = project.kedro(*RUN)
    aside.rename(path)

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: There is nothing to make a signal from: ")
    assert "Run `kedro run --pipelines ingestion` first." in refused.stderr
    assert "Traceback" not in refused.stderr
