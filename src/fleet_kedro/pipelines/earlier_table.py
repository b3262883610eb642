"""Where the catalog finds a table of an earlier run, if there was one."""

import logging
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

_logger = logging.getLogger(__name__)


class EarlierTable(AbstractDataset[object, pd.DataFrame | None]):
    """Read what an earlier run left in a Parquet file; None where there is no table.

    The node that asks for it writes the file anew, so a half one costs no more than
    doing the work again.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame | None:
        """Return the table, or None."""
        if not self._filepath.exists():
            return None
        try:
            return pd.read_parquet(self._filepath)
        except pa.ArrowInvalid as error:
            _logger.warning("Not taken over: %s: %s", self._filepath, error)
            return None

    def save(self, data: object) -> NoReturn:  # noqa: ARG002
        """Refuse: the table of this run has a catalog entry of its own."""
        raise DatasetError(f"{self._filepath} is only read here.")

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
