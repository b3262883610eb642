"""Wiring of the global training."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.global_training.nodes import train_global_brain
from fleet_kedro.pipelines.step import step

_KEPT = ["features", "feature_recipe", "forecasts", "fleet_window", "global_validation"]
_RULES = ["params:walk_forward", "params:walk"]


def create_pipeline(**_: object) -> Pipeline:
    """Feature tables and a validation to the brain that forecasts from now on."""
    return Pipeline(
        [step(train_global_brain, [*_KEPT, *_RULES], "brain")],
        tags="global_training",
    )
