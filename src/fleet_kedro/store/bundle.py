"""A model in the store: a folder with its files, its card, and the sums of them all.

::

    btc-lstm/
      arrays.safetensors …   what was learnt, in formats that cannot run code
      card.json  card.md     what is told of it, for programs and for people
      checksums.json         length and SHA-256 of every other file, format version

The folder is written whole or not at all, with the same bytes for the same model, and
is read only if every byte is the one that was written.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from fleet_kedro.store.card import ModelCard
from fleet_kedro.store.card_page import card_page
from fleet_kedro.store.checksums import REMEDY, Checksums, sha256
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.formats import CARD, CHECKSUMS, PAGE, check_name, check_outline
from fleet_kedro.store.swap import aside_of, put_folder

_OWN = (CARD, PAGE, CHECKSUMS)
_MOST_BYTES = 2**31


class StoredModel(NamedTuple):
    """A card, and the model's files by name."""

    card: ModelCard
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 over the sums of the files and the card: who this very model is.

        The page for people is left out, as it only says again what the card says.
        """
        return sha256(Checksums.of(self._told()).written())

    def contents(self) -> dict[str, bytes]:
        """Return every file of the folder, by name."""
        page = card_page(self.card.naming(self.files)).encode("utf-8")
        contents = self._told() | {PAGE: page}
        return contents | {CHECKSUMS: Checksums.of(contents).written()}

    def _told(self) -> dict[str, bytes]:
        return dict(self.files) | {CARD: self.card.naming(self.files).to_json()}


class MissingModelError(StoreError):
    """There is no model where one was looked for."""


def write_bundle(
    folder: Path, files: Mapping[str, bytes], card: ModelCard
) -> StoredModel:
    """Put a model into the store, in place of the one that was in ``folder``.

    A kill leaves the old model or the new one, and a reader sees one of the two.
    Returns the model as it will be read: its card lists the files.

    Raises
    ------
    StoreError
        If a file is of no allowed format, or ``folder`` holds what is no model.
    """
    for name, content in files.items():
        if name in _OWN:
            raise StoreError(f"{folder}: {name} is written by the store; rename it.")
        check_name(name, folder)
        check_outline(name, content, folder)
    _refuse_what_is_no_model(folder)
    stored = StoredModel(card.naming(files), dict(files))
    put_folder(folder, stored.contents())
    return stored


def read_bundle(folder: Path) -> StoredModel:
    """Read a model; no byte of it is run.

    Raises
    ------
    MissingModelError
        If there is no folder.
    StoreError
        If a file is missing, foreign, a link, or changed; names it and the remedy.
    """
    while True:
        with _opened(folder) as held:
            try:
                return parse_bundle(_contents(held, folder), folder)
            except StoreError:
                # A writer may have put another model in place while this one was read.
                if _is_in_place(held, folder):
                    raise


def parse_bundle(contents: Mapping[str, bytes], where: object) -> StoredModel:
    """Read a model from all files of its folder, wherever these come from.

    Raises
    ------
    StoreError
        If a file is missing, foreign or changed; names it and the remedy.
    """
    if CHECKSUMS not in contents:
        raise StoreError(f"{where}: {CHECKSUMS} is missing. {REMEDY}")
    sums = Checksums.read(contents[CHECKSUMS], where)
    told = {name: contents[name] for name in contents if name != CHECKSUMS}
    sums.check(told, where)
    for name in sorted(told):
        check_name(name, where)
        check_outline(name, told[name], where)
    files = {name: told[name] for name in sorted(told) if name not in _OWN}
    stored = StoredModel(_card(told, where), files)
    if stored.card != stored.card.naming(files) or (
        stored.card.to_json() != told[CARD]
    ):
        raise StoreError(
            f"{where}: {CARD} does not describe these files. Train the model again."
        )
    return stored


def _card(contents: Mapping[str, bytes], where: object) -> ModelCard:
    if CARD not in contents:
        raise StoreError(f"{where}: {CARD} is missing. {REMEDY}")
    try:
        return ModelCard.model_validate_json(contents[CARD])
    except ValidationError as error:
        what = error.errors()[0]
        place = ".".join(str(part) for part in what["loc"])
        raise StoreError(
            f"{where}: {CARD} is no model card, {place}: {what['msg']}. "
            "Train the model again."
        ) from error


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Hold the folder itself, so that all files are those of one writing."""
    # Where folders swap in two steps, the old one stands aside for a moment.
    for place in (folder, aside_of(folder), folder):
        try:
            held = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(
                f"{folder} is a link or a file, not the folder of a model. {REMEDY}"
            ) from error
        try:
            yield held
        finally:
            os.close(held)
        return
    raise MissingModelError(
        f"There is no model in {folder}. Get it with `dvc pull`, or train it."
    )


def _contents(held: int, folder: Path) -> dict[str, bytes]:
    """Read every file of an open folder."""
    names = sorted(os.listdir(held))  # a path would follow the name, not the folder
    for name in names:
        check_name(name, folder)
    return {name: _content(held, name, folder) for name in names}


def _content(held: int, name: str, folder: Path) -> bytes:
    """Read a regular file; never follow a link, never wait for a pipe."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with os.fdopen(os.open(name, flags, dir_fd=held), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
                raise StoreError(f"{folder}: {name} is no file of a model. {REMEDY}")
            return stream.read()
    except OSError as error:
        raise StoreError(
            f"{folder}: {name} cannot be read as a file ({error.strerror}); links are "
            f"not followed. {REMEDY}"
        ) from error


def _is_in_place(held: int, folder: Path) -> bool:
    """Say whether the open folder is still the one that a reader would find."""
    for place in (folder, aside_of(folder)):
        try:
            return os.path.samestat(os.fstat(held), place.lstat())
        except FileNotFoundError:
            continue
    return False


def _refuse_what_is_no_model(folder: Path) -> None:
    """Keep a wrong path from costing someone the files that are there."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_symlink() or not folder.is_dir():
        raise StoreError(
            f"{folder} is a link or a file; a model is written into a folder of its "
            "own. Move it elsewhere."
        )
    for entry in sorted(folder.iterdir()):
        check_name(entry.name, folder)
        if entry.is_dir():
            raise StoreError(
                f"{folder} holds the folder {entry.name}, so it is no model; "
                "give a folder of its own, or move that one elsewhere."
            )
