"""What each part of the brain is worth: the same walk without it.

An ablation changes one thing and forecasts the same rows from the same latents. Only
the experts that the change can reach learn anew.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.experts import EXPERT_COLUMNS
from fleet_kedro.models.fleet_rows import FleetRows, Track
from fleet_kedro.models.mixture import ASSET_CODE
from fleet_kedro.validation.asked import Asked, Variant, ask
from fleet_kedro.validation.judged import judge_fold

AblationSet = Literal["off", "fast", "full"]
"""None; those that teach few experts anew; those that teach every one as well."""

SHIFTED_LABELS = "labels shifted in time"


class Ablation(NamedTuple):
    """A name, the settings it changes, the experts it reaches (None: all of them)."""

    name: str
    changes: dict[str, Any]
    reaches: tuple[str, ...] | None = None
    shift_labels: bool = False

    def settings(self, brain: BrainSettings) -> BrainSettings:
        """Return the brain's settings with the change made."""
        return brain.model_copy(update=self.changes)


def ablations_of(brain: BrainSettings, which: AblationSet) -> list[Ablation]:
    """Return the ablations of a brain: every part that can be switched, switched."""
    if which == "off":
        return []
    reads_asset = tuple(
        name for name, columns in EXPERT_COLUMNS.items() if ASSET_CODE in columns
    )
    embeddings = {"off": "no embedding", "one_hot": "one-hot embedding"}
    embeddings["learned"] = "learned embedding"
    switched = [
        Ablation(name, {"use_asset_embedding": kind}, reads_asset)
        for kind, name in embeddings.items()
        if kind != brain.use_asset_embedding
    ]
    if brain.relative_experts:
        switched.append(
            Ablation("own outcomes", {"relative_experts": ()}, brain.relative_experts)
        )
    if which == "full":
        switched += [
            Ablation(
                "no energy" if brain.use_energy else "with energy",
                {"use_energy": not brain.use_energy},
            ),
            Ablation(
                "no chaos mask" if brain.mask_chaos else "with chaos mask",
                {"mask_chaos": not brain.mask_chaos},
            ),
            Ablation(SHIFTED_LABELS, {}, shift_labels=True),
        ]
    return switched


def ablate(
    rows: FleetRows,
    walked: Sequence[Asked],
    brain: BrainSettings,
    ablation: Ablation,
    track: Track,
) -> Float[np.ndarray, " rows"]:
    """Return the ablated brain's probabilities, one fold after another."""
    settings = ablation.settings(brain)
    frames: list[pd.DataFrame] = []
    for number, known in enumerate(track(walked, f"Ablation: {ablation.name}")):
        variant = Variant(known, ablation.reaches, ablation.shift_labels)
        asked = ask(rows, number, known.fold, settings, variant)
        frames.append(judge_fold(asked, frames))
    return np.concatenate([frame["probability"].to_numpy() for frame in frames])
