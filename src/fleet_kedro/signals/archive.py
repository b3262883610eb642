"""Every signal that was ever made, a file each, beside the latest one.

A signal is filed under the moment that it was made for, such as
``2025-10-25T192608Z.json``. Nothing is ever overwritten: the same signal again changes
nothing, and another one for the same moment, from other models, say, is filed beside
it with a number. So a folder holds them in order of time, and none is lost.
"""

from collections.abc import Iterator
from datetime import UTC
from itertools import count
from pathlib import Path

from fleet_kedro.signals.signal_document import read_signal
from fleet_kedro.signals.signal_shape import PortfolioSignal
from fleet_kedro.store.single_file import add_file

_SUFFIX = ".json"


def file_signal(folder: Path, text: str) -> Path:
    """File a signal, given as `signal_text` writes it; return where it lies.

    Raises
    ------
    pydantic.ValidationError
        If the text is no signal.
    """
    content = text.encode("utf-8")
    for path in _places(folder, read_signal(text)):
        if path.exists() and path.read_bytes() == content:
            return path
        try:
            add_file(path, content)
        except FileExistsError:
            continue
        return path
    raise AssertionError("there is always a next number")


def filed_signals(folder: Path) -> list[Path]:
    """Return where signals are filed, oldest first; drafts of a kill are none."""
    files = folder.glob(f"*{_SUFFIX}")
    return sorted((path for path in files if path.name[0] != "."), key=_moment_first)


def _places(folder: Path, signal: PortfolioSignal) -> Iterator[Path]:
    moment = signal.timestamp.astimezone(UTC)
    digits = f".{moment:%f}" if moment.microsecond else ""
    name = f"{moment:%Y-%m-%dT%H%M%S}{digits}Z"
    yield folder / f"{name}{_SUFFIX}"
    for number in count(2):
        yield folder / f"{name}_{number}{_SUFFIX}"


def _moment_first(path: Path) -> tuple[str, int]:
    moment, _, number = path.stem.partition("_")
    return moment, int(number or 1)
