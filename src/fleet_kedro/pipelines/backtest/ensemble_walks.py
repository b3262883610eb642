"""Where the catalog finds the walks of ensembles, as many as were trained."""

from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

_FILE = "ensemble.parquet"


class EnsembleWalks(AbstractDataset[object, dict[str, pd.DataFrame]]):
    """Read the ensemble's walk of every asset that has one; nothing where none has.

    The assets are the folders inside ``path``, in alphabetical order.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> dict[str, pd.DataFrame]:
        """Return the walks by asset, perhaps none."""
        return {file.parent.name: pd.read_parquet(file) for file in self._files()}

    def save(self, data: object) -> NoReturn:  # noqa: ARG002
        """Refuse: each walk has a catalog entry of its own, which writes it."""
        raise DatasetError(f"The ensembles under {self._path} are only read here.")

    def _files(self) -> list[Path]:
        return sorted(self._path.glob(f"*/{_FILE}"))

    def _exists(self) -> bool:
        return bool(self._files())

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
