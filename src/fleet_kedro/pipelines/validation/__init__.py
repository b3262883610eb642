"""From feature tables to a verdict on the global brain."""

from fleet_kedro.pipelines.validation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
