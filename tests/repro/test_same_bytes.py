"""The same seed gives the same bytes: with more threads, elsewhere, on another day.

A fresh clone has a `dvc.lock` and no data, so `dvc repro` makes everything anew there,
and must end with the lock that is committed.
"""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from repro.small_project import BIN, STARTED, SmallProject, changed

DAYS_AHEAD = Path(__file__).with_name("days_ahead.c")
SECONDS_AHEAD = 400 * 86_400
COMPILER = shutil.which("cc") or shutil.which("gcc")
# Where a Parquet file is compressed, the comparison of whole runs sees more than this.
TEXTS = {".json", ".jsonl", ".html", ".md", ".txt"}


def remade(clone: SmallProject) -> None:
    """Run all stages in a fresh clone, and hold the lock against the committed one."""
    committed = clone.locked()
    said = clone.dvc("repro").stdout
    assert {found[1] for found in STARTED.finditer(said)} == set(clone.stages())
    assert changed(clone.locked(), committed) == []
    assert clone.git("diff", "--stat") == ""


@pytest.fixture(scope="module")
def later(tmp_path_factory) -> dict[str, str]:
    """What lets a process believe that it is 400 days later."""
    if COMPILER is None:
        pytest.skip("A C compiler is needed to set a clock for one process only.")
    library = tmp_path_factory.mktemp("clock") / "days_ahead.so"
    subprocess.run(  # noqa: S603
        [COMPILER, "-shared", "-fPIC", "-o", library, DAYS_AHEAD, "-ldl"], check=True
    )
    return {"LD_PRELOAD": str(library), "SECONDS_AHEAD": str(SECONDS_AHEAD)}


@pytest.mark.slow
class TestSameBytes:
    def test_a_second_run_finds_nothing_to_do(self, finished, make_copy):
        said = make_copy().dvc("repro").stdout
        assert said.count("didn't change, skipping") == len(finished.project.stages())

    def test_two_threads_leave_the_bytes_of_one(self, finished, tmp_path):
        clone = finished.project.clone(tmp_path / "clone")
        for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA"):
            clone.environ[f"{name}_NUM_THREADS"] = "2"
        remade(clone)

    def test_another_folder_day_and_place_leave_the_same(
        self, finished, later, tmp_path
    ):
        folder = tmp_path / "far down" / "in" / "another place"
        folder.parent.mkdir(parents=True)
        clone = finished.project.clone(folder)
        clone.environ |= later | {
            "TZ": "Asia/Tokyo",
            "LANG": "C",
            "PYTHONHASHSEED": "12345",
            "HOME": str(tmp_path),
            "COLUMNS": "43",
        }
        remade(clone)

    def test_no_text_names_the_day_or_a_folder_of_this_machine(self, finished):
        folder = finished.project.folder
        words = [str(folder), str(BIN), str(Path.home()) + "/"]
        words += [time.strftime(form) for form in ("%Y-%m-%d", "%d %B %Y", "%d.%m.%Y")]
        told = re.compile("|".join(map(re.escape, filter(None, words))))
        tracked = [path for outs in finished.project.locked().values() for path in outs]
        texts = [
            file
            for path in tracked
            for file in [folder / path, *(folder / path).rglob("*")]
            if file.suffix in TEXTS and file.is_file()
        ]
        assert len(texts) > 20
        assert [file.name for file in texts if told.search(file.read_text())] == []


def test_a_process_lives_later_than_the_clock(later):
    """Otherwise, the other day would be today."""
    code = "import datetime, time; print(time.time(), datetime.datetime.now())"
    said = subprocess.run(  # noqa: S603
        [BIN / "python", "-c", code],
        env=later | {"TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seconds, day = said.split()[:2]
    assert 0 <= float(seconds) - SECONDS_AHEAD - time.time() + 60 < 60
    assert day == time.strftime("%Y-%m-%d", time.gmtime(float(seconds)))


def test_outputs_that_differ_are_named():
    """Otherwise, the comparisons would find nothing either."""
    one = {"tuning": {"a": "1", "b": "2"}, "backtest": {"c": "3"}}
    other = {"tuning": {"a": "1", "b": "9"}, "training": {"d": "4"}}
    assert changed(one, one) == []
    assert changed(one, other) == ["b", "c", "d"]
