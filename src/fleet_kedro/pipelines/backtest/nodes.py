"""Admit honest forecasts, lay out the past, trade it, measure, tell."""

import logging
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float

from fleet_kedro.audit.forecasts import HonestBounds, refuse_oracles
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.metrics.sharpe import sharpe_ratios
from fleet_kedro.reports.backtest_page import (
    BacktestReport,
    backtest_lines,
    render_backtest,
)
from fleet_kedro.reports.backtest_summary import summarise_backtest
from fleet_kedro.reports.figures.backtest import draw_backtest
from fleet_kedro.reports.ladder_table import ladder_lines
from fleet_kedro.signals.backtest.ladder import phase_ladder
from fleet_kedro.signals.backtest.ledger import Ledger
from fleet_kedro.signals.backtest.luck import shuffled_sharpes
from fleet_kedro.signals.backtest.performance import (
    daily_returns,
    deflated_sharpe,
    performance_table,
)
from fleet_kedro.signals.backtest.rivals import rival_accounts
from fleet_kedro.signals.backtest.trades import trades_of
from fleet_kedro.signals.calibrated_return import CalibrationSettings
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.history import History
from fleet_kedro.signals.nested_thresholds import factors_of_past
from fleet_kedro.signals.phases import (
    BacktestSettings,
    strategy_decisions,
    strategy_name,
    thresholds_used,
    trade_phases,
    trade_thresholds,
)
from fleet_kedro.signals.suspects import of_brain, of_ensembles
from fleet_kedro.signals.walked_history import Walks, fleet_market, lay_out_history
from fleet_kedro.validation.settings import ReportSettings
from fleet_kedro.validation.trials import Trial, trial_sharpes

logger = logging.getLogger(__name__)

Accounts = dict[str, Ledger]


def admit_forecasts(
    forecasts: pd.DataFrame,
    ensemble_walks: dict[str, pd.DataFrame],
    settings: SignalSettings,
    bounds: HonestBounds,
) -> Walks:
    """Let forecasts pass that could be honest; refuse those that saw their outcome."""
    refuse_oracles(of_brain(forecasts), settings.horizon_hours, bounds)
    for hours in sorted({1, settings.horizon_hours}):
        refuse_oracles(of_ensembles(ensemble_walks, hours), hours, bounds)
    return Walks(forecasts, ensemble_walks)


def lay_out_past(
    walks: Walks,
    candles: CandleLoaders,
    dominance: pd.DataFrame,
    return_thresholds: pd.DataFrame | None,
    policy: DominancePolicy,
    settings: SignalSettings,
    calibration: CalibrationSettings,
) -> History:
    """Lay out what was known at every hour."""
    market = fleet_market(candles)
    shares = join_dominance(market.hours, dominance, policy)
    history = lay_out_history(market, shares, walks, settings, calibration)
    factor = factors_of_past(return_thresholds, walks.brain, history.market, settings)
    return history._replace(tuned_factor=factor)


def trade_steps(
    history: History, settings: SignalSettings, backtest: BacktestSettings
) -> Accounts:
    """Trade every step of the ladder; the last one is the strategy."""
    return trade_phases(history, settings, backtest)


def trade_both_thresholds(
    history: History,
    steps: Accounts,
    settings: SignalSettings,
    backtest: BacktestSettings,
    report: ReportSettings,
) -> tuple[Accounts, pd.DataFrame]:
    """Trade the strategy with default and with tuned thresholds; compare the two."""
    accounts = trade_thresholds(history, steps, settings, backtest)
    daily = {name: daily_returns(account) for name, account in accounts.items()}
    return accounts, phase_ladder(daily, report.bootstrap)


def trade_rivals(
    history: History,
    steps: Accounts,
    settings: SignalSettings,
    backtest: BacktestSettings,
) -> tuple[Accounts, Float[np.ndarray, " draws"]]:
    """Trade what the strategy has to beat; return all accounts, the strategy first.

    The second output has the Sharpe ratio of the strategy in each shuffle of its hours.
    """
    market, rules, luck = history.market, backtest.rules, backtest.luck
    decisions = strategy_decisions(history, settings, backtest)
    name = strategy_name(market.assets)
    return (
        {name: steps[name], **rival_accounts(market, decisions, rules, luck)},
        shuffled_sharpes(market, decisions, rules, luck),
    )


def measure_accounts(
    accounts: Accounts, steps: Accounts, report: ReportSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the performance of all accounts, the ladder, and the strategy's trades."""
    daily = {name: daily_returns(account) for name, account in steps.items()}
    performance = performance_table(accounts, report.bootstrap)
    ladder = phase_ladder(daily, report.bootstrap)
    logger.info("\n".join(backtest_lines(performance) + ladder_lines(ladder)))
    return performance, ladder, trades_of(next(iter(accounts.values())))


def deflate(
    steps: Accounts,
    by_threshold: Accounts,
    history: History,
    ledger: list[Trial],
    fleet_window: dict[str, Any],
    settings: SignalSettings,
    report: ReportSettings,
) -> dict[str, float | int]:
    """Judge the strategy beside everything that was ever tried on this market.

    The steps of the ladder and both thresholds were tried as well, whether or not a
    ledger holds them.
    """
    daily = np.column_stack([daily_returns(account) for account in steps.values()])
    recorded = trial_sharpes(ledger, fleet_window["source"], settings.horizon_hours)
    # What the strategy uses is the last step itself, and has been counted.
    used = thresholds_used(history, settings)
    beside = [
        daily_returns(by_threshold[name]) for name in by_threshold if name != used
    ]
    tried = np.concatenate([recorded, sharpe_ratios(np.column_stack([daily, *beside]))])
    n_trials = tried.size + report.unrecorded_trials
    variance = float(np.var(tried, ddof=1))
    return {
        "deflated_sharpe": deflated_sharpe(daily[:, -1], n_trials, variance),
        "n_trials": n_trials,
    }


def gather_report(
    performance: pd.DataFrame,
    ladder: pd.DataFrame,
    trades: pd.DataFrame,
    shuffled: Float[np.ndarray, " draws"],
    deflated: dict[str, Any],
    thresholds: pd.DataFrame,
    history: History,
    fleet_window: dict[str, Any],
    settings: SignalSettings,
    backtest: BacktestSettings,
    report: ReportSettings,
) -> BacktestReport:
    """Collect what page and summary tell of."""
    return BacktestReport(
        performance=performance,
        trades=trades,
        shuffled_sharpes=shuffled,
        rules=backtest.rules,
        bootstrap=report.bootstrap,
        ladder=ladder,
        thresholds=thresholds,
        thresholds_used=thresholds_used(history, settings),
        source=fleet_window["source"],
        **deflated,
    )


def draw_accounts(
    accounts: Accounts,
) -> tuple[go.Figure, go.Figure, go.Figure, go.Figure]:
    """Draw equity, drawdown, months and exposure."""
    drawn = draw_backtest(accounts)
    return drawn["accounts"], drawn["drawdown"], drawn["months"], drawn["exposure"]


def write_backtest_summary(
    report: BacktestReport,
    history: History,
    settings: SignalSettings,
    backtest: BacktestSettings,
) -> dict[str, Any]:
    """Write down every number for a machine."""
    return summarise_backtest(report, history, settings, backtest)


def write_backtest_page(
    report: BacktestReport,
    accounts: go.Figure,
    drawdown: go.Figure,
    months: go.Figure,
    exposure: go.Figure,
) -> str:
    """Write the backtest for a person, as one page that needs nothing else."""
    figures = {
        "accounts": accounts,
        "drawdown": drawdown,
        "months": months,
        "exposure": exposure,
    }
    return render_backtest(report, figures)
