"""Tune in the past, record, judge on the next fold, choose for production, tell."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.reports.figures.tuning import draw_tuning
from fleet_kedro.reports.progress import ConsoleWatcher
from fleet_kedro.reports.return_section import TunedReturns, return_lines
from fleet_kedro.reports.tuning_page import (
    TunedThresholds,
    render_tuning,
    tuning_lines,
)
from fleet_kedro.signals.calibrated_return import CalibrationSettings
from fleet_kedro.signals.comparison import compare_rules
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.decision_rules import Curves, DecisionRules, Thresholds
from fleet_kedro.signals.nested import (
    judged_rows,
    production_thresholds,
    score_folds,
    tune_fleet,
)
from fleet_kedro.signals.nested_thresholds import mark
from fleet_kedro.signals.production_curves import production_curves
from fleet_kedro.signals.return_comparison import compare_factors
from fleet_kedro.signals.return_sample import strength_table
from fleet_kedro.signals.return_thresholds import TunedFor
from fleet_kedro.signals.return_tuning import (
    FactorSearch,
    production_returns,
    tune_returns,
)
from fleet_kedro.signals.tuning import TuningSettings
from fleet_kedro.signals.walk_digest import walk_digest
from fleet_kedro.signals.walked_history import Walks, fleet_market, prospects
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.validation.rules_card import RulesOrigin, store_rules
from fleet_kedro.validation.settings import ReportSettings
from fleet_kedro.validation.trials import Trial, comparable
from fleet_kedro.validation.tuned import return_trials as trials_of_returns
from fleet_kedro.validation.tuned import tuned_trials as trials_of_ranks

logger = logging.getLogger(__name__)


def tune_thresholds(
    forecasts: pd.DataFrame, tuning_journal: Path, settings: TuningSettings
) -> pd.DataFrame:
    """Run the trials that the journal lacks; return all trials of all studies."""
    watcher = ConsoleWatcher(settings.label.round_trip_cost)
    return tune_fleet(forecasts, settings, tuning_journal, watcher.track)


def weigh_forecasts(
    forecasts: pd.DataFrame,
    ensemble_walks: dict[str, pd.DataFrame],
    candles: CandleLoaders,
    signalling: SignalSettings,
    calibration: CalibrationSettings,
) -> pd.DataFrame:
    """Hold what was expected of each forecast against its default threshold."""
    market, walks = fleet_market(candles), Walks(forecasts, ensemble_walks)
    known = prospects(market, walks, signalling, calibration)
    return strength_table(forecasts, known, market, signalling)


def tune_return_thresholds(
    forecasts: pd.DataFrame,
    strengths: pd.DataFrame,
    tuning_journal: Path,
    settings: TuningSettings,
    search: FactorSearch,
    signalling: SignalSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the trials that the journal lacks; return all trials and what was chosen."""
    watcher = ConsoleWatcher(settings.label.round_trip_cost)
    tuned = tune_returns(strengths, settings, search, tuning_journal, watcher.track)
    return tuned.trials, mark(tuned.chosen, forecasts, signalling)


def judge_return_thresholds(
    strengths: pd.DataFrame,
    return_thresholds: pd.DataFrame,
    settings: TuningSettings,
    report: ReportSettings,
) -> pd.DataFrame:
    """Compare each fold's tuned thresholds with the default ones on the fold."""
    comparison = compare_factors(
        strengths, return_thresholds, settings.label, report.bootstrap
    )
    logger.info("\n".join(return_lines(comparison)))
    return comparison


def learn_decision_rules(
    forecasts: pd.DataFrame,
    candles: CandleLoaders,
    return_trials: pd.DataFrame,
    return_thresholds: pd.DataFrame,
    comparison: pd.DataFrame,
    fleet_window: dict[str, Any],
    settings: TuningSettings,
    search: FactorSearch,
    signalling: SignalSettings,
    calibration: CalibrationSettings,
) -> StoredModel:
    """Fit the curves of production, and store them with its thresholds."""
    curves = production_curves(
        forecasts, fleet_market(candles), signalling, calibration
    )
    logger.info(
        "%.0f%% of what the brain's probabilities promised came true: %s forecasts, "
        "%d weeks.",
        *(100 * curves.calibrated.kept_share, f"{curves.rows:,}", curves.weeks),
    )
    walk = walk_digest(forecasts)
    rules = DecisionRules(
        Curves(
            forecasts=walk,
            horizon_hours=calibration.horizon_bars,
            level=calibration.level,
            curves=curves.calibrated,
        ),
        Thresholds(
            forecasts=walk,
            tuned_for=TunedFor.of(signalling),
            assets=production_returns(return_thresholds),
        ),
    )
    origin = RulesOrigin(
        source=fleet_window["source"],
        forecasts=forecasts,
        curves=curves,
        comparison=comparison,
        trials=len(return_trials),
        calibration=calibration,
        tuning=settings,
        search=search,
    )
    return store_rules(rules, origin)


def record_tuning(
    forecasts: pd.DataFrame,
    trials: pd.DataFrame,
    strengths: pd.DataFrame,
    return_trials: pd.DataFrame,
    candles: CandleLoaders,
    fleet_window: dict[str, Any],
    settings: TuningSettings,
) -> list[Trial]:
    """Write down all thresholds that were tried, on ranks and on returns."""
    label, source = settings.label, fleet_window["source"]
    return [
        *trials_of_ranks(forecasts, trials, candles, label, source),
        *trials_of_returns(strengths, return_trials, candles, label, source),
    ]


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


def gather_returns(
    return_trials: pd.DataFrame,
    return_thresholds: pd.DataFrame,
    comparison: pd.DataFrame,
    search: FactorSearch,
) -> TunedReturns:
    """Collect what the page tells of thresholds on expected returns."""
    production = production_returns(return_thresholds)
    return TunedReturns(return_trials, production, comparison, search)


def write_tuning_page(
    trials: pd.DataFrame,
    evaluation: pd.DataFrame,
    comparison: pd.DataFrame,
    returns: TunedReturns,
    ledger: list[Trial],
    fleet_window: dict[str, Any],
    settings: TuningSettings,
) -> str:
    """Write the comparisons, the thresholds and the studies as one page."""
    tuned = TunedThresholds(
        evaluation,
        comparison,
        production_thresholds(trials),
        fleet_window["source"],
        comparable(ledger, fleet_window["source"], settings.label.horizon_bars),
    )
    return render_tuning(tuned, returns, settings, draw_tuning(trials, settings))
