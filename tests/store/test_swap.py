"""Kills at every step of a writing, and readers beside writers."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from fleet_kedro.store import swap
from fleet_kedro.store.bundle import MissingModelError, read_bundle, write_bundle
from fleet_kedro.store.swap import aside_of, draft_of, exchange_in_two_steps, put_folder

OLD = {"a.json": b'"old"', "only-old.json": b"1"}
NEW = {"a.json": b'"new"', "only-new.json": b"2"}
# What changes something on the disk; reading between two of these changes nothing.
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "ctypes.dlopen"}
both_ways = pytest.mark.parametrize(
    "exchange", [None, exchange_in_two_steps], ids=["one step", "two steps"]
)


def found(folder: Path) -> dict[str, bytes] | None:
    """Return what a reader would find, as `read_bundle` looks for it."""
    for place in (folder, aside_of(folder)):
        if place.is_dir():
            return {path.name: path.read_bytes() for path in place.iterdir()}
    return None


def killed_at(step: int, folder: Path, exchange) -> bool:
    """Write in a process that kills itself at a step; say whether it came to that."""
    child = os.fork()
    if child == 0:
        left = [step]

        def watch(event: str, _: object) -> None:
            if event in STEPS:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        put_folder(folder, NEW, exchange)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


class TestKills:
    @both_ways
    @pytest.mark.parametrize("before", [OLD, None], ids=["old one", "none"])
    def test_every_kill_leaves_the_old_or_the_new_and_the_next_writing_mends(
        self, tmp_path, exchange, before
    ):
        outcomes = []
        for step in range(1, 200):
            folder = tmp_path / str(step) / "model"
            folder.parent.mkdir()
            if before is not None:
                put_folder(folder, before)
            killed = killed_at(step, folder, exchange)
            outcomes.append(found(folder))
            put_folder(folder, NEW, exchange)
            assert found(folder) == NEW
            assert list(folder.parent.iterdir()) == [folder]
            if not killed:
                break
        assert not killed
        assert len(outcomes) > 8
        assert all(outcome in (before, NEW) for outcome in outcomes)
        # First only the old one, then only the new one: nothing goes to and fro.
        first_new = outcomes.index(NEW)
        assert 0 < first_new < len(outcomes) - 1 or before is None
        assert all(outcome == NEW for outcome in outcomes[first_new:])

    def test_a_draft_of_a_killed_writer_is_no_model(self, tmp_path):
        folder = tmp_path / "model"
        draft_of(folder).mkdir()
        with pytest.raises(MissingModelError):
            read_bundle(folder)

    def test_what_stands_aside_is_read_until_it_is_put_back(self, tmp_path, model):
        folder = tmp_path / "model"
        write_bundle(folder, model.files, model.card)
        folder.rename(aside_of(folder))
        assert read_bundle(folder) == model

    def test_damage_that_stands_aside_is_told(self, tmp_path, model):
        folder = tmp_path / "model"
        write_bundle(folder, model.files, model.card)
        folder.rename(aside_of(folder))
        (aside_of(folder) / "trees.txt").unlink()
        with pytest.raises(ValueError, match=r"trees\.txt is missing"):
            read_bundle(folder)


class TestAtTheSameTime:
    @both_ways
    def test_a_reader_sees_one_whole_model_while_others_are_written(
        self, tmp_path, make_files, make_card, exchange, monkeypatch
    ):
        if exchange is not None:
            monkeypatch.setattr(swap, "_exchange", exchange)
        folder = tmp_path / "model"
        cards = [make_card(folds=number + 1) for number in range(3)]
        models = [
            write_bundle(folder, make_files(number), card)
            for number, card in enumerate(cards)
        ]
        done = threading.Event()

        def write() -> None:
            for turn in range(15):
                model = models[turn % 3]
                write_bundle(folder, model.files, model.card)
            done.set()

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        seen = []
        while not done.is_set():
            seen.append(read_bundle(folder))
        for writer in writers:
            writer.join()
        assert len(seen) > 5
        assert all(model in models for model in seen)
        assert list(tmp_path.iterdir()) == [folder]

    def test_the_system_swaps_folders_in_one_step_where_it_can(self, tmp_path):
        one, other = tmp_path / "one", tmp_path / "other"
        for path in (one, other):
            path.mkdir()
            (path / path.name).touch()
        swap._exchange(one, other)
        assert (one / "other").exists()
        assert (other / "one").exists()
        with pytest.raises(OSError, match="No such file"):
            swap._exchange(one, tmp_path / "nothing")
