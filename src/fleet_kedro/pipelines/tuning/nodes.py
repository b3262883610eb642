"""Tune in the past, record, judge on the next fold, choose for production, tell."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.reports.figures.tuning import draw_tuning
from fleet_kedro.reports.progress import ConsoleWatcher
from fleet_kedro.reports.tuning_page import (
    TunedThresholds,
    render_tuning,
    tuning_lines,
)
from fleet_kedro.signals.comparison import compare_rules
from fleet_kedro.signals.nested import (
    judged_rows,
    production_thresholds,
    score_folds,
    tune_fleet,
)
from fleet_kedro.signals.tuning import TuningSettings
from fleet_kedro.validation.settings import ReportSettings
from fleet_kedro.validation.trials import Trial, comparable
from fleet_kedro.validation.tuned import tuned_trials

logger = logging.getLogger(__name__)


def tune_thresholds(
    forecasts: pd.DataFrame, tuning_journal: Path, settings: TuningSettings
) -> pd.DataFrame:
    """Run the trials that the journal lacks; return all trials of all studies."""
    watcher = ConsoleWatcher(settings.label.round_trip_cost)
    return tune_fleet(forecasts, settings, tuning_journal, watcher.track)


def record_tuning(
    forecasts: pd.DataFrame,
    trials: pd.DataFrame,
    candles: CandleLoaders,
    fleet_window: dict[str, Any],
    settings: TuningSettings,
) -> list[Trial]:
    """Write down every pair of thresholds that was tried."""
    return tuned_trials(
        forecasts, trials, candles, settings.label, fleet_window["source"]
    )


def judge_thresholds(
    forecasts: pd.DataFrame,
    trials: pd.DataFrame,
    settings: TuningSettings,
    report: ReportSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply each fold's thresholds to the fold; compare them with the walk's own."""
    judged = judged_rows(forecasts, trials)
    comparison = compare_rules(judged, settings.label, report.bootstrap)
    logger.info("\n".join(tuning_lines(comparison)))
    return score_folds(judged, settings.label), comparison


def choose_production(trials: pd.DataFrame) -> dict[str, Any]:
    """Choose the thresholds that production shall use, asset by asset."""
    return production_thresholds(trials)


def write_tuning_page(
    trials: pd.DataFrame,
    evaluation: pd.DataFrame,
    comparison: pd.DataFrame,
    ledger: list[Trial],
    fleet_window: dict[str, Any],
    settings: TuningSettings,
) -> str:
    """Write the comparison, the thresholds and the studies as one page."""
    tuned = TunedThresholds(
        evaluation,
        comparison,
        production_thresholds(trials),
        fleet_window["source"],
        comparable(ledger, fleet_window["source"], settings.label.horizon_bars),
    )
    return render_tuning(tuned, settings, draw_tuning(trials, settings))
