"""Feature tables to forecasters of single assets, their ensemble and their report."""

from fleet_kedro.pipelines.asset_training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
