"""What an audit found, as tables for a console and as a record for a machine."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from fleet_kedro.audit.checks import CHECKS
from fleet_kedro.audit.examine import Outcome
from fleet_kedro.audit.planted import Leak
from fleet_kedro.market.moment import show

_SILENT = Text("-", style="dim")


def outcome_table(outcomes: Sequence[Outcome], *, verbose: bool = False) -> Table:
    """Lay out a row per group of steps, or per step, and a column per check.

    A dash stands where a step promises nothing that the check could break.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("step", no_wrap=True)
    table.add_column("of", justify="right")
    for check in CHECKS:
        table.add_column(check, justify="center")
    for name, rows in _grouped(outcomes, verbose=verbose).items():
        cells = [_cell([o for o in rows if o.check == check]) for check in CHECKS]
        table.add_row(name, str(len({o.step for o in rows})), *cells)
    return table


def leak_table(leaks: Sequence[Leak], outcomes: Sequence[Outcome]) -> Table:
    """Lay out a row per planted leak: what it does wrong, and which checks saw it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("planted leak", "mistake", "found by"):
        table.add_column(column, overflow="fold")
    for leak in leaks:
        seen = checks_that_found(leak, outcomes)
        found = Text(", ".join(seen), style="green")
        missed = Text("not found", style="bold red")
        is_found = leak.check in seen
        table.add_row(leak.step.name, leak.mistake, found if is_found else missed)
    return table


def checks_that_found(leak: Leak, outcomes: Iterable[Outcome]) -> list[str]:
    """Name the checks under which a planted leak was caught."""
    return [
        outcome.check
        for outcome in outcomes
        if outcome.step == leak.step.name and outcome.status == "finding"
    ]


def failures(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcomes that are no pass."""
    return [outcome for outcome in outcomes if outcome.status != "ok"]


def failure_line(outcome: Outcome) -> str:
    """Tell of one failure: what differs, from when on, and how much."""
    found = outcome.difference
    if found is None:
        return (
            f"{outcome.step}, {outcome.check}: nothing could be compared; audit more "
            "days or other assets."
        )
    size = (
        f"by up to {found.worst:.3g}"
        if math.isfinite(found.worst)
        else "in which numbers are known"
    )
    return (
        f"{outcome.step}, {outcome.check}: {found.column} differs {size}, first at "
        f"{show(found.moment)} of {found.asset}."
    )


def closing_sentence(outcomes: Sequence[Outcome]) -> str:
    """Say in one sentence how the audit ended."""
    steps = len({outcome.step for outcome in outcomes})
    compared = sum(outcome.compared for outcome in outcomes)
    failed = {outcome.step for outcome in failures(outcomes)}
    audited = (
        f"{steps:,} steps, {len(outcomes):,} checks, {compared:,} numbers compared"
    )
    if failed:
        return f"{len(failed)} of the steps did not pass: {audited}."
    return f"Nothing leaks: {audited}."


def as_record(outcomes: Sequence[Outcome], **facts: Any) -> dict[str, Any]:
    """Return everything as plain values that JSON can hold.

    ``worst`` is null where a number faced none.
    """
    return {
        **facts,
        "passed": not failures(outcomes),
        "outcomes": [_as_values(outcome) for outcome in outcomes],
    }


def _grouped(outcomes: Sequence[Outcome], *, verbose: bool) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        name = outcome.step if verbose else outcome.group
        groups.setdefault(name, []).append(outcome)
    return groups


def _cell(outcomes: Sequence[Outcome]) -> Text:
    if not outcomes:
        return _SILENT
    found = sum(outcome.status == "finding" for outcome in outcomes)
    if found:
        return Text(f"{found} found", style="bold red")
    if any(outcome.status != "ok" for outcome in outcomes):
        return Text("not tried", style="yellow")
    return Text("ok", style="green")


def _as_values(outcome: Outcome) -> dict[str, Any]:
    found = outcome.difference
    values: dict[str, Any] = {
        "step": outcome.step,
        "group": outcome.group,
        "check": outcome.check,
        "status": outcome.status,
        "compared": outcome.compared,
    }
    if found is None:
        return values
    return values | {
        "worst": found.worst if math.isfinite(found.worst) else None,
        "moment": found.moment.isoformat(),
        "asset": found.asset,
        "column": found.column,
    }
