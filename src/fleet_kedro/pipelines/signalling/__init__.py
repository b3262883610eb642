"""The newest candles and the models that serve to a portfolio signal."""

from fleet_kedro.pipelines.signalling.pipeline import create_pipeline

__all__ = ["create_pipeline"]
