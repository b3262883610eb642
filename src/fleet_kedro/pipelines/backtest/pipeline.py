"""Wiring of the backtest."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.backtest.nodes import (
    admit_forecasts,
    deflate,
    draw_accounts,
    gather_report,
    lay_out_past,
    measure_accounts,
    trade_both_thresholds,
    trade_rivals,
    trade_steps,
    write_backtest_page,
    write_backtest_summary,
)
from fleet_kedro.pipelines.step import step
from fleet_kedro.reports.followed.backtest import follow_backtest

_RULES = ["params:signalling", "params:backtest"]
_FIGURES = [
    f"backtest_{name}" for name in ("accounts", "drawdown", "months", "exposure")
]
_MEASURED = ["backtest_performance", "backtest_ladder", "backtest_trades"]


def create_pipeline(**_: object) -> Pipeline:
    """Forecasts of a walk-forward to accounts, their measures and their page."""
    return Pipeline(
        [
            step(
                admit_forecasts,
                [
                    *("forecasts", "ensemble_walks"),
                    *("params:signalling", "params:honest_bounds"),
                ],
                "admitted_walks",
            ),
            step(
                lay_out_past,
                [
                    *("admitted_walks", "clean_candles", "dominance"),
                    "return_thresholds@if_any",
                    *("params:dominance_policy", "params:signalling"),
                    "params:calibration",
                ],
                "signal_history",
            ),
            step(trade_steps, ["signal_history", *_RULES], "backtest_steps"),
            step(
                trade_both_thresholds,
                ["signal_history", "backtest_steps", *_RULES, "params:report"],
                ["backtest_by_threshold", "backtest_thresholds"],
            ),
            step(
                trade_rivals,
                ["signal_history", "backtest_steps", *_RULES],
                ["traded_accounts", "shuffled_sharpes"],
            ),
            step(
                measure_accounts,
                ["traded_accounts", "backtest_steps", "params:report"],
                _MEASURED,
            ),
            step(
                deflate,
                [
                    *("backtest_steps", "backtest_by_threshold", "signal_history"),
                    *("trial_ledger@read", "fleet_window"),
                    *("params:signalling", "params:report"),
                ],
                "deflated",
            ),
            step(
                gather_report,
                [
                    *(*_MEASURED, "shuffled_sharpes", "deflated"),
                    *("backtest_thresholds", "signal_history", "fleet_window"),
                    *(*_RULES, "params:report"),
                ],
                "backtest_report",
            ),
            step(draw_accounts, ["traded_accounts"], _FIGURES),
            step(
                write_backtest_summary,
                ["backtest_report", "signal_history", *_RULES],
                "backtest_summary",
            ),
            step(
                follow_backtest,
                ["backtest_summary", "traded_accounts"],
                ["backtest_metrics", "equity_curves"],
            ),
            step(write_backtest_page, ["backtest_report", *_FIGURES], "backtest_page"),
        ],
        tags="backtest",
    )
