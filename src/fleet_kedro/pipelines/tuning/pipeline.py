"""Wiring of the tuning."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.step import step
from fleet_kedro.pipelines.tuning.nodes import (
    choose_production,
    judge_thresholds,
    record_tuning,
    tune_thresholds,
    write_tuning_page,
)


def create_pipeline(**_: object) -> Pipeline:
    """Out-of-sample forecasts to judged thresholds, and those for production."""
    return Pipeline(
        [
            step(
                tune_thresholds,
                ["forecasts", "tuning_journal", "params:tuning"],
                "tuning_trials",
            ),
            step(
                record_tuning,
                [
                    *("forecasts", "tuning_trials", "clean_candles", "fleet_window"),
                    "params:tuning",
                ],
                "tuning_ledger@append",
            ),
            step(
                judge_thresholds,
                ["forecasts", "tuning_trials", "params:tuning", "params:report"],
                ["tuning_evaluation", "tuning_comparison"],
            ),
            step(choose_production, ["tuning_trials"], "thresholds"),
            step(
                write_tuning_page,
                [
                    "tuning_trials",
                    "tuning_evaluation",
                    "tuning_comparison",
                    "tuning_ledger@read",
                    "fleet_window",
                    "params:tuning",
                ],
                "tuning_page",
            ),
        ],
        tags="tuning",
    )
