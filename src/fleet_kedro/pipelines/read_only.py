"""What the catalog reads and no node writes."""

from pathlib import Path
from typing import Any, ClassVar, NoReturn

from kedro.io.core import DatasetError


class ReadOnly:
    """What datasets share that have a place and refuse to be saved.

    Mixed in beside ``AbstractDataset`` and not derived from it: Kedro writes down the
    arguments of a dataset, and finds none where the class inherits them from another
    dataset.
    """

    refusal: ClassVar[str] = "{} is only read here."

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = Path(filepath)
        self.metadata = metadata

    def save(self, data: object) -> NoReturn:
        """Refuse: whoever writes here does so by another way."""
        del data
        raise DatasetError(self.refusal.format(self._filepath))

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
