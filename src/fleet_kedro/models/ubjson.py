"""The part of UBJSON that XGBoost writes, read with every length held against the file.

Universal Binary JSON, draft 12: a marker, then the value; numbers are big-endian. An
array may say its number of values, and one type for all of them.
"""

import struct
from typing import Any

import numpy as np

_SCALARS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q", "d": "f", "D": "d"}
_LENGTH = struct.Struct(">cq")
_DEEPEST = 16


def read_ubjson(content: bytes) -> Any:
    """Return objects as dictionaries, arrays of one type as numpy's, others as lists.

    Raises
    ------
    ValueError
        If the content ends early, goes on, is nested too deep, or has other markers.
    """
    reader = _Reader(content)
    value = reader.value(_DEEPEST)
    if reader.place != len(content):
        raise ValueError(f"{len(content) - reader.place} bytes follow the end")
    return value


class _Reader:
    """A place in the content that moves on with each value."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def value(self, depth: int) -> Any:
        marker = self._marker()
        if depth == 0:
            raise ValueError("values are nested too deep")
        if marker == "{":
            return self._object(depth)
        if marker == "[":
            return self._array(depth)
        if marker == "S":
            return self._text()
        if marker in _SCALARS:
            return self._scalar(marker)
        raise ValueError(f"marker {marker!r} at byte {self.place - 1} is not known")

    def _object(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while self.content[self.place : self.place + 1] != b"}":
            key = self._text()
            if key in members:
                raise ValueError(f"{key!r} stands twice")
            members[key] = self.value(depth - 1)
        self.place += 1
        return members

    def _array(self, depth: int) -> Any:
        marker = self._marker()
        kind = None
        if marker == "$":
            kind, marker = self._marker(), self._marker()
        if marker != "#" or kind not in {None, *_SCALARS}:
            raise ValueError(f"an array at byte {self.place} does not say its length")
        length = self._length()
        if kind is None:
            return [self.value(depth - 1) for _ in range(length)]
        dtype = np.dtype(f">{_SCALARS[kind]}")
        return np.frombuffer(self._take(length * dtype.itemsize), dtype)

    def _text(self) -> str:
        return self._take(self._length()).decode("ascii")

    def _length(self) -> int:
        marker, length = _LENGTH.unpack(self._take(_LENGTH.size))
        if marker != b"L" or not 0 <= length <= len(self.content):
            raise ValueError(f"a length at byte {self.place} leads out of the file")
        return int(length)

    def _scalar(self, marker: str) -> int | float:
        layout = struct.Struct(f">{_SCALARS[marker]}")
        (number,) = layout.unpack(self._take(layout.size))
        return number

    def _marker(self) -> str:
        return self._take(1).decode("ascii")

    def _take(self, size: int) -> bytes:
        start, self.place = self.place, self.place + size
        if self.place > len(self.content):
            raise ValueError(f"the content ends at byte {len(self.content)}")
        return self.content[start : self.place]
