"""Brains that see one asset only: they show whether the fleet does an asset harm."""

from collections.abc import Sequence

import pandas as pd

from fleet_kedro.features.signal import Signal
from fleet_kedro.models.fleet_rows import FeatureLoaders
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.validation.telemetry import SCORES, score_by
from fleet_kedro.validation.walk_forward import WalkSettings, walk_forward


def walk_alone(
    features: FeatureLoaders,
    signals: Sequence[Signal],
    folds: Sequence[Fold],
    settings: WalkSettings,
) -> pd.DataFrame:
    """Walk a brain of its own over each asset; return how each fared.

    Everything but the company is the same: folds, settings, number of latents.

    Returns
    -------
    pandas.DataFrame
        A row per asset, with the columns of ``Telemetry.assets`` that need no rival;
        no row when ``features`` holds no asset.
    """
    if not features:
        return pd.DataFrame(columns=["asset", *SCORES])
    alone = settings.model_copy(update={"quick_lightgbm": None, "ablations": "off"})
    walks = [
        walk_forward({asset: load}, signals, folds, alone).forecasts
        for asset, load in features.items()
    ]
    return score_by(
        pd.concat(walks, ignore_index=True),
        ["asset"],
        settings.brain.label.round_trip_cost,
    )
