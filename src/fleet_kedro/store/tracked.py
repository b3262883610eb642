"""Which files DVC tracks, as its own files say: those of now, or those of a commit.

An output of a stage stands in ``dvc.lock``; what was added by ``dvc add`` stands in a
file beside it, that is called like it and ends in ``.dvc``.
"""

import posixpath
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from fleet_kedro.store.errors import StoreError

LOCK = "dvc.lock"

Read = Callable[[str], bytes | None]
"""(path in the project) -> what stands there; None where nothing does."""


class Tracked(NamedTuple):
    """The hash by which DVC knows a file or a folder, and the file that says so."""

    md5: str
    told_by: str


def tracked_about(place: Path, read: Read) -> dict[PurePosixPath, Tracked]:
    """Return what DVC tracks of a folder: itself, folders above it, files in it.

    Parameters
    ----------
    place
        Relative to the project.

    Raises
    ------
    StoreError
        If a file of DVC is none.
    """
    inside = PurePosixPath(place.as_posix())
    tellers = [LOCK, *(f"{path}.dvc" for path in (inside, *inside.parents[:-1]))]
    return {
        path: Tracked(md5, teller)
        for teller in tellers
        for path, md5 in _outs(teller, read(teller) or b"")
        if path.is_relative_to(inside) or inside.is_relative_to(path)
    }


def _outs(teller: str, content: bytes) -> Iterator[tuple[PurePosixPath, str]]:
    """Read paths, relative to the project, and hashes of all outs of a file of DVC."""
    try:
        told: dict[str, Any] = yaml.safe_load(content) or {}
        stages = told.get("stages", {}).values() if teller == LOCK else [told]
        for stage in stages:
            folder = PurePosixPath(teller).parent / stage.get("wdir", ".")
            for out in stage.get("outs", []):
                if "md5" in out:
                    path = posixpath.normpath(folder / out["path"])
                    yield PurePosixPath(path), str(out["md5"])
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise StoreError(
            f"{teller} is no file as DVC writes it. Restore it with `git checkout "
            f"{teller}`."
        ) from error
