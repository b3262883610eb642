"""What a fitted part of the brain hands on: numbers and names, nothing that could run.

What was learnt is a flat mapping. Arrays of it go into safetensors, the text of trees
into a file of its own, everything else into JSON. A part inside another one stands
there under its name and a dot, such as ``gate.coef_``. A part that is restored answers
to the last bit like the one that handed on: arrays keep their numbers, and JSON writes
a float with as many digits as tell it from every other one.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import jaxtyped
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.models.formats import ARRAYS, arrays_from_bytes, arrays_to_bytes

Learnt = dict[str, Any]
"""By name: an array in C order, the bytes of a tree's text, or a value of JSON."""

PLAIN = "learnt.json"
TREES = ".txt"

Part = TypeVar("Part", bound="Restorable")


class Restorable:
    """A part whose learnt attributes are numbers and arrays of numbers."""

    kept: ClassVar[Mapping[str, Any]]
    """Each attribute's type; of an array with its shape, in names that they share."""

    def learnt(self) -> Learnt:
        """Return what was learnt."""
        check_is_fitted(self)
        return {name: getattr(self, name) for name in self.kept}

    def restore(self: Part, learnt: Learnt) -> Part:
        """Take over what a part with the same settings has learnt.

        Raises
        ------
        ValueError
            If a value is missing, one too many, of another type or not finite.
        """
        check_learnt(learnt, self.kept, type(self).__name__)
        for name, value in learnt.items():
            setattr(self, name, value)
        return self


def check_learnt(learnt: Learnt, kept: Mapping[str, Any], whose: str) -> None:
    """Hold values against their types, and the lengths of arrays against each other.

    Raises
    ------
    ValueError
        Names the value, and whose it is.
    """
    if learnt.keys() != kept.keys():
        raise ValueError(
            f"{whose} has learnt {sorted(kept)}, but here are {sorted(learnt)}: take "
            "the files of one model."
        )
    with jaxtyped("context"):  # lengths of one name must agree
        for name, kind in kept.items():
            value = learnt[name]
            fits = isinstance(value, kind)
            if not fits:
                raise ValueError(f"{name} of {whose} is not what it should be: {kind}.")
            if isinstance(value, np.ndarray) and not np.isfinite(value).all():
                raise ValueError(f"{name} of {whose} holds NaN or an infinite number.")


def joined(parts: Mapping[str, Learnt]) -> Learnt:
    """Put parts into one mapping, each value under the name of its part."""
    return {
        f"{part}.{name}": value
        for part, learnt in parts.items()
        for name, value in learnt.items()
    }


def parted(learnt: Learnt, parts: Iterable[str]) -> dict[str, Learnt]:
    """Take apart what `joined` has put together.

    Raises
    ------
    ValueError
        If a value belongs to no part.
    """
    taken = {
        part: {
            name.removeprefix(f"{part}."): value
            for name, value in learnt.items()
            if name.startswith(f"{part}.")
        }
        for part in parts
    }
    foreign = learnt.keys() - joined(taken).keys()
    if foreign:
        raise ValueError(f"{sorted(foreign)} belong to no part of {sorted(taken)}.")
    return taken


def learnt_to_files(learnt: Learnt) -> dict[str, bytes]:
    """Write everything; the same values give the same bytes."""
    arrays = {name: v for name, v in learnt.items() if isinstance(v, np.ndarray)}
    trees = {name: v for name, v in learnt.items() if isinstance(v, bytes)}
    plain = {k: v for k, v in learnt.items() if k not in arrays and k not in trees}
    text = json.dumps(plain, sort_keys=True, indent=1, allow_nan=False)
    return {
        ARRAYS: arrays_to_bytes(arrays),
        PLAIN: text.encode("ascii") + b"\n",
        **{f"{name}{TREES}": content for name, content in trees.items()},
    }


def learnt_from_files(files: Mapping[str, bytes]) -> Learnt:
    """Read everything that `learnt_to_files` has written.

    Raises
    ------
    ValueError
        If a file is missing, foreign or of another format; names it.
    """
    missing = {ARRAYS, PLAIN} - files.keys()
    foreign = {
        name for name in files.keys() - {ARRAYS, PLAIN} if not name.endswith(TREES)
    }
    if missing or foreign:
        raise ValueError(
            f"Of the files {sorted(files)}, {sorted(missing)} are missing and "
            f"{sorted(foreign)} are foreign: take the files of one model."
        )
    trees = {
        name.removesuffix(TREES): content
        for name, content in files.items()
        if name.endswith(TREES)
    }
    return {**arrays_from_bytes(files[ARRAYS]), **_plain(files[PLAIN]), **trees}


def _plain(content: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{PLAIN} is no JSON: {error}") from error
    is_mapping = isinstance(plain, dict)
    if not is_mapping:
        raise ValueError(f"{PLAIN} is no mapping of names to values.")
    return plain
