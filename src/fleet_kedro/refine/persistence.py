"""A fitted refiner as one safetensors file: numbers and names, nothing that can run."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as write_arrays
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.refine.tensor_flex import TensorFlexRefiner

FORMAT = "fleet_kedro.refine.TensorFlexRefiner/1"
_ARRAYS = ("projection_", "offset_", "mean_", "scale_", "cluster_labels_")
_TABLE = "latents_."
_LENGTH_BYTES = 8  # before the head of safetensors, which they give the length of


def save(refiner: TensorFlexRefiner, path: Path) -> None:
    """Write a fitted refiner; the file appears whole or not at all.

    The same refiner gives the same bytes.
    """
    _write_whole(path, to_bytes(refiner))


def to_bytes(refiner: TensorFlexRefiner) -> bytes:
    """Return the content of the file that `save` writes."""
    check_is_fitted(refiner)
    arrays = {name: np.ascontiguousarray(getattr(refiner, name)) for name in _ARRAYS}
    table = refiner.latents_.drop(columns="latent")
    arrays |= {f"{_TABLE}{name}": table[name].to_numpy() for name in table.columns}
    header = {
        "format": FORMAT,
        "parameters": refiner.get_params(),
        "table_columns": list(table.columns),
        "feature_names": _feature_names(refiner),
    }
    header["sha256"] = _digest(header, arrays)
    # One entry only: safetensors orders its metadata by hash, anew in every process.
    metadata = {"header": json.dumps(header, sort_keys=True)}
    return write_arrays(arrays, metadata=metadata)


def load(path: Path) -> TensorFlexRefiner:
    """Read what `save` wrote.

    Raises
    ------
    ValueError
        When the file is something else, or a byte of it changed.
    """
    return from_bytes(path.read_bytes(), path)


def from_bytes(content: bytes, where: object) -> TensorFlexRefiner:
    """Read what `to_bytes` gave; ``where`` names it in errors.

    Raises
    ------
    ValueError
        When the content is something else, or a byte of it changed.
    """
    header, arrays = _read(content, where)
    stored_digest = header.pop("sha256", None)
    if stored_digest != _digest(header, arrays):
        msg = f"{where} does not match its own checksum; it was changed after saving."
        raise ValueError(msg)
    refiner = TensorFlexRefiner(**header["parameters"])
    for name in _ARRAYS:
        setattr(refiner, name, arrays[name])
    refiner.n_features_in_, refiner.n_latents_ = refiner.projection_.shape
    refiner.latent_names_ = [f"latent_{i:02d}" for i in range(refiner.n_latents_)]
    refiner.latents_ = pd.DataFrame(
        {"latent": refiner.latent_names_}
        | {name: arrays[f"{_TABLE}{name}"] for name in header["table_columns"]}
    )
    if header["feature_names"] is not None:
        refiner.feature_names_in_ = np.array(header["feature_names"], dtype=object)
    return refiner


def _feature_names(refiner: TensorFlexRefiner) -> list[str] | None:
    """Column names seen by `fit`; None when it saw a bare array or sums."""
    names = getattr(refiner, "feature_names_in_", None)
    return None if names is None else list(names)


def _digest(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the header and every array with its name, type and shape."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _read(
    content: bytes, where: object
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a file of ours."""
    try:
        arrays = read_arrays(content)
        header = json.loads(_metadata(content).get("header", "{}"))
    except (SafetensorError, json.JSONDecodeError) as error:
        msg = f"{where} is not a saved refiner: {error}."
        raise ValueError(msg) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        msg = f"{where} is not a saved refiner: it does not say {FORMAT!r}."
        raise ValueError(msg)
    return header, arrays


def _metadata(content: bytes) -> dict[str, str]:
    """Texts that stand beside the arrays; the file was found to be well formed."""
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    head = json.loads(content[_LENGTH_BYTES : _LENGTH_BYTES + length])
    return head.get("__metadata__", {})


def _write_whole(path: Path, content: bytes) -> None:
    """Write next to the target and rename, so that no reader sees half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
