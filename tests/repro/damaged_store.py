"""Reads trained models whose files were damaged, in a process that may die of it.

Called with a store and how often to damage each file. What the store's checksums would
refuse is handed to the readers of the models all the same. Prints, for every file, how
often it was refused with a ValueError and how often it was still read; anything else
ends the process.
"""

import sys
from collections import Counter
from pathlib import Path

from fleet_kedro.models.brain_files import brain_from_files
from fleet_kedro.models.forecasters.kinds import KINDS
from fleet_kedro.models.forecasters.settings import ForecasterSettings, make_forecaster
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.shelf import read_shelf
from models.damaged import damaged


def load(model: StoredModel, files: dict[str, bytes]) -> object:
    """Read a model by what its card says of it."""
    if model.card.kind == "brain":
        return brain_from_files(files)
    settings = ForecasterSettings.model_validate(model.card.parameters)
    return make_forecaster(model.card.kind, settings).load_files(files)


def main(store: Path, n_times: int) -> None:
    """Damage every file of every model, and read the model."""
    for name, found in sorted(read_shelf(store).models.items()):
        if found.model.card.kind not in (*KINDS, "brain"):
            continue
        files = dict(found.model.files)
        load(found.model, files)
        for file, good in files.items():
            ends: Counter[str] = Counter()
            for seed in range(n_times):
                try:
                    load(found.model, files | {file: damaged(good, seed)})
                except StoreError:
                    raise
                except ValueError:
                    ends["refused"] += 1
                else:
                    ends["read"] += 1
            print(name, file, ends["refused"], ends["read"])  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
