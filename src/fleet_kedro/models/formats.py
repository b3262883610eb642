"""How learnt numbers become bytes that cannot run code when they are read.

Arrays are safetensors, LightGBM trees its own text, XGBoost trees UBJSON. Anything that
needs an unpickler is left outside. Keys are sorted, so equal numbers give equal bytes.
"""

from collections.abc import Mapping

import lightgbm as lgb
import numpy as np
from jaxtyping import Shaped
from safetensors import SafetensorError
from safetensors.numpy import load, save

ARRAYS = "arrays.safetensors"


def arrays_to_bytes(arrays: Mapping[str, Shaped[np.ndarray, "..."]]) -> bytes:
    """Write named arrays, of any shape and any number type."""
    return save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)})


def arrays_from_bytes(content: bytes) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Read named arrays.

    Raises
    ------
    ValueError
        If these are no safetensors.
    """
    try:
        return load(content)
    except SafetensorError as error:
        raise ValueError(f"This is no safetensors file: {error}") from error


def lightgbm_to_bytes(booster: lgb.Booster) -> bytes:
    """Write LightGBM trees as text, up to their best round."""
    return booster.model_to_string().encode("utf-8")


def lightgbm_from_bytes(content: bytes) -> lgb.Booster:
    """Read LightGBM trees.

    Raises
    ------
    ValueError
        If this is no text of LightGBM.
    """
    try:
        return lgb.Booster(model_str=content.decode("utf-8"))
    except (UnicodeDecodeError, lgb.basic.LightGBMError) as error:
        raise ValueError(f"This is no LightGBM model: {error}") from error
