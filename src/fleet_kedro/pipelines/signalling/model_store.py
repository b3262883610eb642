"""Where the catalog finds the models that serve."""

from pathlib import Path
from typing import Any, NamedTuple

from kedro.io import AbstractDataset
from kedro.utils import find_kedro_project

from fleet_kedro.pipelines.read_only import ReadOnly
from fleet_kedro.store.serving import Served


class ModelStore(NamedTuple):
    """A folder of models, and the project whose tags say which of them serve."""

    project: Path
    folder: Path

    def in_stage(self, stage: str) -> Served:
        """Return the models of a stage; none is read before it is asked for."""
        return Served(self.project, self.folder, stage)


class ServingModels(ReadOnly, AbstractDataset[object, ModelStore]):
    """Hand out the store as it is, be it empty: what is missing costs its part alone.

    Each model has a catalog entry of its own, which writes it.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None):
        super().__init__(filepath=path, metadata=metadata)

    def load(self) -> ModelStore:
        """Return the store."""
        here = Path.cwd()
        project = Path(find_kedro_project(self._filepath) or here)
        inside = self._filepath.is_relative_to(here)
        # Reasons name the folder, and no machine's paths shall get into a signal.
        folder = self._filepath.relative_to(here) if inside else self._filepath
        return ModelStore(project, folder)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._filepath}
