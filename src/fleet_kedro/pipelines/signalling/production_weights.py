"""Where the catalog finds how forecasters are weighed in production."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset

from fleet_kedro.pipelines.read_only import ReadOnly

_FILE = "ensemble.parquet"

_logger = logging.getLogger(__name__)


class ProductionWeights(ReadOnly, AbstractDataset[object, dict[str, pd.DataFrame]]):
    """Read the weights of every asset that has some; nothing where none has.

    The assets are the folders inside ``path``. A table that cannot be read is left out
    with a warning: its asset is then forecast by others, or by nobody.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        super().__init__(filepath=path, metadata=metadata)

    def load(self) -> dict[str, pd.DataFrame]:
        """Return the tables by asset, perhaps none."""
        tables = {}
        for file in self._files():
            try:
                tables[file.parent.name] = pd.read_parquet(file)
            except pa.ArrowInvalid as error:
                _logger.warning("Not used: %s: %s", file, error)
        return tables

    def _files(self) -> list[Path]:
        return sorted(self._filepath.glob(f"*/{_FILE}"))

    def _exists(self) -> bool:
        return bool(self._files())

    def _describe(self) -> dict[str, Any]:
        return {"path": self._filepath}
