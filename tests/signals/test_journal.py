import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest

from fleet_kedro.signals.journal import StudyJournal


def complete(number: float) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(value=number)


def values(path: Path, name: str = "study") -> list[float]:
    return [trial.value for trial in StudyJournal(path).study(name).trials]


HOLDER = """
import sys, time
from pathlib import Path
from fleet_kedro.signals.journal import StudyJournal

with StudyJournal(Path(sys.argv[1])).turn():
    Path(sys.argv[2]).touch()
    time.sleep(60)
"""


class TestKnownValues:
    def test_what_was_added_is_there_again(self, tmp_path):
        path = tmp_path / "new" / "journal.log"
        journal = StudyJournal(path)
        journal.study("study").add_trial(complete(1.5))
        journal.study("another").add_trial(complete(7.0))

        assert values(path) == [1.5]
        assert values(path, "another") == [7.0]

    def test_a_trial_is_one_line(self, tmp_path):
        path = tmp_path / "journal.log"
        study = StudyJournal(path).study("study")
        before = path.read_bytes().count(b"\n")
        study.add_trial(complete(1.0))

        assert path.read_bytes().count(b"\n") == before + 1

    def test_two_readers_see_each_others_trials(self, tmp_path):
        path = tmp_path / "journal.log"
        one, other = (StudyJournal(path).study("study") for _ in range(2))
        one.add_trial(complete(1.0))
        other.add_trial(complete(2.0))

        assert [trial.value for trial in one.trials] == [1.0, 2.0]
        assert [trial.value for trial in other.trials] == [1.0, 2.0]

    def test_a_turn_may_be_taken_inside_a_turn(self, tmp_path):
        journal = StudyJournal(tmp_path / "journal.log")
        with journal.turn(), journal.turn():
            journal.study("study").add_trial(complete(1.0))

        assert values(tmp_path / "journal.log") == [1.0]


class TestAfterAKill:
    @pytest.mark.parametrize("kept", [1, 20, 100])
    def test_a_torn_line_is_dropped_and_the_rest_is_kept(self, tmp_path, kept):
        path = tmp_path / "journal.log"
        study = StudyJournal(path).study("study")
        study.add_trial(complete(1.0))
        whole = path.read_bytes()
        study.add_trial(complete(2.0))
        torn = path.read_bytes()[len(whole) :][:kept]
        path.write_bytes(whole + torn)

        StudyJournal(path).study("study").add_trial(complete(3.0))

        assert len(torn) == kept
        assert values(path) == [1.0, 3.0]

    def test_a_killed_process_keeps_no_turn(self, tmp_path):
        path, entered = tmp_path / "journal.log", tmp_path / "entered"
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, path, entered])  # noqa: S603
        while not entered.exists():
            assert holder.poll() is None
            time.sleep(0.01)
        holder.kill()
        holder.wait()

        started = time.monotonic()
        StudyJournal(path).study("study").add_trial(complete(1.0))

        # A lock file that was left behind would block for half a minute.
        assert time.monotonic() - started < 5
        assert values(path) == [1.0]
