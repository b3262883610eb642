"""A file that remembers every trial: lines are added, never edited, never removed.

One line of JSON per trial, with the key of what was tried and the key of how it fared.
There is no time stamp, so the same trials in the same order give the same bytes. A line
is read only if it is, byte for byte, the one that would be written for its trial.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock
from pydantic import ValidationError

from fleet_kedro.config import Config
from fleet_kedro.store.canonical import compact
from fleet_kedro.validation.trials import Trial

_PATIENCE_SECONDS = 60


class TrialLedger:
    """All trials in one file, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Trial]:
        """Return all trials, oldest first.

        A trial stands twice if it was scored twice with different results.

        Raises
        ------
        ValueError
            If a line is not what would have been written; says which, and what to do.
        """
        return [line.trial for line in self._lines()]

    def append(self, trials: Iterable[Trial]) -> int:
        """Add the trials that do not stand there yet; return how many were added.

        A trial whose key and results are both known changes nothing; one with a known
        key and other results is added, and both stay. The file is replaced as a whole,
        so that a reader, or a run that is killed, never sees half a line. Each call
        reads and writes all of it: append the trials of a study together.

        Raises
        ------
        filelock.Timeout
            If another process has been writing for a minute.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._beside("lock"), timeout=_PATIENCE_SECONDS):
            lines = [_Line.of(trial) for trial in trials]
            known = {(line.key, line.results_key) for line in self._lines()}
            added = [
                line.written()
                for line in {(n.key, n.results_key): n for n in lines}.values()
                if (line.key, line.results_key) not in known
            ]
            if added:
                self._replace(self._content() + b"".join(added))
        return len(added)

    def _lines(self) -> list["_Line"]:
        *whole, rest = self._content().split(b"\n")
        if rest:
            raise ValueError(self._refusal(len(whole) + 1, "it is cut off"))
        return [self._line(number, raw) for number, raw in enumerate(whole, start=1)]

    def _line(self, number: int, raw: bytes) -> "_Line":
        try:
            line = _Line.model_validate_json(raw)
        except ValidationError as error:
            what = error.errors()[0]
            place = ".".join(str(part) for part in what["loc"])
            raise ValueError(
                self._refusal(number, f"{place}: {what['msg']}".removeprefix(": "))
            ) from error
        if line.written() != raw + b"\n" or line != _Line.of(line.trial):
            raise ValueError(
                self._refusal(number, "it was changed after it was written")
            )
        return line

    def _refusal(self, number: int, reason: str) -> str:
        return (
            f"{self._path}, line {number} is no trial as the ledger writes them: "
            f"{reason}. The ledger is never edited; restore the file as it was last "
            "tracked, for instance with dvc checkout."
        )

    def _content(self) -> bytes:
        return self._path.read_bytes() if self._path.exists() else b""

    def _replace(self, content: bytes) -> None:
        # A new file, not a longer one: DVC may have linked the old one to its cache.
        whole = self._beside("tmp")
        with whole.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        whole.replace(self._path)

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(f".{self._path.name}.{suffix}")


class _Line(Config):
    """A trial as it stands in the file, with the keys that find a changed byte."""

    key: str
    results_key: str
    trial: Trial

    @classmethod
    def of(cls, trial: Trial) -> "_Line":
        return cls(key=trial.key, results_key=trial.results.key, trial=trial)

    def written(self) -> bytes:
        return compact(self.model_dump(mode="json", exclude_none=True)) + b"\n"
