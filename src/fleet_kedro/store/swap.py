"""A folder that is there whole, or as it was before: files put in place together.

The new folder is written beside the old one, brought to the disk, and the two exchange
their names in one step of the kernel. A kill leaves the old one or the new one.
"""

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}

Exchange = Callable[[Path, Path], None]


def put_folder(
    folder: Path, contents: Mapping[str, bytes], exchange: Exchange | None = None
) -> None:
    """Make ``folder`` hold these files and no others.

    A kill may leave a hidden sibling behind, which the next writing removes. Writers
    into one parent folder wait for each other.

    Parameters
    ----------
    exchange
        How two folders swap names; by default in one step where the system can, else
        `exchange_in_two_steps`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(folder)
    with _only_writer(folder.parent):
        _settle(folder)
        _write(draft, contents)
        if folder.exists():
            (exchange or _exchange)(draft, folder)
        else:
            draft.rename(folder)
        _to_disk(folder.parent)
        _remove(draft)


def draft_of(folder: Path) -> Path:
    """Return where a folder is written before it is put in place."""
    return folder.with_name(f".{folder.name}.draft")


def aside_of(folder: Path) -> Path:
    """Return where the old folder waits while a swap in two steps is under way."""
    return folder.with_name(f".{folder.name}.aside")


def exchange_in_two_steps(draft: Path, folder: Path) -> None:
    """Swap where the system cannot do it in one: readers look aside in between."""
    folder.rename(aside_of(folder))
    draft.rename(folder)
    _to_disk(folder.parent)
    aside_of(folder).rename(draft)


def _exchange(draft: Path, folder: Path) -> None:
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        exchange_in_two_steps(draft, folder)
        return
    one, other = os.fsencode(draft), os.fsencode(folder)
    if rename(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE) == 0:
        return
    code = ctypes.get_errno()
    if code not in _CANNOT_EXCHANGE:
        raise OSError(code, os.strerror(code), str(draft), None, str(folder))
    exchange_in_two_steps(draft, folder)


@contextmanager
def _only_writer(parent: Path) -> Iterator[None]:
    """Hold a lock on the parent itself: no file stays behind, a kill gives it free."""
    held = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _settle(folder: Path) -> None:
    """Undo or finish what a killed writer had begun."""
    aside = aside_of(folder)
    if aside.exists():
        if folder.exists():
            _remove(aside)
        else:
            aside.rename(folder)
    _remove(draft_of(folder))


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name in sorted(contents):
        with (folder / name).open("xb") as stream:
            stream.write(contents[name])
            stream.flush()
            os.fsync(stream.fileno())
    _to_disk(folder)


def _to_disk(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
