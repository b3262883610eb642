"""The measurements as JSON, which is kept, and as a Markdown table of it."""

import os
import platform
from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.suite import Row

Records = dict[str, Any]


def as_records(rows: Sequence[Row], *, real: bool) -> Records:
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


def merged(kept: Records, new: Records) -> Records:
    """Put new rows in the place of the kept ones of their names; keep the others.

    What was measured on another machine or on other candles is not kept.
    """
    if any(kept[key] != new[key] for key in ("machine", "candles")):
        return new
    rows = {row["name"]: row for row in (*kept["rows"], *new["rows"])}
    return {**new, "rows": list(rows.values())}


def as_markdown(records: Records) -> str:
    """Lay out the records as a table; a budget that is missed is marked."""
    candles = {
        "real": "real candles, 2022-01-01 to 2023-12-31",
        "synthetic": "synthetic candles",
    }
    lines = [
        "# Benchmarks",
        "",
        f"Whole processes on {records['machine']}; {candles[records['candles']]}; "
        "medians. `make bench` measures the parts with a budget and the peers anew, in "
        "about twelve minutes; `python -m bench --only PART` one part, and keeps the "
        "other rows.",
        "",
        "| measured | what | runs | time | budget | peak memory | budget |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in records["rows"]:
        seconds = _held(row["wall_seconds"], row["budget_seconds"], "s", ".1f")
        memory = _held(row["peak_gib"], row["budget_gib"], "GiB", ".2f")
        runs = len(row["wall_seconds"])
        lines.append(
            f"| {row['name']} | {row['what']} | {runs} | {seconds} | {memory} |"
        )
    return "\n".join(lines) + "\n"


def _held(values: list[float], budget: float | None, unit: str, digits: str) -> str:
    value = median(values)
    if budget is None:
        return f"{value:{digits}} {unit} | "
    missed = " (missed)" if value > budget else ""
    return f"{value:{digits}} {unit}{missed} | {budget:g} {unit}"


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}"
    )
