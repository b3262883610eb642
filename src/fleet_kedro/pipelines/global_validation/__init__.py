"""The main job: candles, features and the verdict on the global brain, in one run."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines import feature_engineering, ingestion, validation


def create_pipeline(**_: object) -> Pipeline:
    """Compose the three pipelines that lead from a market to a verdict."""
    return (
        ingestion.create_pipeline()
        + feature_engineering.create_pipeline()
        + validation.create_pipeline()
    )
