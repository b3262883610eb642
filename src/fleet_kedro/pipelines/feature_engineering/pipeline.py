"""Wiring of the features."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.feature_engineering.nodes import (
    build_features,
    choose_recipe,
    gather_context,
)
from fleet_kedro.pipelines.step import step


def create_pipeline(**_: object) -> Pipeline:
    """Clean candles and dominance to one feature table per asset."""
    return Pipeline(
        [
            step(
                gather_context,
                ["clean_candles", "dominance", "params:dominance_policy"],
                "market_context",
            ),
            step(
                choose_recipe,
                [
                    "clean_candles",
                    "fleet_window",
                    "params:walk_forward",
                    "params:features",
                ],
                "feature_recipe",
            ),
            step(
                build_features,
                ["clean_candles", "market_context", "feature_recipe", "fleet_window"],
                "features",
            ),
        ],
        tags="feature_engineering",
    )
