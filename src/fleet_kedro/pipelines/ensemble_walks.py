"""Where the catalog finds the walks of ensembles, as many as were trained."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from fleet_kedro.pipelines.read_only import ReadOnly

_FILE = "ensemble.parquet"


class EnsembleWalks(ReadOnly, AbstractDataset[object, dict[str, pd.DataFrame]]):
    """Read the ensemble's walk of every asset that has one; nothing where none has.

    The assets are the folders inside ``path``, in alphabetical order. Each walk has a
    catalog entry of its own, which writes it.
    """

    refusal = "The ensembles under {} are only read here."

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        super().__init__(filepath=path, metadata=metadata)

    def load(self) -> dict[str, pd.DataFrame]:
        """Return the walks by asset, perhaps none."""
        return {file.parent.name: pd.read_parquet(file) for file in self._files()}

    def _files(self) -> list[Path]:
        return sorted(self._filepath.glob(f"*/{_FILE}"))

    def _exists(self) -> bool:
        return bool(self._files())

    def _describe(self) -> dict[str, Any]:
        return {"path": self._filepath}
