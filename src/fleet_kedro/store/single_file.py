"""A file that is there whole, or as it was before.

The new content is written beside the old one, brought to the disk, and takes its name
in one step of the kernel. A kill leaves the old file or the new one, and perhaps a
hidden draft, which the next writing replaces.
"""

import os
from pathlib import Path

from fleet_kedro.store.swap import draft_of


def put_file(path: Path, content: bytes) -> None:
    """Make ``path`` hold this content; its folder is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    _write(draft, content)
    draft.replace(path)
    _to_disk(path.parent)


def add_file(path: Path, content: bytes) -> None:
    """Put a new file in place; one that is there stays as it is.

    Raises
    ------
    FileExistsError
        If there is a file of this name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    _write(draft, content)
    try:
        # Unlike a rename, a link never replaces what is there.
        path.hardlink_to(draft)
    finally:
        draft.unlink()
    _to_disk(path.parent)


def _write(draft: Path, content: bytes) -> None:
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _to_disk(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
