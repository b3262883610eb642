"""What the signals would have earned, as one HTML file that needs nothing else."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.reports.backtest_tables import (
    MOST_TRADES,
    reason_table,
    risk_table,
    span,
    trade_table,
    trading_table,
)
from fleet_kedro.reports.document import card_row, document, figure_block
from fleet_kedro.reports.ladder_table import ladder_table
from fleet_kedro.reports.markup import paragraph, section, table
from fleet_kedro.reports.units import counted, decimals, percent
from fleet_kedro.signals.backtest.rules import TradingRules

_TITLE = "Backtest"


class BacktestReport(NamedTuple):
    """What the page tells.

    Attributes
    ----------
    performance
        A row per account, the strategy first, as `performance_table` leaves it.
    trades
        Of the strategy, as `trades_of` leaves them.
    shuffled_sharpes
        Annual Sharpe ratios of the strategy with its hours shuffled, a value per draw.
    deflated_sharpe
        Probability that the strategy beats the luckiest of ``n_trials``.
    ladder
        As `phase_ladder` leaves it; None where a single step was traded.
    thresholds
        The strategy with default entry thresholds and, where some were tuned on the
        past of each fold, with those; as `phase_ladder` leaves it.
    thresholds_used
        Which of the two the strategy itself used, by name.
    source
        Where the candles come from, in words.
    """

    performance: pd.DataFrame
    trades: pd.DataFrame
    shuffled_sharpes: Float[np.ndarray, " draws"]
    deflated_sharpe: float
    n_trials: int
    rules: TradingRules
    bootstrap: BlockBootstrap
    ladder: pd.DataFrame | None
    thresholds: pd.DataFrame
    thresholds_used: str
    source: str


def backtest_lines(performance: pd.DataFrame) -> list[str]:
    """Say what every account came to, a line each."""
    width = max(performance["name"].str.len().max(), len("Account"))
    return [
        "",
        "BACKTEST (walk-forward signals, next open, after fees and slippage)",
        f"{'Account':<{width}}     Total    Month  Sharpe  Drawdown    Wins  Trades",
        *(
            f"{row['name']:<{width}}  {percent(row['total_return']):>8}"
            f"  {percent(row['monthly_return']):>7}  {decimals(row['sharpe'], 2):>6}"
            f"  {percent(row['max_drawdown']):>8}  {percent(row['win_rate']):>6}"
            f"  {row['trades']:>6,}"
            for row in performance.to_dict(orient="records")
        ),
    ]


def render_backtest(report: BacktestReport, figures: Mapping[str, go.Figure]) -> str:
    """Write the page: the account beside what it has to beat, then its trades."""
    drawn = [figure_block(name, figure) for name, figure in figures.items()]
    body = [
        _head(report),
        _cards(report),
        section(
            "accounts",
            "The strategy beside its benchmarks",
            paragraph(
                "All accounts trade the same candles by the same rules. In brackets "
                f"the {report.bootstrap.level:.0%} interval of "
                f"{counted(report.bootstrap.draws, 'block bootstrap draw')}. A year "
                "has 365 days; volatility, Sharpe and Sortino are of daily returns.",
                "note",
            ),
            risk_table(report.performance),
            trading_table(report.performance),
        ),
        section("figures", "Over time", *drawn),
        _ladder(report),
        _thresholds(report),
        section("reasons", "How trades ended", reason_table(report.trades)),
        section("trades", "Trades", _trade_note(report), trade_table(report.trades)),
        section("rules", "The rules", _rules_table(report)),
    ]
    return document("\n".join(part for part in body if part), _TITLE)


def _head(report: BacktestReport) -> str:
    trades = counted(len(report.trades), "trade")
    lead = f"{report.performance['name'].iloc[0]}: {trades}. Candles: {report.source}."
    return f"<header>\n<h1>{_TITLE}</h1>\n{paragraph(lead, 'lead')}\n</header>"


def _cards(report: BacktestReport) -> str:
    strategy, *others = report.performance.to_dict(orient="records")
    best = max(others, key=lambda row: row["sharpe"]) if others else strategy
    draws = report.shuffled_sharpes
    beaten = float((strategy["sharpe"] > draws).mean()) if draws.size else float("nan")
    return card_row(
        [
            (
                "Return a month",
                percent(strategy["monthly_return"]),
                f"{span(strategy, 'monthly_return', percent)}; nothing earned: 0",
            ),
            (
                "Sharpe",
                decimals(strategy["sharpe"], 2),
                f"best benchmark {decimals(best['sharpe'], 2)}: {best['name']}",
            ),
            (
                "Better than its shuffled self",
                percent(beaten, 0),
                f"of {counted(draws.size, 'draw')}; luck alone: 50%",
            ),
            (
                "Deflated Sharpe",
                percent(report.deflated_sharpe),
                f"probability of beating the luckiest of {report.n_trials:,} trials",
            ),
            (
                "Largest drawdown",
                percent(strategy["max_drawdown"]),
                f"exposure {percent(strategy['exposure'])} on average",
            ),
            (
                "Trades that won",
                percent(strategy["win_rate"]),
                f"{span(strategy, 'win_rate', percent)}; "
                f"{percent(strategy['trade_return'], 2)} a trade",
            ),
        ]
    )


def _ladder(report: BacktestReport) -> str:
    if report.ladder is None:
        return ""
    return section(
        "ladder",
        "What each step adds",
        paragraph(
            "Steps are traded over the same days, so their common luck cancels in what "
            "one adds to the one before. It is coloured where its interval lies on one "
            "side of zero.",
            "note",
        ),
        ladder_table(report.ladder),
    )


def _thresholds(report: BacktestReport) -> str:
    told = f"The strategy used: {report.thresholds_used.lower()}. "
    if len(report.thresholds) == 1:
        told += "None were tuned for this walk, so there is nothing beside them."
    else:
        told += (
            "A tuned one is a factor on the default, found for each fold on earlier "
            "ones; the first fold that is traded has the default. What the tuned ones "
            "add is the difference of the two accounts, coloured where its interval "
            "lies on one side of zero."
        )
    return section(
        "thresholds",
        "Default and tuned thresholds",
        paragraph(told, "note"),
        ladder_table(report.thresholds),
    )


def _trade_note(report: BacktestReport) -> str:
    older = max(len(report.trades) - MOST_TRADES, 0)
    return paragraph(
        "Prices are means over all fills, slippage included; profit and loss is in "
        "quote currency, after fees. A gap is an open beyond the stop, a halt the "
        "first open after the asset had stopped trading."
        + (f" {older:,} older trades are not shown." if older else ""),
        "note",
    )


def _rules_table(report: BacktestReport) -> str:
    rules, bootstrap = report.rules, report.bootstrap
    rows = {
        "Thresholds": report.thresholds_used.lower(),
        "Execution": "at the next open; stops and targets against later highs and "
        "lows, the stop first where both are touched",
        "Costs": f"{rules.fee_bps:g} bp fee and {rules.slippage_bps:g} bp slippage on "
        "each side, no funding",
        "Capital": f"{rules.capital:,.2f}",
        "Rebalancing": "when a weight is off by more than "
        f"{percent(rules.rebalance_band)} of the equity; exits always",
        "Shorts": "allowed" if rules.allow_short else "none: a negative weight exits",
        "After a stop or target": "out until another weight is wanted"
        if rules.rests_after_exit
        else "back in when the next decision wants it",
        "Levels": "move with each decision"
        if rules.levels_follow
        else "those of the entry stand",
        "Intervals": f"{counted(bootstrap.draws, 'draw')} of blocks of "
        f"{counted(bootstrap.block_days, 'day')}; seed {bootstrap.seed}",
    }
    return table(
        ["Rule", "Value"], [[name, value] for name, value in rows.items()], css="facts"
    )
