"""Wiring of the ingestion."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.ingestion.nodes import (
    clean_market,
    load_market,
    report_coverage,
    report_quality,
)
from fleet_kedro.pipelines.step import step


def create_pipeline(**_: object) -> Pipeline:
    """Source to clean candles, dominance and quality report."""
    return Pipeline(
        [
            step(
                load_market,
                [f"params:{name}" for name in ("market", "universe", "window", "gate")],
                [
                    *("raw_candles", "dominance", "planted_truth"),
                    *("fleet_window", "gate_findings"),
                ],
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
            step(
                report_coverage,
                ["raw_candles", "gate_findings"],
                ["coverage", "coverage_calendar"],
            ),
        ],
        tags="ingestion",
    )
