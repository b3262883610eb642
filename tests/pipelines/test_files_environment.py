"""Candles from files lead to the same numbers as the market that they came from."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

UP_TO_FEATURES = ("run", "--pipelines", "ingestion,feature_engineering")
REAL_MARKET = "FLEET_MARKET_DIR"


@pytest.fixture(scope="module")
def synthetic(make_project):
    """A project that has made the features of the small embedded market."""
    project = make_project()
    run = project.kedro(*UP_TO_FEATURES, "--env", "smoke")
    assert run.returncode == 0, run.stderr
    return project


@pytest.fixture
def from_files(make_project):
    """A project as small as the smoke environment, on candles from files."""
    project = make_project()
    conf = project.folder / "conf"
    shutil.copytree(conf / "smoke", conf / "small")
    shutil.copy(conf / "files/parameters_ingestion.yml", conf / "small")
    return project


def written_as(kind: str, synthetic, folder: Path) -> Path:
    """Write the embedded market's candles as a user may have them."""
    for path in sorted((synthetic.folder / "data/01_raw/candles").iterdir()):
        candles = pd.read_parquet(path)
        stem = f"{candles['symbol'].iloc[0]}-1h"
        candles = candles.drop(columns="symbol")
        if kind == "parquet":
            (folder / "candles").mkdir(exist_ok=True)
            candles.to_parquet(folder / "candles" / f"{stem}.parquet")
        else:
            candles.to_csv(folder / f"{stem}.csv", index=False)
    shutil.copy(
        synthetic.folder / "data/01_raw/dominance.parquet",
        folder / "dominance-1d.parquet",
    )
    return folder


def test_parquet_files_lead_to_the_same_bytes(synthetic, from_files, tmp_path):
    folder = written_as("parquet", synthetic, tmp_path)
    run = from_files.kedro(
        *UP_TO_FEATURES, "--env", "small", environ={REAL_MARKET: str(folder)}
    )

    assert run.returncode == 0, run.stderr
    expected, found = synthetic.outputs(), from_files.outputs()
    # Files cannot know what was planted, and the window says where it was read from.
    own = {"01_raw/planted_truth.parquet", "02_intermediate/fleet_window.json"}
    assert expected.keys() == found.keys()
    assert {name for name in found if found[name] != expected[name]} == own


def test_csv_files_lead_to_the_same_candles(synthetic, from_files, tmp_path):
    folder = written_as("csv", synthetic, tmp_path)
    run = from_files.kedro(
        *("run", "--pipelines", "ingestion", "--env", "small"),
        environ={REAL_MARKET: str(folder)},
    )

    assert run.returncode == 0, run.stderr
    expected, found = (
        pd.read_parquet(project.folder / "data/02_intermediate/candles")
        for project in (synthetic, from_files)
    )
    # Decimal text keeps all but the last bit of a number.
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-14)


def test_an_asset_that_does_not_cover_the_window_stays_out_and_the_fleet_goes_on(
    synthetic, from_files, tmp_path
):
    folder = written_as("csv", synthetic, tmp_path)
    young = pd.read_csv(folder / "ETHUSDT-1h.csv").iloc[-500:]
    young.to_csv(folder / "SOLUSDT-1h.csv", index=False)
    small = (from_files.folder / "conf/small/globals.yml").read_text()
    from_files.configure(
        "small/globals.yml", small.replace("[BTC, ETH]", "[BTC, SOL, ETH]")
    )
    run = from_files.kedro(
        *("run", "--pipelines", "ingestion", "--env", "small"),
        environ={REAL_MARKET: str(folder)},
    )

    assert run.returncode == 0, run.stderr
    window = json.loads(from_files.outputs()["02_intermediate/fleet_window.json"])
    assert list(window["symbols"]) == ["BTC", "ETH"]
    assert window["left_out"]["SOL"] in run.stdout
    assert re.search(
        r"SOL is left out: its first candle is .*, after the window's start", run.stdout
    )
    assert "Training single model on 2 assets" in run.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    REAL_MARKET not in os.environ, reason="FLEET_MARKET_DIR names no real candles"
)
def test_real_candles_are_validated_by_the_main_job(make_project):
    project = make_project()
    project.configure("files/globals.yml", "assets: [BTC, ETH, MATIC]\n")
    run = project.kedro(
        *("run", "--pipelines", "global_validation", "--env", "files"),
        *("--params", "days=60,folds=2,end=2023-12-31T23:00"),
        environ={REAL_MARKET: os.environ[REAL_MARKET]},
    )

    assert run.returncode == 0, run.stderr
    forecasts = pd.read_parquet(
        project.folder / "data/07_model_output/forecasts.parquet"
    )
    assert sorted(forecasts["asset"].unique()) == ["BTC", "ETH", "MATIC"]
    assert sorted(forecasts["fold"].unique()) == [1, 2]
    assert np.isfinite(forecasts["probability"]).all()
    assert "[Fleet] Processing MATICUSDT..." in run.stdout
