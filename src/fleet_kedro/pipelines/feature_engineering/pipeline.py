"""Wiring of the features."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.feature_engineering.nodes import (
    build_features,
    find_fractional_orders,
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
                find_fractional_orders,
                [
                    "clean_candles",
                    "fleet_window",
                    "params:walk_forward",
                    "params:features",
                ],
                "fractional_orders",
            ),
            step(
                build_features,
                [
                    "clean_candles",
                    "market_context",
                    "fractional_orders",
                    "fleet_window",
                    "params:features",
                ],
                "features",
            ),
        ],
        tags="feature_engineering",
    )
