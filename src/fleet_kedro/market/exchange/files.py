"""Files that are there whole, or as they were before."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place, whole and on the disk, or leave the old one.

    A crash may leave a hidden draft beside it, which the next writing replaces.
    """
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
    # The name is on the disk only once its folder is.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
