"""The table of a synthetic market: the brain beside the best possible forecast."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from fleet_kedro.reports.markup import Cell, Row, number, table
from fleet_kedro.reports.units import decimals, interval, percent, points


def efficiency_table(efficiency: pd.DataFrame) -> str:
    """Lay out a row per regime, and one for all; no table for a real market.

    ``efficiency`` is as ``planted_efficiency`` returns it.
    """
    if efficiency.empty:
        return ""
    header = [
        *("Regime", "Rows", "Signals", "Base rate"),
        *("Precision / best possible", "Lift / best possible, points"),
        *("Efficiency", "Expected", "In hindsight", "Expected in hindsight"),
        "Log-loss / best possible",
    ]
    rows = [_row(row) for row in efficiency.to_dict(orient="records")]
    return table(header, rows, css="numbers stacked")


def _row(row: Mapping[Any, Any]) -> Row:
    return [
        str(row["regime"]),
        f"{row['rows']:,}",
        f"{row['signals']:,}",
        number(percent(row["base_rate"])),
        _beside(row, "precision", percent),
        _beside(row, "lift", points),
        _share(row, "efficiency"),
        _share(row, "expected_efficiency"),
        _share(row, "hindsight_efficiency"),
        _share(row, "expected_hindsight_efficiency"),
        _beside(row, "log_loss", _in_nats),
    ]


def _beside(row: Mapping[Any, Any], name: str, write: Callable[[float], str]) -> Cell:
    """Write the brain's value, and the best possible one smaller."""
    return number(write(row[name]), f"/ {write(row[f'bayes_{name}'])}")


def _share(row: Mapping[Any, Any], name: str) -> Cell:
    """Write an efficiency in whole percent, with its interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return number(_whole(row[name]), interval(low, high, _whole))


def _whole(fraction: float) -> str:
    return percent(fraction, 0)


def _in_nats(loss: float) -> str:
    return decimals(loss, 4)
