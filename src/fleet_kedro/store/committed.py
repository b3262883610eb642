"""Whether a folder is what DVC's files say in the current commit."""

import hashlib
import json
from pathlib import Path

from scmrepo.git import Git

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.tracked import LOCK, Read, tracked_about


def is_as_committed(scm: Git, project: Path, folder: Path) -> bool:
    """Hold a folder against ``dvc.lock`` and ``.dvc`` files of the current commit.

    Returns whether DVC tracks the folder there: itself, a folder above, or files in it.
    What it tracks since then only, by a file that is not committed, is refused.

    Raises
    ------
    StoreError
        If it tracks another content; says what to do.
    """
    place = place_in(project, folder)
    committed = tracked_about(place, _as_committed(scm, project))
    current = tracked_about(place, _as_it_lies(project))
    for path, told in sorted((current | committed).items()):
        expected = committed.get(path)
        found = project / path
        if expected is None or not found.exists() or path_md5(found) != expected.md5:
            raise StoreError(_refusal(str(path), told.told_by))
    return bool(committed)


def _refusal(path: str, told_by: str) -> str:
    made_by = "dvc repro" if told_by == LOCK else f"dvc add {path}"
    return (
        f"{path} is not what the committed {told_by} says, so no one else could get "
        f"this model. Commit the new {told_by} after `{made_by}`, or get the committed "
        "one by `dvc checkout`."
    )


def place_in(project: Path, folder: Path) -> Path:
    """Return where a folder lies in the project.

    Raises
    ------
    StoreError
        If it lies elsewhere.
    """
    try:
        return folder.resolve().relative_to(project.resolve())
    except ValueError as error:
        raise StoreError(
            f"{folder} lies outside of {project}, whose commits are to hold it. Move "
            "the store into the project."
        ) from error


def path_md5(path: Path) -> str:
    """Return the hash by which DVC 3 knows a file or a folder.

    A folder's is the MD5 of a list of its files with theirs, sorted by path, and ends
    in ``.dir``.
    """
    if path.is_file():
        return _md5(path.read_bytes())
    listed = sorted(
        (file.relative_to(path).as_posix(), _md5(file.read_bytes()))
        for file in path.rglob("*")
        if file.is_file() and not _is_draft(file.relative_to(path))
    )
    entries = [{"md5": md5, "relpath": name} for name, md5 in listed]
    return _md5(json.dumps(entries, sort_keys=True).encode("utf-8")) + ".dir"


def _as_committed(scm: Git, project: Path) -> Read:
    files = scm.get_fs("HEAD")
    above = project.resolve().relative_to(Path(scm.root_dir).resolve())

    def read(name: str) -> bytes | None:
        try:
            return bytes(files.cat_file(str(above / name)))
        except FileNotFoundError:
            return None

    return read


def _as_it_lies(project: Path) -> Read:
    def read(name: str) -> bytes | None:
        path = project / name
        return path.read_bytes() if path.is_file() else None

    return read


def _is_draft(path: Path) -> bool:
    """Say whether a killed writer left it: the store's own drafts are no outputs."""
    return any(part.startswith(".") for part in path.parts)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
