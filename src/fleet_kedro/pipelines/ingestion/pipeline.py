"""Wiring of the ingestion."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.ingestion.nodes import (
    clean_market,
    load_market,
    report_quality,
)
from fleet_kedro.pipelines.step import step


def create_pipeline(**_: object) -> Pipeline:
    """Source to clean candles, dominance and quality report."""
    return Pipeline(
        [
            step(
                load_market,
                ["params:market", "params:universe", "params:window"],
                ["raw_candles", "dominance", "planted_truth", "fleet_window"],
            ),
            step(
                clean_market,
                ["raw_candles", "params:gaps"],
                "clean_candles",
            ),
            step(
                report_quality,
                ["raw_candles", "clean_candles"],
                "quality_report",
            ),
        ],
        tags="ingestion",
    )
