"""Where the catalog finds a table of an earlier run, if there was one."""

import logging

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset

from fleet_kedro.pipelines.read_only import ReadOnly

_logger = logging.getLogger(__name__)


class EarlierTable(ReadOnly, AbstractDataset[object, pd.DataFrame | None]):
    """Read what an earlier run left in a Parquet file; None where there is no table.

    The node that asks for it writes the file anew, by a catalog entry of its own, so a
    half one costs no more than doing the work again.
    """

    def load(self) -> pd.DataFrame | None:
        """Return the table, or None."""
        if not self._filepath.exists():
            return None
        try:
            return pd.read_parquet(self._filepath)
        except pa.ArrowInvalid as error:
            _logger.warning("Not taken over: %s: %s", self._filepath, error)
            return None
