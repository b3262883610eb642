"""The phase ladder in words and numbers: what each step earned, and what it added."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from fleet_kedro.reports.markup import Cell, Row, number, table
from fleet_kedro.reports.units import decimals, interval, percent

_Write = Callable[[float], str]


def ladder_lines(ladder: pd.DataFrame) -> list[str]:
    """Write the ladder for a console, a line per step.

    ``ladder`` is as ``phase_ladder`` returns it.
    """
    width = max(ladder["step"].str.len().max(), len("Step"))
    return [
        "",
        "PHASE LADDER (walk-forward, after costs; each step added to the one before)",
        f"{'Step':<{width}}  Month    Sharpe  Drawdown  Adds a year",
        *(
            f"{row['step']:<{width}}  {_percent(row['monthly_return']):>7}"
            f"  {decimals(row['sharpe'], 2):>6}  {percent(row['max_drawdown']):>8}"
            f"  {_percent(row['gain']):>7} {_span(row, 'gain', _percent)}".rstrip()
            for row in ladder.to_dict(orient="records")
        ),
    ]


def ladder_table(ladder: pd.DataFrame) -> str:
    """Lay the ladder out for a page.

    A contribution is coloured where its interval lies on one side of zero.
    """
    header = [
        *("Step", "Days", "Return a month", "Return a year", "Sharpe"),
        *("Largest drawdown", "Adds a year", "Adds to the Sharpe"),
    ]
    rows: list[Row] = [
        [
            str(row["step"]),
            f"{row['days']:,}",
            _cell(row, "monthly_return", _percent),
            _cell(row, "annual_return", _percent),
            _cell(row, "sharpe", _two_digits),
            number(percent(row["max_drawdown"])),
            _toned(row, "gain", _percent),
            _toned(row, "sharpe_gain", _two_digits),
        ]
        for row in ladder.to_dict(orient="records")
    ]
    return table(header, rows, css="numbers stacked")


def _cell(
    row: Mapping[Hashable, Any], name: str, write: _Write, tone: str = ""
) -> Cell:
    return number(write(row[name]), _span(row, name, write), tone)


def _toned(row: Mapping[Hashable, Any], name: str, write: _Write) -> Cell:
    tone = ""
    if row[f"{name}_low"] > 0:
        tone = "good"
    elif row[f"{name}_high"] < 0:
        tone = "bad"
    return _cell(row, name, write, tone)


def _span(row: Mapping[Hashable, Any], name: str, write: _Write) -> str:
    return interval(row[f"{name}_low"], row[f"{name}_high"], write)


def _percent(fraction: float) -> str:
    written = percent(fraction)
    return f"+{written}" if fraction > 0 else written


def _two_digits(value: float) -> str:
    return decimals(value, 2)
