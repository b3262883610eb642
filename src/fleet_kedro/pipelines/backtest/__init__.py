"""Forecasts of a walk-forward to accounts, and what they came to."""

from fleet_kedro.pipelines.backtest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
