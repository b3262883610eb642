"""From clean candles to one feature table per asset."""

from fleet_kedro.pipelines.feature_engineering.pipeline import create_pipeline

__all__ = ["create_pipeline"]
