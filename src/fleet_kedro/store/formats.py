"""Which files the store takes, and whether a file is what its name says.

None of these formats can run code when it is read, and none is read by an unpickler.
Here only the outline is looked at; the full reading is done by what uses the file.
"""

import re
from collections.abc import Callable

from pydantic_core import from_json

from fleet_kedro.store.errors import StoreError

CARD = "card.json"
PAGE = "card.md"
CHECKSUMS = "checksums.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")
_LONGEST_NAME = 200
_HEADER_LENGTH = 8  # bytes before the header of safetensors, which say how long it is


def check_name(name: str, where: object) -> None:
    """Refuse a name that leaves the folder, or whose ending the store does not take.

    Raises
    ------
    StoreError
        Names the file and what is allowed.
    """
    suffix = name[name.rfind(".") :]
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise StoreError(
            f"{where}: {name!r} is no file name of a model; it needs letters, digits, "
            "-, _ and an ending, without a folder."
        )
    if suffix not in _OUTLINES:
        raise StoreError(
            f"{where}: {name} is no file of a model; only "
            f"{', '.join(sorted(_OUTLINES))} are, as none of them can run code."
        )


def check_outline(name: str, content: bytes, where: object) -> None:
    """Refuse content that is not of the format that its name says.

    Raises
    ------
    StoreError
        Names the file.
    """
    suffix = name[name.rfind(".") :]
    if not _OUTLINES[suffix](content):
        raise StoreError(
            f"{where}: {name} is not what its ending says; "
            "a model is written by training, not by hand: train it again."
        )


def _is_safetensors(content: bytes) -> bool:
    length = int.from_bytes(content[:_HEADER_LENGTH], "little")
    header = content[_HEADER_LENGTH : _HEADER_LENGTH + length]
    return len(header) == length and header[:1] == b"{" and _is_json(header)


def _is_trees_of_lightgbm(content: bytes) -> bool:
    return content.startswith(b"tree\n") and _is_text(content)


def _is_ubjson(content: bytes) -> bool:
    return content.startswith(b"{")


def _is_json(content: bytes) -> bool:
    try:
        from_json(content, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


_OUTLINES: dict[str, Callable[[bytes], bool]] = {
    ".safetensors": _is_safetensors,
    ".txt": _is_trees_of_lightgbm,
    ".ubj": _is_ubjson,
    ".json": _is_json,
    ".md": _is_text,
}
