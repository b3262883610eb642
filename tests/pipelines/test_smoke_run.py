"""The whole main job, small, through the command line."""

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_links import fetched_by

ROOT = Path(__file__).parents[2]
COMMAND = [
    *("run", "--pipeline", "global_validation", "--env", "smoke"),
    *("--params", "folds=3,days=48,end=2023-11-30T23:00"),
]
START, END = (
    pd.Timestamp("2023-10-14T00:00", tz="UTC"),
    pd.Timestamp("2023-11-30T23:00", tz="UTC"),
)
EXPERTS = ["trend", "range", "elastic", "pattern", "surface", "stress"]

IN_ORDER = [
    r"GLOBAL FLEET VALIDATION",
    r"Training single model on 2 assets",
    r"Candles as found, and what was done about them",
    r"BTC +2023-09-14 00 2023-11-30 23 1,872 .*",
    r"\[Fleet\] Processing BTCUSDT\.\.\.",
    r"  \[Data\] Loaded 1152 candles",
    r"  \[FracDiff\] Optimal d: \d\.\d{3}",
    r"  \[Normalization\] Z-score per asset, from training rows only",
    r"  \[Clean\] 1139 valid samples",
    r"\[Fleet\] Processing ETHUSDT\.\.\.",
    r"\[Fleet\] Combining 2 assets into global dataset\.\.\.",
    r"\[Fold 1\] Universal Tensor-Flex v2 Refinement",
    r"  ✓ Universal features: 264 → 25 latents",
    r"\[Fold 1\] Global MoE Training \(Asset Embeddings Enabled\)",
    r"\[Fold 1\] Overall Performance:",
    r"\[Fold 1\] Per-Asset Performance:",
    r"  BTCUSDT +: Prec=.*, Base=.*%, Rec=.*%, Exp=.*",
    r"\[Fold 2\] Overall Performance:",
    r"\[Fold 3\] Overall Performance:",
    r"PER-ASSET PERFORMANCE .*",
    r"THE BRAIN AND ITS RIVALS .*",
    r"GLOBAL FLEET VERIFICATION",
    r"[✓✗] .*\(bound .*\)",
    r"GLOBAL FLEET VALIDATION: (PASS|FAIL)\. .*",
    r"Report: data/08_reporting/global_validation\.html",
]


@pytest.fixture(scope="module")
def project(make_project):
    return make_project()


@pytest.fixture(scope="module")
def finished(project):
    return project.kedro(*COMMAND)


@pytest.fixture(scope="module")
def summary(project, finished):
    assert finished.returncode == 0, finished.stderr
    path = project.folder / "data/08_reporting/global_validation.json"
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def forecasts(project, summary):
    assert summary
    return pd.read_parquet(project.folder / "data/07_model_output/forecasts.parquet")


def test_the_run_ends_well_and_complains_about_the_old_option_only(finished):
    notes = [line for line in finished.stderr.splitlines() if line.strip()]

    assert finished.returncode == 0
    assert len(notes) == 2
    assert "KedroDeprecationWarning: Option '--pipeline'" in notes[0]


def test_the_console_tells_the_story_in_order(finished):
    lines = iter(finished.stdout.splitlines())

    # ``any`` stops at the first match, so each search starts behind the last one.
    missing = [
        pattern
        for pattern in IN_ORDER
        if not any(re.fullmatch(pattern, line) for line in lines)
    ]
    assert missing == []


def test_the_report_named_last_is_there_and_needs_nothing_else(project, finished):
    name = finished.stdout.rstrip().splitlines()[-1].removeprefix("Report: ")
    page = (project.folder / name).read_text(encoding="utf-8")

    assert page.startswith("<!DOCTYPE html>")
    assert "FAIL" in page or "PASS" in page
    assert fetched_by(page) == []


def test_parameters_of_the_command_line_are_obeyed(summary):
    facts = summary["facts"]

    assert facts["walk"]["folds"] == 3
    assert [fold["fold"] for fold in summary["folds"]] == [1, 2, 3]
    assert pd.Timestamp(facts["start"]) == START
    assert pd.Timestamp(facts["end"]) == END


def test_the_summary_agrees_with_the_forecasts(summary, forecasts):
    by_asset = {row["asset"]: row for row in summary["assets"]}

    assert sorted(by_asset) == ["BTC", "ETH"]
    for asset, own in forecasts.groupby("asset"):
        told = by_asset[asset]
        assert told["rows"] == len(own)
        assert told["signals"] == own["is_signal"].sum() > 0
        assert told["base_rate"] == pytest.approx(own["is_positive"].mean())
        assert told["precision"] == pytest.approx(
            own.loc[own["is_signal"], "is_positive"].mean()
        )


def test_every_fold_forecasts_its_own_hours_and_no_other(forecasts):
    folds = forecasts.groupby("fold")["timestamp"].agg(["min", "max"])

    assert list(folds.index) == [1, 2, 3]
    assert folds["min"].iloc[1:].gt(folds["max"].shift().iloc[1:]).all()
    assert not forecasts.duplicated(["timestamp", "asset"]).any()
    assert forecasts["timestamp"].between(START, END).all()


def test_forecasts_carry_all_that_a_later_reader_needs(forecasts):
    probability = [
        "probability",
        "volatility_only",
        *(f"expert_{name}" for name in EXPERTS),
    ]
    gate = forecasts[[f"gate_{name}" for name in EXPERTS]]

    assert ((forecasts[probability] >= 0) & (forecasts[probability] <= 1)).all(
        axis=None
    )
    assert np.allclose(gate.sum(axis="columns"), 1)
    assert forecasts["forward_return"].notna().all()
    assert str(forecasts["timestamp"].dtype) == "datetime64[us, UTC]"
    pd.testing.assert_series_equal(
        forecasts["is_signal"],
        forecasts["rank"] >= forecasts["threshold"],
        check_names=False,
    )


# Kedro looks into parameter classes in a way that pydantic gives up
@pytest.mark.filterwarnings("ignore:Accessing the 'model_fields' attribute")
def test_the_notebook_reads_these_results(project, summary, monkeypatch):
    monkeypatch.chdir(project.folder)
    # Kedro adds the project's sources to both; neither shall outlive this test.
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    notebook = json.loads((ROOT / "notebooks/01_first_look.ipynb").read_text())
    code = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    shown: list[object] = []
    names: dict[str, object] = {"display": shown.append}

    for cell in code:
        exec(compile(cell, "01_first_look.ipynb", "exec"), names)  # noqa: S102

    assert len(code) >= 5
    tables = [table for table in shown if isinstance(table, pd.DataFrame)]
    assets = next(t for t in tables if "lift_over_volatility" in t.columns)
    assert assets["signals"].sum() == sum(a["signals"] for a in summary["assets"]) > 0


def test_the_notebook_is_stored_without_outputs():
    notebook = json.loads((ROOT / "notebooks/01_first_look.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    assert code
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in code)


@pytest.mark.slow
def test_a_second_run_leaves_the_same_bytes(project, finished):
    assert finished.returncode == 0
    first = project.outputs()
    again = project.kedro(*COMMAND)
    second = project.outputs()

    assert again.stdout == finished.stdout
    assert len(first) > 12
    assert [name for name in first if first[name] != second.get(name)] == []
    assert first.keys() == second.keys()
