"""Which models lie in the store's folder, whatever the folders in it are called."""

from pathlib import Path
from typing import NamedTuple

from fleet_kedro.store.bundle import StoredModel, read_bundle
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.formats import CHECKSUMS


class OnShelf(NamedTuple):
    """A model and its folder."""

    folder: Path
    model: StoredModel


class Shelf(NamedTuple):
    """Models by name, and a sentence for each folder that cannot be read."""

    models: dict[str, OnShelf]
    damaged: tuple[str, ...]


def read_shelf(store: Path) -> Shelf:
    """Read every model under a folder; one that is damaged does not hide the others.

    Raises
    ------
    StoreError
        If two folders hold models of one name.
    """
    models: dict[str, OnShelf] = {}
    damaged = []
    for folder in _folders(store):
        try:
            model = read_bundle(folder)
        except StoreError as error:
            damaged.append(str(error))
            continue
        twin = models.setdefault(model.card.name, OnShelf(folder, model))
        if twin.folder != folder:
            raise StoreError(
                f"{twin.folder} and {folder} both hold a model called "
                f"{model.card.name}; move one of them elsewhere."
            )
    return Shelf(models, tuple(damaged))


def find_model(store: Path, name: str) -> OnShelf:
    """Return the model of a name.

    Raises
    ------
    StoreError
        If there is none; says which there are, and which cannot be read.
    """
    return model_on(read_shelf(store), store, name)


def model_on(shelf: Shelf, store: Path, name: str) -> OnShelf:
    """Return the model of a name from a shelf that was read from ``store``.

    Raises
    ------
    StoreError
        If there is none; says which there are, and which cannot be read.
    """
    if name in shelf.models:
        return shelf.models[name]
    there = ", ".join(sorted(shelf.models)) or "none"
    raise StoreError(
        " ".join(
            [
                f"{store} holds no model called {name}; there are: {there}.",
                "Get models with `dvc pull`, or train them.",
                *shelf.damaged,
            ]
        )
    )


def _folders(store: Path) -> list[Path]:
    """Return the folders that look like models; hidden ones are unfinished drafts."""
    return [
        path.parent
        for path in sorted(store.rglob(CHECKSUMS))
        if not any(part.startswith(".") for part in path.relative_to(store).parts)
    ]
