"""The tables of a backtest: accounts side by side, how trades ended, and each trade."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fleet_kedro.reports.markup import Cell, Row, number, table
from fleet_kedro.reports.units import decimals, interval, percent

MOST_TRADES = 500

_Columns = Mapping[str, tuple[str, Callable[[float], str]]]


def _two_digits(value: float) -> str:
    return decimals(value, 2)


def _one_digit(value: float) -> str:
    return decimals(value, 1)


def _fine_percent(value: float) -> str:
    return percent(value, 2)


def _whole(value: float) -> str:
    return f"{value:,.0f}"


_RISK: _Columns = {
    "total_return": ("Total", percent),
    "monthly_return": ("A month", percent),
    "annual_return": ("A year", percent),
    "annual_volatility": ("Volatility", percent),
    "sharpe": ("Sharpe", _two_digits),
    "sortino": ("Sortino", _two_digits),
    "max_drawdown": ("Largest drawdown", percent),
    "calmar": ("Calmar", _two_digits),
}
_TRADING: _Columns = {
    "trades": ("Trades", _whole),
    "win_rate": ("Won", percent),
    "trade_return": ("Return a trade", _fine_percent),
    "turnover": ("Turnover a year", _one_digit),
    "exposure": ("Exposure", percent),
    "hours_invested": ("Hours invested", percent),
    "fees": ("Fees / capital", percent),
}


def risk_table(performance: pd.DataFrame) -> str:
    """Lay out growth and risk, a row per account, with intervals.

    ``performance`` is as ``performance_table`` returns it.
    """
    return _account_table(performance, _RISK)


def trading_table(performance: pd.DataFrame) -> str:
    """Lay out how much each account traded, and how often it was right."""
    return _account_table(performance, _TRADING)


def reason_table(trades: pd.DataFrame) -> str:
    """Lay out why trades ended; ``trades`` is as ``trades_of`` returns it."""
    header = ["Ended by", "Trades", "Won", "Return a trade", "Profit and loss", "Fees"]
    rows: list[Row] = [
        [
            str(reason),
            f"{len(own):,}",
            percent(float((own["pnl"] > 0).mean())),
            number(percent(float(own["trade_return"].mean()), 2)),
            number(f"{own['pnl'].sum():,.2f}"),
            f"{own['fees'].sum():,.2f}",
        ]
        for reason, own in trades.groupby("reason")
    ]
    return table(header, rows)


def trade_table(trades: pd.DataFrame) -> str:
    """Lay out the last ``MOST_TRADES`` trades, the latest first."""
    header = [
        *("Left", "Asset", "Side", "Entered", "Price in", "Price out", "Ended by"),
        *("Return", "Profit and loss", "Fees"),
    ]
    rows: list[Row] = [
        [
            f"{trade['exit_time']:%Y-%m-%d %H:%M}",
            str(trade["asset"]),
            str(trade["side"]),
            f"{trade['entry_time']:%Y-%m-%d %H:%M}",
            f"{trade['entry_price']:,.6g}",
            f"{trade['exit_price']:,.6g}",
            str(trade["reason"]),
            _toned(percent(trade["trade_return"], 2), trade["pnl"]),
            _toned(f"{trade['pnl']:,.2f}", trade["pnl"]),
            f"{trade['fees']:,.2f}",
        ]
        for trade in reversed(trades.tail(MOST_TRADES).to_dict(orient="records"))
    ]
    return table(header, rows, css="numbers long")


def span(row: Mapping[Hashable, Any], name: str, write: Callable[[float], str]) -> str:
    """Write the interval of a measure; nothing where it has none, or no width.

    An account of a single trade is drawn as itself each time; that says nothing.
    """
    low, high = row.get(f"{name}_low", np.nan), row.get(f"{name}_high", np.nan)
    return "" if write(low) == write(high) else interval(low, high, write)


def _account_table(performance: pd.DataFrame, columns: _Columns) -> str:
    rows: list[Row] = [
        [
            str(row["name"]),
            *(
                number(write(float(row[name])), span(row, name, write))
                for name, (_, write) in columns.items()
            ),
        ]
        for row in performance.to_dict(orient="records")
    ]
    header = ["Account", *(title for title, _ in columns.values())]
    return table(header, rows, css="numbers stacked")


def _toned(written: str, pnl: float) -> Cell:
    tone = ""
    if pnl:
        tone = "good" if pnl > 0 else "bad"
    return number(written, tone=tone)
