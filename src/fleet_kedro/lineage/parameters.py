"""Which keys of which files a pipeline's parameters come from.

DVC reads the files as they stand and knows no ``${globals:...}``, so a key that is only
referred to is listed beside the one that refers to it. Were it not, DVC would call a
stage up to date that Kedro would run with another value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fleet_kedro.lineage.catalog import BASE, Entry, written_blocks
from fleet_kedro.lineage.errors import LineageError

GLOBALS = f"{BASE}/globals.yml"
PREFIX = "params:"

# `${globals:name}` and `${globals:name,default}`; inside `${runtime_params:...}` too
_GLOBAL = re.compile(r"\$\{\s*globals:\s*([\w.]+)")
_REFERENCE = re.compile(r"\$\{\s*([^}:]*)(:?)")
# What a run is given on its command line is none of DVC's: stages give nothing.
_UNDERSTOOD = {"globals", "runtime_params"}

Keys = dict[str, set[str]]
"""Keys by file, each relative to the folder of configuration."""


class Parameters:
    """The parameters of the base environment, as they stand in their files."""

    def __init__(
        self, written: Mapping[str, Mapping[str, Any]], shared: Mapping[str, Any]
    ) -> None:
        self._blocks = {
            name: (file, block)
            for file, blocks in written.items()
            for name, block in blocks.items()
        }
        self._shared = shared

    def keys(self, datasets: Iterable[str], entries: Iterable[Entry]) -> Keys:
        """Return the keys that stand behind ``params:...`` datasets and entries.

        Errors
        ------
        LineageError
            A parameter or a reference is not there, or DVC could not see where a value
            comes from.
        """
        found: Keys = {}
        for dataset in sorted(datasets):
            file, key, value = self._find(dataset.removeprefix(PREFIX))
            found.setdefault(file, set()).add(key)
            self._add_shared(found, value, f"The parameter {key!r}")
        for entry in entries:
            self._add_shared(
                found, entry.written, f"The catalog entry of {entry.name!r}"
            )
        return found

    def _find(self, place: str) -> tuple[str, str, Any]:
        """Return file, key and value, as deep as the file itself has it."""
        first, *deeper = place.split(".")
        if first not in self._blocks:
            raise LineageError(
                f"There is no parameter {place!r} in {BASE}"
                f"{_meant(first, self._blocks)}"
            )
        file, value = self._blocks[first]
        key = first
        for name in deeper:
            if isinstance(value, str):  # a reference to a block that holds the rest
                break
            known = value if isinstance(value, Mapping) else {}
            if name not in known:
                raise LineageError(
                    f"The parameter {key!r} in {file} holds no {name!r}, and a node "
                    f"asks for {place!r}{_meant(name, known)}"
                )
            key, value = f"{key}.{name}", value[name]
        return file, key, value

    def _add_shared(self, found: Keys, value: object, who: str) -> None:
        for text in _texts(value):
            for reference, resolves in _REFERENCE.findall(text):
                if not resolves or reference.strip() not in _UNDERSTOOD:
                    raise LineageError(
                        f"{who} refers to ${{{reference}{resolves}...}}, which DVC "
                        f"cannot follow; refer to a key of {GLOBALS} instead."
                    )
            for name in _GLOBAL.findall(text):
                if not _holds(self._shared, name):
                    raise LineageError(
                        f"{who} refers to {name!r}, which is not in {GLOBALS}"
                        f"{_meant(name, self._shared)}"
                    )
                found.setdefault(GLOBALS, set()).add(name)


def read_parameters(conf: Path) -> Parameters:
    """Read the parameters of the base environment from the folder of configuration."""
    shared = written_blocks(conf, "globals")
    return Parameters(written_blocks(conf, "parameters"), shared.get(GLOBALS, {}))


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a block that refers to something."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str) and "${" in value:
        yield value


def _holds(block: Mapping[str, Any], place: str) -> bool:
    value: Any = block
    for name in place.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else "."
