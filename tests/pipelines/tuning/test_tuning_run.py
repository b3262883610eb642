"""The tuning after a validation, through the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from fleet_kedro.pipelines.tuning.journal_file import JournalFile

COMMAND = ["run", "--pipelines", "tuning", "--env", "smoke"]
TRIALS = 12  # of a study, as the smoke environment says
OWN = ("BTC", "ETH")
COST = 0.002
OUTPUTS = [
    "07_model_output/thresholds.json",
    "07_model_output/tuning_trials.jsonl",
    "07_model_output/tuning_trials.parquet",
    "08_reporting/tuning.html",
    "08_reporting/tuning_comparison.parquet",
    "08_reporting/tuning_evaluation.parquet",
]
JOURNAL = "06_models/tuning/journal.log"


def draw_forecasts() -> pd.DataFrame:
    """Two folds of two assets, in the columns of a walk that the tuning reads."""
    rng = np.random.default_rng(5)
    clock = pd.date_range("2023-01-01", periods=720, freq="h", tz="UTC", unit="us")
    keys = pd.MultiIndex.from_product(
        [clock, ["BTC", "ETH"]], names=["timestamp", "asset"]
    )
    rows = keys.to_frame(index=False)
    outcome = rng.normal(size=len(rows))
    score = 0.5 * outcome + rng.normal(size=len(rows))
    rank = score.argsort().argsort() / (len(rows) - 1)
    return rows.assign(
        fold=np.where(rows["timestamp"] < clock[360], 1, 2).astype(np.int8),
        forward_return=0.02 * outcome,
        is_positive=0.02 * outcome > COST,
        probability=1 / (1 + np.exp(0.2 - 0.4 * score)),
        rank=rank,
        threshold=0.9,
        is_signal=rank >= 0.9,
    )


def draw_candles(asset: str) -> pd.DataFrame:
    """Clean candles that hold every forecast, its entry and its exit."""
    clock = pd.date_range("2023-01-01", periods=733, freq="h", tz="UTC", unit="us")
    steps = np.random.default_rng(len(asset)).normal(size=len(clock))
    price = 100 * np.exp(0.01 * steps.cumsum())
    return pd.DataFrame(
        {
            "timestamp": clock,
            "open": price,
            "high": 1.01 * price,
            "low": 0.99 * price,
            "close": price,
            "volume": 1.0,
            "asset": asset,
            "symbol": f"{asset}USDT",
            "is_filled": False,
            "segment": np.int32(0),
        }
    )


def prepare(project):
    """Leave what a validation leaves."""
    data = project.folder / "data"
    for folder in ("02_intermediate/candles", "07_model_output"):
        (data / folder).mkdir(parents=True)
    for asset in OWN:
        path = data / f"02_intermediate/candles/{asset}.parquet"
        draw_candles(asset).to_parquet(path)
    draw_forecasts().to_parquet(data / "07_model_output/forecasts.parquet")
    window = data / "02_intermediate/fleet_window.json"
    window.write_text(json.dumps({"source": "drawn for a test"}))
    return project


def tracked(project) -> dict[str, bytes]:
    outputs = project.outputs()
    return {name: outputs[name] for name in OUTPUTS}


@pytest.fixture(scope="module")
def project(make_project):
    return prepare(make_project())


@pytest.fixture(scope="module")
def finished(project):
    done = project.kedro(*COMMAND)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def trials(project, finished):
    assert finished.stdout
    return pd.read_parquet(
        project.folder / "data/07_model_output/tuning_trials.parquet"
    )


def test_the_console_compares_both_rules_and_names_the_page(finished):
    lines = finished.stdout.splitlines()

    assert "Tuning thresholds (4)" in lines
    assert [line.split()[0] for line in lines if "bp, walk" in line] == [
        *("BTC", "ETH", "Fleet"),
    ]
    assert lines[-1] == "Report: data/08_reporting/tuning.html"
    assert finished.stderr == ""


def test_every_study_has_all_its_trials(trials):
    sizes = trials.groupby(["fold", "asset"]).size().to_dict()

    assert sizes == {(fold, asset): TRIALS for fold in (0, 2) for asset in OWN}


def test_every_trial_stands_in_the_ledger_once(project, trials):
    path = project.folder / "data/07_model_output/tuning_trials.jsonl"
    recorded = [json.loads(line)["trial"] for line in path.read_text().splitlines()]
    drawn = trials.drop_duplicates(
        ["asset", "fold", "rank_threshold", "floor_margin", "probability_floor"]
    )

    assert len(recorded) == len(drawn) > 0
    assert {trial["source"] for trial in recorded} == {"drawn for a test"}
    assert {trial["name"] for trial in recorded} == {
        f"{asset}, {purpose}" for asset in OWN for purpose in ("production", "fold 2")
    }


def test_production_takes_the_best_of_the_trials(project, trials):
    told = json.loads(tracked(project)["07_model_output/thresholds.json"])
    own = trials.loc[(trials["fold"] == 0) & trials["is_feasible"]]

    assert sorted(told) == [*OWN]
    for asset in OWN:
        of_asset = own.loc[own["asset"] == asset]
        best = of_asset.iloc[int(of_asset["value"].to_numpy().argmax())]
        assert told[asset]["rank_threshold"] == best["rank_threshold"]
        assert told[asset]["signals"] == best["signals"] > 0


def test_the_second_fold_alone_is_judged(project, trials):
    assert len(trials)
    path = project.folder / "data/08_reporting/tuning_evaluation.parquet"
    scored = pd.read_parquet(path).set_index("asset")
    forecasts = draw_forecasts()
    judged = forecasts.loc[forecasts["fold"] == 2]

    assert scored["fold"].tolist() == [2, 2]
    for asset, rows in judged.groupby("asset"):
        own = scored.loc[asset]
        taken = rows.loc[
            (rows["rank"] >= own["rank_threshold"])
            & (rows["probability"] >= own["probability_floor"])
        ]
        assert own["signals"] == len(taken) > 0
        assert own["net_return"] == pytest.approx(taken["forward_return"].mean() - COST)
        assert own["walk_signals"] == rows["is_signal"].sum()


@pytest.mark.slow
def test_the_same_bytes_with_and_without_the_journal(project, finished):
    assert finished.returncode == 0
    first, journal = tracked(project), project.outputs()[JOURNAL]
    assert project.kedro(*COMMAND).returncode == 0
    again, kept = tracked(project), project.outputs()[JOURNAL]
    (project.folder / "data" / JOURNAL).unlink()
    assert project.kedro(*COMMAND).returncode == 0

    assert kept == journal  # nothing was run a second time
    assert again == first
    assert tracked(project) == first


@pytest.mark.slow
def test_a_killed_run_is_taken_up_again(make_project, project, finished):
    assert finished.returncode == 0
    killed = prepare(make_project())
    journal = killed.folder / "data" / JOURNAL
    run = subprocess.Popen(  # noqa: S603
        [Path(sys.executable).with_name("kedro"), *COMMAND],
        cwd=killed.folder,
        env=os.environ | {"DO_NOT_TRACK": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (journal.exists() and journal.read_bytes().count(b"\n") > TRIALS):
        assert run.poll() is None
        time.sleep(0.001)
    run.send_signal(signal.SIGKILL)
    run.wait()

    assert "07_model_output/tuning_trials.parquet" not in killed.outputs()
    assert killed.kedro(*COMMAND).returncode == 0
    assert tracked(killed) == tracked(project)


@pytest.mark.slow
def test_it_reads_what_a_validation_leaves(make_project):
    project = make_project()
    main = project.kedro("run", "--pipelines", "global_validation", "--env", "smoke")
    done = project.kedro(*COMMAND)

    assert main.returncode == 0
    assert done.returncode == 0, done.stderr
    assert set(OUTPUTS) <= project.outputs().keys()


class TestJournalFile:
    def test_it_hands_on_its_place(self, tmp_path):
        dataset = JournalFile(filepath=str(tmp_path / "journal.log"))

        assert dataset.load() == tmp_path / "journal.log"
        assert not dataset.exists()

    def test_it_cannot_be_saved(self, tmp_path):
        dataset = JournalFile(filepath=str(tmp_path / "journal.log"))

        with pytest.raises(DatasetError, match="written by studies"):
            dataset.save("anything")
