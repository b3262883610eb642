"""Whether a folder is what the dvc.lock of a commit says."""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml
from scmrepo.git import Git

from fleet_kedro.store.errors import StoreError

LOCK = "dvc.lock"


def is_as_committed(scm: Git, project: Path, folder: Path) -> bool:
    """Hold a folder against ``dvc.lock`` as it stands in the current commit.

    Returns whether DVC tracks the folder there: itself, a folder above, or files in it.
    What it tracks since then only, in a dvc.lock that is not committed, is refused.

    Raises
    ------
    StoreError
        If it tracks another content; says what to do.
    """
    place = project / place_in(project, folder)
    committed = _about(place, _outs(_committed_lock(scm, project), project))
    lock = project / LOCK
    current = _about(place, _outs(lock.read_bytes() if lock.exists() else b"", project))
    for path in sorted(committed.keys() | current.keys()):
        if not path.exists() or path_md5(path) != committed.get(path):
            raise StoreError(
                f"{path.relative_to(project)} is not what the committed {LOCK} says, "
                "so no one else could get this model. Commit the new "
                f"{LOCK} after `dvc repro`, or get the committed one by `dvc checkout`."
            )
    return bool(committed)


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


def _committed_lock(scm: Git, project: Path) -> bytes:
    place = (project.resolve() / LOCK).relative_to(Path(scm.root_dir).resolve())
    try:
        return bytes(scm.get_fs("HEAD").cat_file(str(place)))
    except FileNotFoundError:
        return b""


def _about(place: Path, outs: dict[Path, str]) -> dict[Path, str]:
    """Return the outs that are the folder, hold it, or lie in it."""
    return {
        path: md5
        for path, md5 in outs.items()
        if place.is_relative_to(path) or path.is_relative_to(place)
    }


def _outs(lock: bytes, project: Path) -> dict[Path, str]:
    """Read the hashes of all outs of all stages."""
    stages: dict[str, Any] = (yaml.safe_load(lock) or {}).get("stages", {})
    return {
        project / out["path"]: out["md5"]
        for stage in stages.values()
        for out in stage.get("outs", [])
        if "md5" in out
    }


def _is_draft(path: Path) -> bool:
    """Say whether a killed writer left it: the store's own drafts are no outputs."""
    return any(part.startswith(".") for part in path.parts)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
