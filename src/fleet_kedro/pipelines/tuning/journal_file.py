"""Where the catalog keeps the studies."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError


class JournalFile(AbstractDataset[object, Path]):
    """Hand on the place of a journal of studies, which its reader also writes.

    Trials are appended one by one while a study runs, so there is nothing to load
    before and nothing to save after.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the path, whether or not there is a journal yet."""
        return self._filepath

    def save(self, data: object) -> NoReturn:  # noqa: ARG002
        """Refuse: a study appends to its journal itself."""
        raise DatasetError(f"{self._filepath} is written by studies, not by nodes.")

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
