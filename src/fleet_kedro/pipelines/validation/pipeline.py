"""Wiring of the validation."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.step import step
from fleet_kedro.pipelines.validation.nodes import (
    draw_report,
    gather_facts,
    judge_brain,
    measure_forecasts,
    walk_baseline,
    walk_fleet,
    write_page,
    write_summary,
)

_RULES = ["params:walk_forward", "params:walk", "params:report"]
_BRAIN = ["params:walk", "params:features"]
_TOLD = ["folds", "telemetry", "verdict", "run_facts"]


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
            step(measure_forecasts, ["forecasts", "run_facts"], "telemetry"),
            step(judge_brain, ["telemetry", "baseline", "params:report"], "verdict"),
            step(
                draw_report,
                ["forecasts", "folds", "loadings", "telemetry", "run_facts"],
                "figures",
            ),
            step(write_summary, _TOLD, "global_validation"),
            step(write_page, [*_TOLD, "figures"], "report_page"),
        ],
        tags="validation",
    )
