"""What tells whether a finished model can be taken over instead of trained again.

Two trainings have one fingerprint if they read the same numbers with the same settings
and the same code, and so would give the same model.
"""

import hashlib
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Shaped
from pydantic import BaseModel

from fleet_kedro.store.canonical import compact


def fingerprint(
    arrays: Mapping[str, Shaped[np.ndarray, "..."]],
    settings: object,
    modules: Iterable[str] = (),
) -> str:
    """Return the SHA-256 of arrays, settings and code.

    Parameters
    ----------
    arrays
        Numbers by name: name, type, shape and bytes count. NaN counts by its bits, and
        0.0 differs from -0.0.
    settings
        A block of parameters or JSON; the order of keys does not matter.
    modules
        Dotted names of modules whose source shapes the model; of a package, all of its
        modules. Versions of libraries belong into ``settings``.

    Raises
    ------
    TypeError
        If an array holds Python objects, whose bytes are addresses.
    ValueError
        If a module has no source to be read.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        _add_array(digest, name, arrays[name])
    plain = (
        settings.model_dump(mode="json")
        if isinstance(settings, BaseModel)
        else settings
    )
    _add(digest, "settings", compact(plain))
    for module in sorted(set(modules)):
        for place, source in _sources(module):
            _add(digest, f"module {place}", source)
    return digest.hexdigest()


def array_hash(arrays: Mapping[str, Shaped[np.ndarray, "..."]]) -> str:
    """Return the SHA-256 of arrays alone: the data hash of a model card.

    Raises
    ------
    TypeError
        If an array holds Python objects, whose bytes are addresses.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        _add_array(digest, name, arrays[name])
    return digest.hexdigest()


def _add_array(
    digest: "hashlib._Hash", name: str, array: Shaped[np.ndarray, "..."]
) -> None:
    if array.dtype.hasobject:
        raise TypeError(f"Array {name!r} holds Python objects; give numbers.")
    head = compact(["array", name, array.dtype.str, list(array.shape)])
    # A view as plain bytes also serves types that no buffer knows, such as datetimes.
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    _add(digest, head.decode("ascii"), content.data)


def _add(digest: "hashlib._Hash", head: str, content: bytes | memoryview) -> None:
    """Add a part behind its name and length, so that no two lists of parts collide."""
    digest.update(compact([head, len(content)]) + b"\n")
    digest.update(content)


def _sources(module: str) -> list[tuple[str, bytes]]:
    """Return the source of a module, or of every module in a package, by its place."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ValueError(f"{module!r} names no module whose source can be read.")
    origin = Path(spec.origin)
    if origin.name != "__init__.py":
        return [(module, _text(origin))]
    return [
        (f"{module}/{path.relative_to(origin.parent).as_posix()}", _text(path))
        for path in sorted(origin.parent.rglob("*.py"))
    ]


def _text(path: Path) -> bytes:
    """Return the source with the line ends that git stores, whatever it checks out."""
    return path.read_text(encoding="utf-8").encode("utf-8")
