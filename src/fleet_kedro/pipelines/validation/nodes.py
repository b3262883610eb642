"""Walk the fleet, walk the baseline, measure, judge, tell."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Bool

from fleet_kedro.features.build import FeatureSettings
from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.reports.facts import RunFacts
from fleet_kedro.reports.figures.of_report import draw_figures
from fleet_kedro.reports.figures.overfitting import ledger_summary
from fleet_kedro.reports.page import render_page
from fleet_kedro.reports.progress import ConsoleWatcher
from fleet_kedro.reports.scrutiny import Scrutiny
from fleet_kedro.reports.summary import summarise
from fleet_kedro.reports.verification import verification_lines
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.baseline import walk_alone
from fleet_kedro.validation.efficiency import planted_efficiency
from fleet_kedro.validation.overfitting import report_overfitting
from fleet_kedro.validation.rivals import BRAIN, rival_picks, rival_scores
from fleet_kedro.validation.settings import ReportSettings
from fleet_kedro.validation.telemetry import Telemetry, measure
from fleet_kedro.validation.trials import Trial, comparable
from fleet_kedro.validation.tried import (
    Circumstances,
    daily_returns,
    trials_of,
)
from fleet_kedro.validation.verdict import Verdict, judge
from fleet_kedro.validation.walk_forward import WalkSettings, walk_forward

logger = logging.getLogger(__name__)

Partitions = Mapping[str, Callable[[], pd.DataFrame]]
Picks = dict[str, Bool[np.ndarray, " rows"]]


def gather_facts(
    fleet_window: dict[str, Any],
    walk: WalkForward,
    settings: WalkSettings,
    report: ReportSettings,
) -> RunFacts:
    """Collect what a reader must know to judge the numbers."""
    return RunFacts(
        source=fleet_window["source"],
        start=pd.Timestamp(fleet_window["start"]),
        end=pd.Timestamp(fleet_window["end"]),
        assets=tuple(fleet_window["symbols"]),
        left_out=fleet_window["left_out"],
        label=settings.brain.label,
        walk=walk,
        bootstrap=report.bootstrap,
        seed=settings.brain.seed,
    )


def walk_fleet(
    features: Partitions,
    fleet_window: dict[str, Any],
    facts: RunFacts,
    settings: WalkSettings,
    feature_settings: FeatureSettings,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Walk one brain over all assets; return forecasts, folds and loadings."""
    watcher = ConsoleWatcher(facts.label.round_trip_cost, fleet_window["symbols"])
    walked = walk_forward(
        features,
        catalogue(feature_settings.profile),
        facts.walk.split(facts.start, facts.end),
        settings,
        watcher,
    )
    return walked.forecasts, walked.folds, walked.loadings


def walk_baseline(
    features: Partitions,
    facts: RunFacts,
    settings: WalkSettings,
    feature_settings: FeatureSettings,
    report: ReportSettings,
) -> pd.DataFrame:
    """Walk brains that see one asset only; return how they fared.

    The baseline asset always; with full ablations every asset.
    """
    asked = set(features) if settings.ablations == "full" else {report.baseline_asset}
    return walk_alone(
        {asset: features[asset] for asset in sorted(asked & set(features))},
        catalogue(feature_settings.profile),
        facts.walk.split(facts.start, facts.end),
        settings,
    )


def pick_signals(forecasts: pd.DataFrame) -> Picks:
    """Let the brain, its rivals and its ablations signal equally many rows."""
    return rival_picks(forecasts, rival_scores(forecasts))


def measure_forecasts(
    forecasts: pd.DataFrame, picks: Picks, facts: RunFacts
) -> Telemetry:
    """Measure the brain and its rivals at the same number of signals."""
    scores = rival_scores(forecasts)
    return measure(forecasts, picks, scores, facts.label, facts.bootstrap)


def book_days(
    forecasts: pd.DataFrame, picks: Picks, candles: Partitions, facts: RunFacts
) -> pd.DataFrame:
    """Book every configuration day by day."""
    return daily_returns(forecasts, picks, candles, facts.label)


def record_trials(
    daily: pd.DataFrame,
    telemetry: Telemetry,
    facts: RunFacts,
    settings: WalkSettings,
    feature_settings: FeatureSettings,
) -> list[Trial]:
    """Write down every configuration that was tried."""
    parameters = {
        "assets": list(facts.assets),
        "walk_forward": facts.walk.model_dump(mode="json"),
        "walk": settings.model_dump(mode="json", exclude={"ablations"}),
        "features": feature_settings.model_dump(mode="json"),
    }
    where = Circumstances(facts.source, facts.start, facts.end, facts.label, parameters)
    return trials_of(telemetry.rivals, daily, where)


def scrutinise(
    daily: pd.DataFrame,
    ledger: list[Trial],
    efficiency: pd.DataFrame,
    facts: RunFacts,
    report: ReportSettings,
) -> Scrutiny:
    """Judge the brain beside everything that was ever tried on this market."""
    tried = comparable(ledger, facts.source, facts.label.horizon_bars)
    sharpes = np.array([trial.results.daily_sharpe for trial in tried])
    return Scrutiny(
        report_overfitting(daily, BRAIN, sharpes, report.unrecorded_trials),
        ledger_summary(tried),
        efficiency,
    )


def measure_efficiency(
    forecasts: pd.DataFrame, truth: pd.DataFrame, facts: RunFacts
) -> pd.DataFrame:
    """Hold the forecasts against the planted truth, where there is one."""
    return planted_efficiency(forecasts, truth, facts.bootstrap)


def judge_brain(
    telemetry: Telemetry,
    baseline: pd.DataFrame,
    scrutiny: Scrutiny,
    report: ReportSettings,
) -> Verdict:
    """Hold the telemetry against the criteria, and say what came of it."""
    verdict = judge(telemetry, baseline, report.baseline_asset, scrutiny.overfitting)
    logger.info("\n".join(verification_lines(telemetry, verdict)))
    return verdict


def draw_report(
    forecasts: pd.DataFrame,
    folds: pd.DataFrame,
    loadings: pd.DataFrame,
    telemetry: Telemetry,
    scrutiny: Scrutiny,
    facts: RunFacts,
) -> dict[str, go.Figure]:
    """Draw the figures of the report."""
    return draw_figures(forecasts, folds, loadings, telemetry, scrutiny, facts)


def write_summary(
    folds: pd.DataFrame,
    telemetry: Telemetry,
    scrutiny: Scrutiny,
    verdict: Verdict,
    facts: RunFacts,
) -> dict[str, Any]:
    """Write down every number of the report for a machine."""
    return summarise(folds, telemetry, scrutiny, verdict, facts)


def write_page(
    folds: pd.DataFrame,
    telemetry: Telemetry,
    scrutiny: Scrutiny,
    verdict: Verdict,
    facts: RunFacts,
    figures: dict[str, go.Figure],
) -> str:
    """Write the report for a person, as one page that needs nothing else."""
    return render_page(folds, telemetry, scrutiny, verdict, facts, figures)
