"""Wiring of the tuning."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.step import step
from fleet_kedro.pipelines.tuning.nodes import (
    choose_production,
    gather_returns,
    judge_return_thresholds,
    judge_thresholds,
    learn_decision_rules,
    record_tuning,
    tune_return_thresholds,
    tune_thresholds,
    weigh_forecasts,
    write_tuning_page,
)
from fleet_kedro.reports.followed.tuning import follow_tuning

_RULES = ["params:signalling", "params:calibration"]
_RETURNS = ["return_trials", "return_thresholds@table", "return_comparison"]


def create_pipeline(**_: object) -> Pipeline:
    """Out-of-sample forecasts to judged thresholds, and the rules of production."""
    return Pipeline(
        [
            step(
                tune_thresholds,
                ["forecasts", "tuning_journal", "params:tuning"],
                "tuning_trials",
            ),
            step(
                weigh_forecasts,
                ["forecasts", "ensemble_walks", "clean_candles", *_RULES],
                "return_strengths",
            ),
            step(
                tune_return_thresholds,
                [
                    *("forecasts", "return_strengths", "tuning_journal"),
                    *("params:tuning", "params:return_tuning", "params:signalling"),
                ],
                ["return_trials", "return_thresholds@table"],
            ),
            step(
                judge_return_thresholds,
                [
                    *("return_strengths", "return_thresholds@table"),
                    *("params:tuning", "params:report"),
                ],
                "return_comparison",
            ),
            step(
                learn_decision_rules,
                [
                    *("forecasts", "clean_candles", *_RETURNS, "fleet_window"),
                    *("params:tuning", "params:return_tuning", *_RULES),
                ],
                "decision_rules",
            ),
            step(
                record_tuning,
                [
                    *("forecasts", "tuning_trials", "return_strengths"),
                    *("return_trials", "clean_candles", "fleet_window"),
                    "params:tuning",
                ],
                "tuning_ledger@append",
            ),
            step(
                judge_thresholds,
                ["forecasts", "tuning_trials", "params:tuning", "params:report"],
                ["tuning_evaluation", "tuning_comparison"],
            ),
            step(follow_tuning, ["tuning_comparison"], "tuning_metrics"),
            step(choose_production, ["tuning_trials"], "thresholds"),
            step(gather_returns, [*_RETURNS, "params:return_tuning"], "tuned_returns"),
            step(
                write_tuning_page,
                [
                    "tuning_trials",
                    "tuning_evaluation",
                    "tuning_comparison",
                    "tuned_returns",
                    "tuning_ledger@read",
                    "fleet_window",
                    "params:tuning",
                ],
                "tuning_page",
            ),
        ],
        tags="tuning",
    )
