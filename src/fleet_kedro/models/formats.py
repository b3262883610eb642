"""How learnt numbers become bytes that cannot run code when they are read.

Arrays are safetensors, LightGBM trees its own text, XGBoost trees UBJSON. Anything that
needs an unpickler is left outside. Keys are sorted, so equal numbers give equal bytes.
"""

from collections.abc import Mapping

import lightgbm as lgb
import numpy as np
import xgboost as xgb
from jaxtyping import Shaped
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fleet_kedro.models.lightgbm_text import check_trees, plain_trees
from fleet_kedro.models.xgboost_trees_check import check_xgboost

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
    """Write LightGBM trees as text, up to their best round.

    The settings that LightGBM adds are left out: prediction needs none of them, and
    among them is the number of threads.
    """
    return plain_trees(booster.model_to_string())


def lightgbm_from_bytes(content: bytes) -> lgb.Booster:
    """Read LightGBM trees.

    Raises
    ------
    ValueError
        If these are no trees of LightGBM as `lightgbm_to_bytes` writes them.
    """
    try:
        check_trees(content)
        return lgb.Booster(model_str=content.decode("ascii"))
    except (ValueError, lgb.basic.LightGBMError) as error:
        raise ValueError(f"This is no LightGBM model: {error}") from error


def xgboost_to_bytes(booster: xgb.Booster) -> bytes:
    """Write XGBoost trees as UBJSON.

    Raises
    ------
    ValueError
        If the trees are not plain, so that they could not be read again.
    """
    content = bytes(booster.save_raw("ubj"))
    check_xgboost(content)
    return content


def xgboost_from_bytes(content: bytes) -> xgb.Booster:
    """Read XGBoost trees; they answer on one thread.

    Raises
    ------
    ValueError
        If these are no trees of XGBoost as `xgboost_to_bytes` writes them.
    """
    booster = xgb.Booster({"nthread": 1, "verbosity": 0})
    try:
        check_xgboost(content)
        booster.load_model(bytearray(content))
    except (ValueError, xgb.core.XGBoostError) as error:
        raise ValueError(f"This is no XGBoost model: {error}") from error
    return booster
