"""What is measured: the budgets, growth with the number of assets, and the peers."""

import argparse
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import Measurement, in_turn, measure, task

PROJECT = Path(__file__).parent.parent
# How often each part runs; the median is quoted. What takes minutes runs less often.
RUNS = {
    "features": 3,
    "refine": 3,
    "validation": 2,
    "growth": 2,
    "exchange": 1,
    "attention": 1,
    "peers": 1,
}
# These take minutes, and have no budget of time or need models that take long to train:
# they run only when they are named.
ON_REQUEST = {"null": 1, "brains": 1, "forecasts": 1, "signalling": 3}
# What a signal starts from, in the order in which it is made.
BEFORE_A_SIGNAL = ("global_validation", "global_training", "asset_training", "tuning")
READING_FEATURES = {"refine", "peers", "brains", "forecasts"}
# What the peer of the forecasters needs; it holds pandas below 3, so it lives apart.
FORECAST_PEER = ("mlforecast==1.1.0", "lightgbm==4.7.0", "pyarrow==26.0.1")
N_ASSETS = 11
N_ASSETS_GROWN = 44
TSFRESH_WINDOWS = 500


@dataclass(frozen=True)
class Row:
    """One line of the table; a budget of None makes it a peer or a remark."""

    name: str
    what: str
    cost: Measurement
    budget_seconds: float | None = None
    budget_gib: float | None = None


def measure_all(
    folder: Path, *, real: bool, options: argparse.Namespace
) -> tuple[list[Row], list[str]]:
    """Measure the parts asked for; return their rows, and the parts that failed."""
    usual = {**RUNS, **ON_REQUEST}
    asked = [name for name in usual if name in (options.only or RUNS)]
    work = folder / "reference"
    _prepare(work, N_ASSETS, real=real)
    if "features" not in asked and READING_FEATURES.intersection(asked):
        measure(task("features", work), 1)
    parts: dict[str, Callable[[int], Iterable[Row]]] = {
        "features": lambda runs: [_features(work, runs)],
        "refine": lambda runs: [_refine(work, runs)],
        "validation": lambda runs: [_validation(folder / "project", real, runs)],
        "growth": lambda runs: _growth(folder, runs),
        "exchange": lambda runs: [_exchange(runs)],
        "attention": lambda runs: [_attention(folder / "attention.json", runs)],
        "peers": lambda runs: _peers(work, options.peers_python, runs),
        "null": lambda runs: [_null_market(options.out, runs)],
        "brains": lambda runs: _brains(work, runs),
        "forecasts": lambda runs: _forecasts(work, folder / "peer", runs),
        "signalling": lambda runs: [_signalling(folder / "trained", real, runs)],
    }
    rows: list[Row] = []
    failed: list[str] = []
    for name in asked:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            for row in parts[name](options.runs or usual[name]):
                rows.append(row)
        except RuntimeError as error:
            # What took minutes to measure so far is not thrown away.
            print(error, file=sys.stderr)
            failed.append(name)
    return rows, failed


def _prepare(work: Path, n_assets: int, *, real: bool) -> None:
    """Lay out candles in a process of its own: see ``measure`` for the reason."""
    measure(task("prepare", work, n_assets, "real" if real else "synthetic"), 1)


def _features(work: Path, runs: int) -> Row:
    cost = measure(task("features", work), runs)
    what = "clean candles to all signals and physics, 11 assets, two years"
    return Row("features", what, cost, 30, 2)


def _refine(work: Path, runs: int) -> Row:
    cost = measure(task("refine", work), runs)
    what = "Tensor-Flex, all columns, five folds, latents on disk"
    return Row("refine", what, cost, 60, 4)


def _validation(project: Path, real: bool, runs: int) -> Row:
    """Run the main job."""
    _copy_project(project)
    cost = _run_pipeline("global_validation", project, real, runs)
    what = "global_validation from candles, 11 assets, 730 days, five folds, baseline"
    return Row("validation", what, cost, 300, 5)


def _signalling(project: Path, real: bool, runs: int) -> Row:
    """Train everything once, then make a signal as often as asked, each time cold."""
    _copy_project(project)
    for pipeline in BEFORE_A_SIGNAL:
        _run_pipeline(pipeline, project, real, 1)
    cost = _run_pipeline("signalling", project, real, runs)
    what = "a signal in a cold process: 11 assets, the brain, forecasters of three"
    return Row("signalling", what, cost, 15, 2)


def _copy_project(project: Path) -> None:
    """Copy what a run needs, so that no data here is touched."""
    project.mkdir()
    shutil.copy(PROJECT / "pyproject.toml", project)
    shutil.copytree(PROJECT / "conf", project / "conf")
    shutil.copytree(PROJECT / "src", project / "src")


def _run_pipeline(name: str, project: Path, real: bool, runs: int) -> Measurement:
    kedro = str(Path(sys.executable).with_name("kedro"))
    environment = "files" if real else "base"
    command = [kedro, "run", "--pipelines", name, "--env", environment]
    return measure(command, runs, folder=project, environment={"DO_NOT_TRACK": "1"})


def _growth(folder: Path, runs: int) -> list[Row]:
    """Measure features and refiner on a synthetic fleet, and on one four times it."""
    costs: dict[str, list[Measurement]] = {"features": [], "refine": []}
    for n_assets in (N_ASSETS, N_ASSETS_GROWN):
        work = folder / f"fleet-{n_assets}"
        _prepare(work, n_assets, real=False)
        for name, measured in costs.items():
            measured.append(measure(task(name, work), runs))
        shutil.rmtree(work)
    rows = []
    times = N_ASSETS_GROWN / N_ASSETS
    for name, (first, last) in costs.items():
        slope = math.log(last.wall_seconds / first.wall_seconds) / math.log(times)
        what = (
            f"{name} of {N_ASSETS_GROWN} synthetic assets: time slope {slope:.2f}, "
            f"memory x{last.peak_gib / first.peak_gib:.2f} against {N_ASSETS}"
        )
        rows.append(Row(f"{name} x{times:g}", what, last))
    return rows


def _exchange(runs: int) -> Row:
    """Fill an empty store from an exchange on this machine, then keep it current."""
    script = PROJECT / "tests" / "exchange" / "throughput.py"
    what = "730 days of 11 assets from a local exchange, then two hourly updates"
    return Row("exchange", what, measure([sys.executable, str(script)], runs), 60, 1)


def _attention(written_to: Path, runs: int) -> Row:
    cost = measure(task("attention", written_to), runs)
    gains = []
    for record in json.loads(written_to.read_text()):
        faster = record["full_seconds"] / record["sparse_seconds"]
        leaner = record["full_multiply_adds"] / record["sparse_multiply_adds"]
        gains.append(f"{record['bars']:.0f} bars x{faster:.1f} (x{leaner:.1f})")
    what = (
        "ProbSparse attention against full: speed (multiply-adds) at "
        f"{', '.join(gains)}"
    )
    return Row("attention", what, cost)


def _null_market(out: Path, runs: int) -> Row:
    what = "20 verdicts on markets without an edge, two at a time; NULL_MARKET.md"
    return Row("null market", what, measure(task("null_market", out), runs))


def _brains(work: Path, runs: int) -> list[Row]:
    """Walk one brain over the fleet, then one over each asset alone, in two ways.

    Who keeps eleven brains trains each by a command of its own. One process for all of
    them saves what it takes to start: the share of the work itself.
    """
    assets = sorted(file.stem for file in (work / "features").glob("*.parquet"))
    fleet = measure(task("brains", work), runs)
    alone = in_turn([measure(task("brains", work, one), runs) for one in assets])
    at_once = measure(task("brains", work, *assets), runs)
    share = fleet.wall_seconds / alone.wall_seconds
    share_at_once = fleet.wall_seconds / at_once.wall_seconds
    return [
        Row(
            "brain, fleet",
            f"one brain walked over 11 assets: {share:.2f} of eleven brains' time, "
            f"{share_at_once:.2f} of it in one process",
            fleet,
        ),
        Row("brains, alone", "eleven brains, each walked over one asset", alone),
        Row("brains, at once", "the same eleven brains in one process", at_once),
    ]


def _forecasts(work: Path, peer: Path, runs: int) -> list[Row]:
    """Forecast three assets by LightGBM, here and with mlforecast beside it."""
    ours = measure(task("forecast_lightgbm", work), runs)
    subprocess.run([sys.executable, "-m", "venv", str(peer)], check=True)
    python = str(peer / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", *FORECAST_PEER]
    subprocess.run(pip, check=True)
    theirs = measure([python, *task("forecast_mlforecast", work)[1:]], runs)
    measure(task("forecast_errors", work), 1)
    errors = json.loads((work / "forecast_errors.json").read_text())
    return [
        Row("forecasts, here", f"LightGBM; {_relative(errors, 'lightgbm')}", ours),
        Row("forecasts, mlforecast", f"{_relative(errors, 'mlforecast')}", theirs),
    ]


def _relative(errors: list[dict[str, Any]], name: str) -> str:
    """Tell each root mean square error as a share of the zero forecast's."""
    return "RMSE over zero's: " + ", ".join(
        f"{row['asset']} {row['hours']} h {row[name] / row['zero']:.4f}"
        for row in errors
    )


def _peers(work: Path, peers_python: str | None, runs: int) -> Iterator[Row]:
    """Measure what one would otherwise use, on the same candles."""
    jobs = {
        "physics, here": ("six numbers, 11 assets", task("physics", work)),
        "physics, pandas": (
            "five of them with rolling.apply, one asset",
            task("physics_pandas", work),
        ),
        "refine, scikit-learn": (
            "stack, cluster and PCA of one fold, nothing more",
            task("refine_dense", work),
        ),
    }
    if peers_python:
        command = [peers_python, *task("physics_tsfresh", work, TSFRESH_WINDOWS)[1:]]
        what = f"two of them with tsfresh, {TSFRESH_WINDOWS} windows of one asset"
        jobs["physics, tsfresh"] = (what, command)
    for name, (what, command) in jobs.items():
        yield Row(name, what, measure(command, runs))
