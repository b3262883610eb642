"""A run that is killed at any point is taken up by the next one, to the same bytes.

The stages are run once through a chain of kills: each `dvc repro` is killed, with all
that it has started, at a point of its own; the last one is left alone.
"""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

from repro.small_project import STARTED, SmallProject, changed, kill

pytestmark = pytest.mark.slow

LONG = ("global_validation", "global_training", "tuning", "asset_training", "backtest")


class Kill(NamedTuple):
    """When to kill: once a stage runs, and then a sign of it appears or time passes.

    ``seconds`` count from the sign where there is one, else from the stage's begin.
    """

    stage: str
    seconds: float
    file: str | None = None
    words: str | None = None


# Where a run has left some of its outputs but not all, or all but not what DVC writes.
MARKED = (
    Kill("ingestion", 0.0, file="data/01_raw/candles"),
    Kill("features", 0.0, file="data/04_feature"),
    Kill("global_validation", 0.0, file="data/07_model_output/trials.jsonl"),
    Kill("global_validation", 0.0, words=r"Report: "),
    Kill("global_training", 0.0, file="data/06_models/brain"),
    Kill("tuning", 0.3, file="data/06_models/tuning/journal.log"),
    Kill("tuning", 0.0, file="data/07_model_output/tuning_trials.jsonl"),
    Kill("asset_training", 0.5, file="data/07_model_output/forecasters/BTC"),
    Kill("asset_training", 0.0, file="data/06_models/forecasters/BTC/lstm"),
    Kill("backtest", 0.0, file="data/08_reporting/backtest_ladder.parquet"),
)


def random_kills(seconds: dict[str, float], seed: int) -> list[Kill]:
    """Draw a moment in the first half of each long stage, as it took undisturbed."""
    rng = np.random.default_rng(seed)
    return [Kill(stage, seconds[stage] * rng.uniform(0.1, 0.5)) for stage in LONG]


def kill_at(project: SmallProject, moment: Kill) -> str:
    """Run a stage until that moment, and what it needs; kill all, return what it said.

    Of several stages that could run, DVC takes any; asked for one, it runs no other.
    """
    process = project.start(".venv/bin/dvc", "repro", moment.stage)
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    try:
        _wait_until(lambda: moment.stage in _started(said), process)
        if moment.file is not None:
            place = project.folder / moment.file
            _wait_until(place.exists, process)
        if moment.words is not None:
            words = re.compile(moment.words)
            _wait_until(lambda: _since(said, moment.stage, words), process)
        time.sleep(moment.seconds)
    finally:
        kill(process)
        reader.join()
        process.stdout.close()
    return "".join(said)


def _wait_until(happened: Callable[[], bool], process) -> None:
    while not happened():
        assert process.poll() is None, "The run ended before it could be killed."
        time.sleep(0.005)


def _started(said: list[str]) -> list[str]:
    return [found[1] for line in [*said] if (found := STARTED.search(line))]


def _since(said: list[str], stage: str, words: re.Pattern[str]) -> bool:
    lines = [*said]
    begins = [n for n, line in enumerate(lines) if f"'{stage}'" in line]
    return any(words.search(line) for line in lines[begins[0] :])


def lock_of(project: SmallProject) -> dict[str, object]:
    return yaml.safe_load((project.folder / "dvc.lock").read_text())


@pytest.fixture(scope="module")
def killed(finished, tmp_path_factory) -> tuple[SmallProject, list[str]]:
    """A clone that was killed many times, and the stage each kill has hit."""
    folder: Path = tmp_path_factory.mktemp("killed")
    project = finished.project.clone(folder / "project")
    hit = []
    order = project.stages()
    kills = sorted(
        [*MARKED, *random_kills(finished.seconds, seed=7)],
        key=lambda each: order.index(each.stage),
    )
    (project.folder / "dvc.lock").unlink()
    for moment in kills:
        kill_at(project, moment)
        hit += [moment.stage] if moment.stage not in project.locked() else []
    return project, hit


def test_every_long_stage_was_hit_while_it_ran(killed):
    _, hit = killed
    assert set(hit) >= set(LONG)
    assert len(hit) >= len(MARKED) + len(LONG) - 2


def test_the_next_run_finishes_with_the_bytes_of_an_undisturbed_one(killed, finished):
    project, _ = killed
    project.dvc("repro")
    assert changed(project.locked(), finished.project.locked()) == []
    # The stages stand there in the order in which they were run.
    assert lock_of(project) == lock_of(finished.project)
