"""From out-of-sample forecasts to thresholds for production."""

from fleet_kedro.pipelines.tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
