"""Feature tables and forecasts out of sample to the global brain in the store."""

from fleet_kedro.pipelines.global_training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
