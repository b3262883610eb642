"""A trained brain as files that cannot run code, and back.

::

    arrays.safetensors               scales, references, networks, gate, intervals
    learnt.json                      settings, names of assets and signals, thresholds,
                                     and whatever was learnt as a single number
    refiner.safetensors              the projection of signals into latents
    mixture.experts.….booster_.txt   trees

The brain that is read back answers to the last bit like the one that was written.
"""

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
from jaxtyping import Float64
from pydantic import ValidationError

from fleet_kedro.features.lags import LAGS
from fleet_kedro.features.scaling import ZScore
from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.formats import lightgbm_from_bytes
from fleet_kedro.models.learnt import (
    Learnt,
    check_learnt,
    joined,
    learnt_from_files,
    learnt_to_files,
    parted,
)
from fleet_kedro.models.mixture_parts import put_together, take_apart
from fleet_kedro.models.trained_brain import TrainedBrain
from fleet_kedro.refine.fleet import FleetRefiner
from fleet_kedro.refine.persistence import from_bytes, to_bytes

FORMAT = "fleet_kedro.models.TrainedBrain/1"
REFINER = "refiner.safetensors"
_TOLD = {"format": str, "settings": dict, "signals": list, "thresholds": dict}
_SCALES = {
    "assets": list,
    "mean": Float64[np.ndarray, "assets signals"],
    "scale": Float64[np.ndarray, "assets signals"],
}


def brain_to_files(brain: TrainedBrain) -> dict[str, bytes]:
    """Return a brain by file name; equal brains give equal bytes."""
    told = {
        "format": FORMAT,
        "settings": brain.settings.model_dump(mode="json"),
        "signals": list(brain.signals),
        "thresholds": dict(brain.thresholds),
    }
    scales = [brain.refiner.scales[asset] for asset in brain.assets]
    learnt: dict[str, Learnt] = {
        "told": told,
        "scales": {
            "assets": list(brain.assets),
            "mean": np.array([z_score.mean for z_score in scales]),
            "scale": np.array([z_score.scale for z_score in scales]),
        },
        "mixture": take_apart(brain.mixture),
    }
    return {**learnt_to_files(joined(learnt)), REFINER: to_bytes(brain.refiner.flex)}


def brain_from_files(files: Mapping[str, bytes]) -> TrainedBrain:
    """Read a brain.

    Raises
    ------
    ValueError
        If a file is missing, foreign or damaged, or does not go with the others.
    """
    if REFINER not in files:
        raise ValueError(f"{REFINER} is not among the files {sorted(files)}.")
    own = {name: content for name, content in files.items() if name != REFINER}
    parts = parted(learnt_from_files(own), ("told", "scales", "mixture"))
    told = parts["told"]
    check_learnt(told, _TOLD, "The brain")
    if told["format"] != FORMAT:
        raise ValueError(f"The format is {told['format']!r}, not {FORMAT!r}.")
    settings = _settings(told["settings"])
    refiner = _refiner(parts["scales"], files[REFINER])
    if refiner.flex.n_features_in_ != len(LAGS) * len(told["signals"]):
        raise ValueError(
            f"The refiner reads {refiner.flex.n_features_in_} columns, but there are "
            f"{len(told['signals'])} signals at {len(LAGS)} lags: take the files of "
            "one model."
        )
    return TrainedBrain(
        settings,
        tuple(told["signals"]),
        refiner,
        put_together(settings.unfitted(len(refiner.scales)), parts["mixture"]),
        {asset: float(rank) for asset, rank in told["thresholds"].items()},
    )


def n_parameters(brain: TrainedBrain) -> int:
    """Count the numbers of a brain: arrays, and leaves of trees."""
    learnt = take_apart(brain.mixture).values()
    arrays = [value for value in learnt if isinstance(value, np.ndarray)]
    for z_score in brain.refiner.scales.values():
        arrays += [z_score.mean, z_score.scale]
    arrays += [brain.refiner.flex.projection_, brain.refiner.flex.offset_]
    trees = [value for value in learnt if isinstance(value, bytes)]
    return sum(array.size for array in arrays) + sum(map(_n_leaves, trees))


def _settings(told: dict[str, Any]) -> BrainSettings:
    try:
        return BrainSettings.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"The settings, {place}: {first['msg']}.") from error


def _refiner(scales: Learnt, content: bytes) -> FleetRefiner:
    check_learnt(scales, _SCALES, "The refiner")
    flex = from_bytes(content, REFINER)
    assets, mean, scale = scales["assets"], scales["mean"], scales["scale"]
    if mean.shape != (len(assets), flex.n_features_in_ // len(LAGS)):
        raise ValueError(
            f"There are scales of {mean.shape} assets and signals, but {len(assets)} "
            f"assets and {flex.n_features_in_ // len(LAGS)} signals: take the files "
            "of one model."
        )
    z_scores = map(ZScore, mean, scale)
    return FleetRefiner(dict(zip(assets, z_scores, strict=True)), flex)


def _n_leaves(trees: bytes) -> int:
    booster: lgb.Booster = lightgbm_from_bytes(trees)
    return sum(tree["num_leaves"] for tree in booster.dump_model()["tree_info"])
