"""From a market source to clean candles and a report on their quality."""

from fleet_kedro.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
