"""Where the catalog keeps the trial ledger."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from fleet_kedro.validation.ledger import TrialLedger
from fleet_kedro.validation.trials import Trial


class LedgerFile(AbstractDataset[list[Trial], list[Trial]]):
    """Saving appends trials that are not there yet; loading returns all there are."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> list[Trial]:
        """Return every trial, oldest first."""
        return TrialLedger(self._filepath).read()

    def save(self, data: list[Trial]) -> None:
        """Append; nothing is ever edited or removed."""
        TrialLedger(self._filepath).append(data)

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
