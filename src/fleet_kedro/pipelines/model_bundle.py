"""Where the catalog keeps a model."""

import logging
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview

from fleet_kedro.store.bundle import (
    MissingModelError,
    StoredModel,
    read_bundle,
    write_bundle,
)
from fleet_kedro.store.errors import StoreError

_logger = logging.getLogger(__name__)


class ModelBundle(AbstractDataset[StoredModel, StoredModel | None]):
    """A model in a folder of its own: its card, its files, and the sums of them all.

    ``missing_is_none`` reads an earlier result, if there is one, so that a training
    that was killed need not train a finished model again: what is missing is None, and
    so is what cannot be read, with a warning, as it would be trained again anyway.
    """

    def __init__(
        self,
        *,
        filepath: str,
        missing_is_none: bool = False,
        metadata: dict[str, Any] | None = None,
    ):
        self._filepath = Path(filepath)
        self._missing_is_none = missing_is_none
        self.metadata = metadata

    def load(self) -> StoredModel | None:
        """Return the model; every byte of it is the one that was saved."""
        try:
            return read_bundle(self._filepath)
        except MissingModelError as error:
            if self._missing_is_none:
                return None
            raise DatasetError(str(error)) from error
        except StoreError as error:
            if self._missing_is_none:
                _logger.warning("Not taken over: %s", error)
                return None
            raise DatasetError(str(error)) from error

    def save(self, data: StoredModel) -> None:
        """Put the model in place, whole or not at all."""
        try:
            write_bundle(self._filepath, data.files, data.card)
        except StoreError as error:
            raise DatasetError(str(error)) from error

    def preview(self) -> JSONPreview:
        """Return the card, for Kedro-Viz."""
        return JSONPreview(read_bundle(self._filepath).card.to_json().decode())

    def _exists(self) -> bool:
        return self._filepath.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": self._filepath,
            "missing_is_none": self._missing_is_none,
        }
