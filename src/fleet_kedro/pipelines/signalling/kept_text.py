"""How the catalog keeps a text that someone may be reading."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from fleet_kedro.signals.archive import file_signal, filed_signals
from fleet_kedro.store.single_file import put_file


class WholeText(AbstractDataset[str, str]):
    """A text file that is replaced whole or not at all, whatever kills the writer."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> str:
        """Return the text."""
        return self._filepath.read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Put the text in place of the one that was there."""
        put_file(self._filepath, data.encode("utf-8"))

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class SignalArchive(AbstractDataset[str, list[str]]):
    """A folder to which every signal is added, and from which none is ever taken."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> list[str]:
        """Return all signals, oldest first."""
        return [path.read_text(encoding="utf-8") for path in filed_signals(self._path)]

    def save(self, data: str) -> None:
        """File a signal beside the others."""
        file_signal(self._path, data)

    def _exists(self) -> bool:
        return bool(filed_signals(self._path))

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
