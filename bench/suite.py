"""What is measured: the budgets, growth with the number of assets, and the peers."""

import argparse
import math
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.market import prepare
from bench.measure import Measurement, measure, task

PROJECT = Path(__file__).parent.parent
GROWTH = (11, 22, 44)
TSFRESH_WINDOWS = 500


@dataclass(frozen=True)
class Row:
    """One line of the table; a budget of None makes it a peer or a remark."""

    name: str
    what: str
    wall_seconds: float
    peak_gib: float
    budget_seconds: float | None = None
    budget_gib: float | None = None


def measure_all(folder: Path, *, real: bool, options: argparse.Namespace) -> list[Row]:
    """Measure what was asked for, in the order of the table."""
    work = folder / "reference"
    prepare(work, GROWTH[0], real=real)
    parts: dict[str, Callable[[], list[Row]]] = {
        "features": lambda: [_features(work, options.runs)],
        "refine": lambda: [_refine(work, options.runs)],
        "validation": lambda: [_validation(folder / "project", real, options.runs)],
        "growth": lambda: _growth(folder),
        "peers": lambda: _peers(work, options.peers_python),
    }
    rows: list[Row] = []
    for name, part in parts.items():
        # features come first in any case: what follows reads them
        if not options.only or name in options.only or name == "features":
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            rows.extend(part())
    return rows


def _features(work: Path, runs: int) -> Row:
    cost = measure(task("features", work), runs)
    what = "clean candles to all signals and physics, 11 assets, two years"
    return Row("features", what, cost.wall_seconds, cost.peak_gib, 30, 2)


def _refine(work: Path, runs: int) -> Row:
    cost = measure(task("refine", work), runs)
    what = "Tensor-Flex, all columns, five folds, latents on disk"
    return Row("refine", what, cost.wall_seconds, cost.peak_gib, 60, 4)


def _validation(project: Path, real: bool, runs: int) -> Row:
    """Run the main job in a copy of the project, so that no data here is touched."""
    project.mkdir()
    shutil.copy(PROJECT / "pyproject.toml", project)
    shutil.copytree(PROJECT / "conf", project / "conf")
    shutil.copytree(PROJECT / "src", project / "src")
    kedro = str(Path(sys.executable).with_name("kedro"))
    environment = "files" if real else "base"
    command = [kedro, "run", "--pipelines", "global_validation", "--env", environment]
    here = Path.cwd()
    os.chdir(project)
    try:
        cost = measure(command, runs, {"DO_NOT_TRACK": "1"})
    finally:
        os.chdir(here)
    what = "global_validation from candles, 11 assets, 730 days, five folds, baseline"
    return Row("validation", what, cost.wall_seconds, cost.peak_gib, 300, 5)


def _growth(folder: Path) -> list[Row]:
    """Measure features and refiner on synthetic fleets of growing size."""
    costs: dict[str, list[Measurement]] = {"features": [], "refine": []}
    for n_assets in GROWTH:
        work = folder / f"fleet-{n_assets}"
        prepare(work, n_assets, real=False)
        for name, measured in costs.items():
            measured.append(measure(task(name, work), 1))
        shutil.rmtree(work)
    rows = []
    for name, (first, *_, last) in costs.items():
        times = GROWTH[-1] / GROWTH[0]
        slope = math.log(last.wall_seconds / first.wall_seconds) / math.log(times)
        growth = last.peak_gib / first.peak_gib
        what = (
            f"{name} of {GROWTH[-1]} synthetic assets: time slope {slope:.2f}, "
            f"memory x{growth:.2f} against {GROWTH[0]}"
        )
        rows.append(Row(f"{name} x{times:g}", what, last.wall_seconds, last.peak_gib))
    return rows


def _peers(work: Path, peers_python: str | None) -> list[Row]:
    """Measure what one would otherwise use, once each, on the same candles."""
    jobs = {
        "physics, here": ("six numbers, 11 assets", task("physics", work)),
        "physics, pandas": (
            "five of them with rolling.apply, 11 assets",
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
    rows = []
    for name, (what, command) in jobs.items():
        cost = measure(command, 1)
        rows.append(Row(name, what, cost.wall_seconds, cost.peak_gib))
    return rows
