"""The end of a run in lines of text: every number beside its null, then the verdict."""

from collections.abc import Callable, Sequence

import pandas as pd

from fleet_kedro.reports.units import (
    basis_points,
    decimals,
    in_unit,
    interval,
    percent,
    points,
)
from fleet_kedro.validation.telemetry import Telemetry
from fleet_kedro.validation.verdict import Criterion, Verdict


def verification_lines(telemetry: Telemetry, verdict: Verdict) -> list[str]:
    """Tell what the forecasts were worth, criterion by criterion."""
    return [
        "",
        "PER-ASSET PERFORMANCE (out of sample, all folds; lift in points, net in bp)",
        *_matrix(telemetry),
        "",
        "THE BRAIN AND ITS RIVALS (means over the assets; AUC and log-loss over rows)",
        *_rivals(telemetry.rivals),
        "",
        "GLOBAL FLEET VERIFICATION",
        *(_criterion_line(criterion) for criterion in verdict.criteria),
        "",
        verdict_line(verdict),
    ]


def verdict_line(verdict: Verdict) -> str:
    """Name the verdict, and say what it means."""
    return f"GLOBAL FLEET VALIDATION: {verdict_word(verdict)}. {meaning(verdict)}"


def verdict_word(verdict: Verdict) -> str:
    """PASS or FAIL."""
    return "PASS" if verdict.passed else "FAIL"


def meaning(verdict: Verdict) -> str:
    """Say in a sentence or two what follows from the verdict."""
    asked = len(verdict.criteria)
    missed = sum(not criterion.passed for criterion in verdict.criteria)
    if verdict.passed:
        return (
            f"All {asked} criteria are met out of sample, after costs, on this window; "
            "the brain may be promoted."
        )
    verb = "is" if missed == 1 else "are"
    return (
        f"{missed} of {asked} criteria {verb} not met on this window; "
        "the brain must not be promoted."
    )


def _matrix(telemetry: Telemetry) -> list[str]:
    header = [
        *("Asset", "Rows", "Signals", "Base", "Prec", "Rec", "Lift", "Vol. only"),
        *("Over vol. [interval]", "Net [interval]"),
    ]
    rows = [
        _matrix_row(str(row["asset"]), row) for _, row in telemetry.assets.iterrows()
    ]
    totals = telemetry.assets[["rows", "signals"]].sum()
    mean = pd.concat([telemetry.overall, totals])
    return _aligned([header, *rows, _matrix_row("Mean (sum)", mean)])


def _matrix_row(name: str, row: pd.Series) -> list[str]:
    return [
        name,
        f"{int(row['rows']):,}",
        f"{int(row['signals']):,}",
        percent(row["base_rate"]),
        percent(row["precision"]),
        percent(row["recall"]),
        points(row["lift"]),
        percent(row["volatility_precision"]),
        _with_interval(row, "lift_over_volatility", points),
        _with_interval(row, "net_return", basis_points),
    ]


def _rivals(rivals: pd.DataFrame) -> list[str]:
    header = [
        *("Name", "Signals", "Prec", "Rec", "Lift", "Net, bp", "AUC", "Log-loss"),
    ]
    rows = [
        [
            str(row["name"]),
            f"{int(row['signals']):,}",
            percent(row["precision"]),
            percent(row["recall"]),
            points(row["lift"]),
            basis_points(row["net_return"]),
            decimals(row["auc"], 3),
            decimals(row["log_loss"], 4),
        ]
        for _, row in rivals.iterrows()
    ]
    return _aligned([header, *rows])


def _criterion_line(criterion: Criterion) -> str:
    mark = "✓" if criterion.passed else "✗"
    return (
        f"{mark} {criterion.name}: {in_unit(criterion.value, criterion.unit)} "
        f"(bound {in_unit(criterion.bound, criterion.unit)}; {criterion.detail})"
    )


def _with_interval(row: pd.Series, name: str, write: Callable[[float], str]) -> str:
    span = interval(row[f"{name}_low"], row[f"{name}_high"], write)
    return f"{write(row[name])} {span}".rstrip()


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """Pad the columns to one width: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
