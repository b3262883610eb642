"""A killed writer leaves the old file or the new one, never half of either."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fleet_kedro.store.single_file import add_file, put_file

# Dies by its own hand at the n-th call of a function that the writing goes through.
DYING = """
import os, signal, sys
from pathlib import Path
from fleet_kedro.store import single_file

place, name, calls = sys.argv[1:]
kind, real = (os, os.fsync) if name == "fsync" else (Path, getattr(Path, name))
left = int(calls)

def dying(*arguments):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)

setattr(kind, name, dying)
single_file.put_file(Path(place), b"new" * 100_000)
"""
# Writes one of two contents after the other until somebody ends it.
RESTLESS = """
import sys
from pathlib import Path
from fleet_kedro.store.single_file import put_file

while True:
    for letter in (b"a", b"b"):
        put_file(Path(sys.argv[1]), letter * 300_000)
        print("written", flush=True)
"""


@pytest.mark.parametrize(
    ("name", "calls", "is_new"),
    [
        ("fsync", "1", False),  # the draft is written, but not yet on the disk
        ("replace", "1", False),  # it is on the disk, but under another name
        ("fsync", "2", True),  # it has the name, but the folder is not on the disk
    ],
)
def test_a_writer_that_dies_in_the_middle(tmp_path, name, calls, is_new):
    path = tmp_path / "signal.json"
    put_file(path, b"old")
    died = subprocess.run(  # noqa: S603
        [sys.executable, "-c", DYING, path, name, calls], check=False
    )

    assert died.returncode == -signal.SIGKILL
    assert path.read_bytes() == (b"new" * 100_000 if is_new else b"old")
    put_file(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert [each.name for each in tmp_path.iterdir()] == ["signal.json"]


@pytest.mark.parametrize("after_seconds", [0.003, 0.011, 0.024])
def test_a_writer_that_is_killed_at_any_moment(tmp_path, after_seconds):
    path = tmp_path / "signal.json"
    writer = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", RESTLESS, path], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"written\n"
    time.sleep(after_seconds)
    writer.kill()
    writer.wait()
    writer.stdout.close()

    assert path.read_bytes() in (b"a" * 300_000, b"b" * 300_000)


def test_the_folder_is_made(tmp_path):
    put_file(tmp_path / "a/b/c.txt", b"content")

    assert (tmp_path / "a/b/c.txt").read_bytes() == b"content"


class TestAdding:
    def test_a_new_file(self, tmp_path):
        add_file(tmp_path / "kept/one", b"content")

        assert (tmp_path / "kept/one").read_bytes() == b"content"
        assert os.listdir(tmp_path / "kept") == ["one"]  # noqa: PTH208

    def test_one_that_is_there_stays(self, tmp_path):
        add_file(tmp_path / "one", b"first")
        with pytest.raises(FileExistsError):
            add_file(tmp_path / "one", b"second")

        assert (tmp_path / "one").read_bytes() == b"first"
        assert [path.name for path in tmp_path.iterdir()] == ["one"]
