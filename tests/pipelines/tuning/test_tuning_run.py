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
from fleet_kedro.signals.decision_rules import NAME, rules_from_files
from fleet_kedro.signals.walk_digest import walk_digest
from fleet_kedro.store.requirements import objections
from fleet_kedro.store.shelf import find_model

COMMAND = ["run", "--pipelines", "tuning", "--env", "smoke"]
RULES = ["card.json", "card.md", "checksums.json", "curves.json", "thresholds.json"]
TRIALS = 12  # of a study, as the smoke environment says
OWN = ("BTC", "ETH")
COST = 0.002
WARMUP_HOURS = 400
FOLD_HOURS = 360
FOLDS = 3
OUTPUTS = [
    *(f"06_models/decision_rules/{name}" for name in RULES),
    "07_model_output/return_thresholds.parquet",
    "07_model_output/return_trials.parquet",
    "07_model_output/thresholds.json",
    "07_model_output/tuning_trials.jsonl",
    "07_model_output/tuning_trials.parquet",
    "08_reporting/results/tuning.json",
    "08_reporting/return_comparison.parquet",
    "08_reporting/tuning.html",
    "08_reporting/tuning_comparison.parquet",
    "08_reporting/tuning_evaluation.parquet",
]
JOURNAL = "06_models/tuning/journal.log"


def draw_forecasts() -> pd.DataFrame:
    """Three folds of two assets, in the columns of a walk that the tuning reads."""
    rng = np.random.default_rng(5)
    rows = np.arange(WARMUP_HOURS, WARMUP_HOURS + FOLDS * FOLD_HOURS)
    own = []
    for asset in OWN:
        candles = draw_candles(asset)
        price = candles["open"].to_numpy()
        outcome = price[rows + 13] / price[rows + 1] - 1
        score = 0.8 * outcome / 0.03 + rng.normal(size=len(rows))
        rank = score.argsort().argsort() / (len(rows) - 1)
        own.append(
            pd.DataFrame(
                {
                    "timestamp": candles["timestamp"].iloc[rows],
                    "asset": asset,
                    "fold": np.repeat([1, 2, 3], FOLD_HOURS).astype(np.int8),
                    "forward_return": outcome,
                    "is_positive": outcome > COST,
                    "probability": 1 / (1 + np.exp(0.2 - 0.4 * score)),
                    "rank": rank,
                    "threshold": 0.9,
                    "is_signal": rank >= 0.9,
                }
            )
        )
    return pd.concat(own).sort_values(["timestamp", "asset"], ignore_index=True)


def draw_candles(asset: str) -> pd.DataFrame:
    """Clean candles that hold every forecast, its entry and its exit."""
    n_hours = WARMUP_HOURS + FOLDS * FOLD_HOURS + 13
    clock = pd.date_range("2023-01-01", periods=n_hours, freq="h", tz="UTC", unit="us")
    steps = np.random.default_rng(OWN.index(asset)).normal(size=len(clock))
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
def return_trials(project, finished):
    assert finished.stdout
    return pd.read_parquet(
        project.folder / "data/07_model_output/return_trials.parquet"
    )


@pytest.fixture(scope="module")
def trials(project, finished):
    assert finished.stdout
    return pd.read_parquet(
        project.folder / "data/07_model_output/tuning_trials.parquet"
    )


def test_the_console_compares_both_rules_and_names_the_page(finished):
    lines = finished.stdout.splitlines()

    assert "Tuning thresholds (6)" in lines
    assert "Tuning return thresholds (4)" in lines
    assert [line.split()[0] for line in lines if "bp, walk" in line] == [
        *("BTC", "ETH", "Fleet"),
    ]
    assert [line.split()[0] for line in lines if "bp, default" in line] == [
        *("BTC", "ETH", "Fleet"),
    ]
    assert any("of what the brain's probabilities promised came" in o for o in lines)
    assert lines[-1] == "Report: data/08_reporting/tuning.html"
    assert finished.stderr == ""


def test_every_study_has_all_its_trials(trials):
    sizes = trials.groupby(["fold", "asset"]).size().to_dict()

    assert sizes == {(fold, asset): TRIALS for fold in (0, 2, 3) for asset in OWN}


def test_every_trial_stands_in_the_ledger_once(project, trials, return_trials):
    path = project.folder / "data/07_model_output/tuning_trials.jsonl"
    recorded = [json.loads(line)["trial"] for line in path.read_text().splitlines()]
    keys = ["asset", "fold"]
    drawn = trials.drop_duplicates(
        [*keys, "rank_threshold", "floor_margin", "probability_floor"]
    )
    weighed = return_trials.drop_duplicates([*keys, "factor"])

    assert len(recorded) == len(drawn) + len(weighed)
    assert min(len(drawn), len(weighed)) > 0
    assert {trial["source"] for trial in recorded} == {"drawn for a test"}
    assert {trial["name"] for trial in recorded} == {
        *(f"{o}, {p}" for o in OWN for p in ("production", "fold 2", "fold 3")),
        *(f"{o} by return, {p}" for o in OWN for p in ("production", "fold 3")),
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


def test_all_folds_but_the_first_are_judged(project, trials):
    assert len(trials)
    path = project.folder / "data/08_reporting/tuning_evaluation.parquet"
    scored = pd.read_parquet(path).set_index(["asset", "fold"])
    forecasts = draw_forecasts()
    judged = forecasts.loc[forecasts["fold"] > 1]

    assert sorted(scored.index) == [(asset, fold) for asset in OWN for fold in (2, 3)]
    for key, rows in judged.groupby(["asset", "fold"]):
        own = scored.loc[key]
        taken = rows.loc[
            (rows["rank"] >= own["rank_threshold"])
            & (rows["probability"] >= own["probability_floor"])
        ]
        assert own["signals"] == len(taken) > 0
        assert own["net_return"] == pytest.approx(taken["forward_return"].mean() - COST)
        assert own["walk_signals"] == rows["is_signal"].sum()


def test_every_return_study_has_all_its_trials(return_trials):
    sizes = return_trials.groupby(["fold", "asset"]).size().to_dict()

    assert sizes == {(fold, asset): TRIALS for fold in (0, 3) for asset in OWN}


def test_the_rules_of_production_serve_a_signal(project, return_trials):
    """From files alone: what a probability is worth, and from where on to act."""
    stored = find_model(project.folder / "data/06_models", NAME).model
    rules = rules_from_files(stored.files)
    walk = walk_digest(draw_forecasts())
    own = return_trials.loc[(return_trials["fold"] == 0) & return_trials["is_feasible"]]
    best = own.loc[own.groupby("asset")["value"].idxmax()].set_index("asset")["factor"]
    expected = rules.curves.curves.expect(
        np.array([[0.2, 0.8]]), np.full((1, 2), 0.03), OWN
    )

    assert rules.curves.forecasts == rules.thresholds.forecasts == walk
    assert stored.card.parameters["forecasts"] == stored.card.data.sha256 == walk
    assert stored.card.data.rows == len(draw_forecasts())
    assert expected.expected_return[0, 0] < 0 < expected.expected_return[0, 1]
    factors = {asset: told.factor for asset, told in rules.thresholds.assets.items()}
    assert factors == best.to_dict()
    assert objections(stored.card) == ()


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
