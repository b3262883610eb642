"""Where the catalog keeps the studies."""

from pathlib import Path

from kedro.io import AbstractDataset

from fleet_kedro.pipelines.read_only import ReadOnly


class JournalFile(ReadOnly, AbstractDataset[object, Path]):
    """Hand on the place of a journal of studies, which its reader also writes.

    Trials are appended one by one while a study runs, so there is nothing to load
    before and nothing to save after.
    """

    refusal = "{} is written by studies, not by nodes."

    def load(self) -> Path:
        """Return the path, whether or not there is a journal yet."""
        return self._filepath
