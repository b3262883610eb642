"""Train the final brain, and store it with its card."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.features.recipe import FeatureRecipe
from fleet_kedro.reports.progress import ConsoleWatcher
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.validation.brain_card import BrainOrigin, store_brain
from fleet_kedro.validation.brain_training import (
    Experience,
    train_brain,
    whole_window,
)
from fleet_kedro.validation.walk_forward import WalkSettings

logger = logging.getLogger(__name__)

Partitions = Mapping[str, Callable[[], pd.DataFrame]]


def train_global_brain(
    features: Partitions,
    feature_recipe: dict[str, Any],
    forecasts: pd.DataFrame,
    fleet_window: dict[str, Any],
    summary: dict[str, Any],
    walk: WalkForward,
    settings: WalkSettings,
) -> StoredModel:
    """Let a brain learn from the whole window, and tell how its like fared in it."""
    start, end = (pd.Timestamp(fleet_window[edge]) for edge in ("start", "end"))
    window = whole_window(walk, start, end)
    recipe = FeatureRecipe.read(feature_recipe)
    watcher = ConsoleWatcher(settings.brain.label.round_trip_cost)
    brain, lesson = train_brain(
        features,
        catalogue(recipe.settings.profile),
        Experience(window, forecasts),
        settings,
        watcher.track,
    )
    source = fleet_window["source"]
    stored = store_brain(
        brain, BrainOrigin(source, window, end, settings, recipe, lesson, summary)
    )
    logger.info(
        "%s: learnt from %s rows, %s numbers, %s bytes",
        stored.card.name,
        f"{lesson.n_rows:,}",
        f"{stored.card.n_parameters:,}",
        f"{stored.card.size_bytes:,}",
    )
    return stored
