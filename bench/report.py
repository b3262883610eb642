"""The measurements as a Markdown table and as JSON."""

import os
import platform
from collections.abc import Sequence
from typing import Any

from bench.suite import Row


def as_markdown(rows: Sequence[Row], *, real: bool) -> str:
    """Lay out the rows as a table; a budget that is missed is marked."""
    candles = "real candles, 2022-01-01 to 2023-12-31" if real else "synthetic candles"
    lines = [
        "# Benchmarks",
        "",
        f"Whole processes on {_machine()}; {candles}; medians. `make bench` measures "
        "them anew, in about twelve minutes.",
        "",
        "| measured | what | runs | time | budget | peak memory | budget |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        seconds = _held(row.cost.wall_seconds, row.budget_seconds, "s", ".1f")
        memory = _held(row.cost.peak_gib, row.budget_gib, "GiB", ".2f")
        runs = len(row.cost.runs)
        lines.append(f"| {row.name} | {row.what} | {runs} | {seconds} | {memory} |")
    return "\n".join(lines) + "\n"


def as_records(rows: Sequence[Row], *, real: bool) -> dict[str, Any]:
    """Return the rows and where they were measured, for a machine."""
    return {
        "machine": _machine(),
        "candles": "real" if real else "synthetic",
        "rows": [
            {
                "name": row.name,
                "what": row.what,
                "wall_seconds": [run.wall_seconds for run in row.cost.runs],
                "peak_gib": [run.peak_gib for run in row.cost.runs],
                "budget_seconds": row.budget_seconds,
                "budget_gib": row.budget_gib,
            }
            for row in rows
        ],
    }


def _held(value: float, budget: float | None, unit: str, digits: str) -> str:
    if budget is None:
        return f"{value:{digits}} {unit} | "
    missed = " (missed)" if value > budget else ""
    return f"{value:{digits}} {unit}{missed} | {budget:g} {unit}"


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}"
    )
