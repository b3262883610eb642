"""Wiring of the validation."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.step import step
from fleet_kedro.pipelines.validation.nodes import (
    book_days,
    draw_report,
    gather_facts,
    judge_brain,
    measure_efficiency,
    measure_forecasts,
    pick_signals,
    record_trials,
    scrutinise,
    walk_baseline,
    walk_fleet,
    write_page,
    write_summary,
)
from fleet_kedro.reports.followed.validation import follow_validation

_RULES = ["params:walk_forward", "params:walk", "params:report"]
_BRAIN = ["params:walk", "params:features"]
_TOLD = ["folds", "telemetry", "scrutiny", "verdict", "run_facts"]


def create_pipeline(**_: object) -> Pipeline:
    """Feature tables to forecasts, telemetry, verdict and report."""
    return Pipeline(
        [
            step(gather_facts, ["fleet_window", *_RULES], "run_facts"),
            step(
                walk_fleet,
                ["features", "fleet_window", "run_facts", *_BRAIN],
                ["forecasts", "folds", "loadings"],
            ),
            step(
                walk_baseline,
                ["features", "run_facts", *_BRAIN, "params:report"],
                "baseline",
            ),
            step(pick_signals, ["forecasts"], "picks"),
            step(measure_forecasts, ["forecasts", "picks", "run_facts"], "telemetry"),
            step(
                book_days,
                ["forecasts", "picks", "clean_candles", "run_facts"],
                "daily_returns",
            ),
            step(
                record_trials,
                ["daily_returns", "telemetry", "run_facts", *_BRAIN],
                "trial_ledger@append",
            ),
            step(
                measure_efficiency,
                ["forecasts", "planted_truth", "run_facts"],
                "efficiency",
            ),
            step(
                scrutinise,
                [
                    *("daily_returns", "trial_ledger@read", "efficiency", "run_facts"),
                    "params:report",
                ],
                "scrutiny",
            ),
            step(
                judge_brain,
                ["telemetry", "baseline", "scrutiny", "params:report"],
                "verdict",
            ),
            step(
                draw_report,
                [
                    *("forecasts", "folds", "loadings", "telemetry", "scrutiny"),
                    "run_facts",
                ],
                "figures",
            ),
            step(write_summary, _TOLD, "global_validation"),
            step(write_page, [*_TOLD, "figures"], "report_page"),
            step(
                follow_validation,
                ["forecasts", "global_validation"],
                ["validation_metrics", "precision_by_asset", "reliability"],
            ),
        ],
        tags="validation",
    )
