"""How much room the models take, those of earlier commits included.

DVC keeps a file once, under the hash of its content, however many commits name it. So
what the history of a store adds to the disk is what the locks of all commits name, each
content counted once.
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scmrepo.exceptions import SCMError
from scmrepo.git import Git

from fleet_kedro.store.committed import place_in
from fleet_kedro.store.tracked import LOCK, tracked_about

_CACHE = Path(".dvc/cache/files/md5")
_FOLDER = ".dir"


def bytes_with_history(project: Path, store: Path) -> int:
    """Return how many bytes DVC's cache holds of a store, of all commits together.

    What was never fetched to this machine, or was collected as garbage, takes no room
    and is not counted; nor is a cache that `dvc config cache.dir` has put elsewhere.

    Raises
    ------
    StoreError
        If the store lies outside of the project, or a lock is none.
    """
    place = place_in(project, store)
    cache = project / _CACHE
    named = {
        cached
        for lock in _locks(project)
        for path, told in tracked_about(place, {LOCK: lock}.get).items()
        for cached in _files(cache, path, told.md5, place)
    }
    return sum(_size(cache, md5) for md5 in named)


def _locks(project: Path) -> set[bytes]:
    """Return every ``dvc.lock``: that of now, and those of all commits."""
    now = project / LOCK
    found = {now.read_bytes()} if now.is_file() else set()
    try:
        scm = Git(str(project), search_parent_directories=True)
    except SCMError:
        return found
    with scm:
        name = str(project.resolve().relative_to(Path(scm.root_dir).resolve()) / LOCK)
        for commit in scm.list_all_commits():
            try:
                found.add(bytes(scm.get_fs(commit).cat_file(name)))
            except FileNotFoundError:
                continue
    return found


def _files(cache: Path, out: PurePosixPath, md5: str, place: Path) -> Iterator[str]:
    """Name the cached files of an out that lie in the store, with the list of them."""
    if not md5.endswith(_FOLDER):
        yield md5
        return
    listed = _path(cache, md5)
    if not listed.is_file():
        return
    yield md5
    for entry in json.loads(listed.read_bytes()):
        if (out / entry["relpath"]).is_relative_to(place.as_posix()):
            yield str(entry["md5"])


def _size(cache: Path, md5: str) -> int:
    path = _path(cache, md5)
    return path.stat().st_size if path.is_file() else 0


def _path(cache: Path, md5: str) -> Path:
    return cache / md5[:2] / md5[2:]
