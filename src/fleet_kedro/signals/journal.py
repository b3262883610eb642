"""Studies that outlive the process that runs them.

Every trial is one line of one file, written whole when the trial is complete: a process
that is killed leaves complete trials behind and nothing else, and the next one goes on
where it stopped. The file is Optuna's own journal, so its dashboard can read it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

_LONGEST_TAIL = 1 << 20


class StudyJournal:
    """A file of studies that several processes may share, one turn after the other.

    Processes wait for each other, threads of one process do not: each thread needs a
    journal of its own.

    Parameters
    ----------
    path
        The file; it and its folder are made where they are missing. A lock file lies
        beside it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _KernelLock(path)
        with self.turn():
            self._storage = JournalStorage(
                JournalFileBackend(str(path), lock_obj=self._lock)
            )

    def study(self, name: str) -> optuna.Study:
        """Return the study of that name, empty if there is none yet."""
        # Optuna announces every study on standard error, which holds warnings only.
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with self.turn():
            # Told to create it if need be, Optuna would write a line every time.
            if name in optuna.get_all_study_names(self._storage):
                return optuna.load_study(study_name=name, storage=self._storage)
            return optuna.create_study(
                storage=self._storage, study_name=name, direction="maximize"
            )

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep all other processes from writing until the block is left."""
        self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()


class _KernelLock(JournalFileOpenLock):
    """A lock that dies with its process, and may be taken again by who holds it.

    Optuna's own locks are files: one that a killed process left behind blocks all
    others until a grace period is over. The kernel takes ``flock`` back at once.
    """

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self._journal = journal
        self._held: FileIO | None = None
        self._depth = 0

    def acquire(self) -> bool:
        if self._depth == 0:
            self._held = FileIO(f"{self._journal}.lock", "a")
            fcntl.flock(self._held, fcntl.LOCK_EX)
            _drop_torn_line(self._journal)
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0 and self._held is not None:
            self._held.close()  # and with it the lock
            self._held = None


def _drop_torn_line(journal: Path) -> None:
    """Cut off a last line that its writer could not finish; nobody has read it yet."""
    if not journal.exists():
        return
    with journal.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        tail_start = max(size - _LONGEST_TAIL, 0)
        file.seek(tail_start)
        tail = file.read()
        if tail and not tail.endswith(b"\n"):
            file.truncate(tail_start + tail.rfind(b"\n") + 1)
