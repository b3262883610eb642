"""The tables of the page: every share beside its null, every unit in its header."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from fleet_kedro.market.moment import show
from fleet_kedro.reports.facts import RunFacts
from fleet_kedro.reports.figures.gate import CONTRASTED, contrast, contrasted
from fleet_kedro.reports.markup import Cell, Row, number, table
from fleet_kedro.reports.units import (
    basis_points,
    decimals,
    in_unit,
    interval,
    percent,
    points,
)
from fleet_kedro.validation.gate_regimes import KEYS
from fleet_kedro.validation.telemetry import Telemetry
from fleet_kedro.validation.verdict import Verdict


def criteria_table(verdict: Verdict) -> str:
    """Lay out what was asked, what was measured, and whether it is enough."""
    rows: list[Row] = [
        [
            criterion.name,
            Cell("✓ met", tone="good")
            if criterion.passed
            else Cell("✗ not met", tone="bad"),
            number(in_unit(criterion.value, criterion.unit)),
            number(in_unit(criterion.bound, criterion.unit)),
            criterion.detail,
        ]
        for criterion in verdict.criteria
    ]
    header = ["Criterion", "", "Measured", "Bound", "What is measured"]
    return table(header, rows, css="criteria")


def asset_table(telemetry: Telemetry) -> str:
    """Lay out a row per asset, pooled over the folds, and the means over the assets."""
    header = [
        *("Asset", "Rows", "Signals", "Base rate", "Precision", "Recall"),
        *("Lift, points", "Volatility only", "Lift over it, points"),
        "Net per signal, bp",
    ]
    rows: list[Row] = [
        _asset_row(str(row["asset"]), row) for _, row in telemetry.assets.iterrows()
    ]
    totals = telemetry.assets[["rows", "signals"]].sum()
    return table(
        header,
        [*rows, _asset_row("Mean (sum)", pd.concat([telemetry.overall, totals]))],
    )


def fold_table(folds: pd.DataFrame, telemetry: Telemetry) -> str:
    """Lay out what each fold learnt from, and how its forecasts fared."""
    header = [
        *("Fold", "Validation", "Trained on", "Rows", "Columns → latents"),
        *("Base rate", "Precision", "Recall", "Lift, points", "Signals"),
        "Net per signal, bp",
    ]
    rows: list[Row] = [
        [
            f"{row['fold']}",
            f"{_day(row['validation_start'])} to {_day(row['validation_end'])}",
            f"{row['train_rows']:,}",
            f"{row['validation_rows']:,}",
            f"{row['columns']:,} → {row['latents']}",
            number(percent(row["base_rate"])),
            number(percent(row["precision"])),
            number(percent(row["recall"])),
            number(points(row["lift"])),
            f"{row['signals']:,}",
            number(basis_points(row["net_return"])),
        ]
        for row in folds.merge(telemetry.folds, on="fold").to_dict(orient="records")
    ]
    return table(header, rows)


def fold_asset_table(telemetry: Telemetry) -> str:
    """Lay out precision over base rate: a row per asset, a column per fold."""
    known = {
        (row["asset"], row["fold"]): Cell(
            percent(row["precision"]), f"/ {percent(row['base_rate'])}"
        )
        for row in telemetry.fold_assets.to_dict(orient="records")
    }
    assets, folds = (sorted(set(keys)) for keys in zip(*known, strict=True))
    rows: list[Row] = [
        [str(asset), *(known.get((asset, fold), "") for fold in folds)]
        for asset in assets
    ]
    return table(["Asset", *(f"Fold {fold}" for fold in folds)], rows)


def rivals_table(rivals: pd.DataFrame) -> str:
    """Lay out the brain first, then those it has to beat."""
    header = [
        *("", "Signals", "Precision", "Recall", "Lift, points"),
        *("Over volatility only, points", "Net per signal, bp", "AUC", "Log-loss"),
    ]
    rows: list[Row] = [
        [
            str(row["name"]),
            f"{row['signals']:,}",
            number(percent(row["precision"])),
            number(percent(row["recall"])),
            number(points(row["lift"])),
            number(
                points(row["lift_over_volatility"]),
                _span(row, "lift_over_volatility", points),
            ),
            number(
                basis_points(row["net_return"]),
                _span(row, "net_return", basis_points),
            ),
            number(decimals(row["auc"], 3)),
            number(decimals(row["log_loss"], 4)),
        ]
        for row in rivals.to_dict(orient="records")
    ]
    return table(header, rows)


def trials_table(trials: pd.DataFrame) -> str:
    """Lay out how many configurations were tried, kind by kind."""
    header = ["Kind", "Trials", "Best", "Its daily Sharpe", "Median daily Sharpe"]
    rows: list[Row] = [
        [
            str(row["kind"]),
            f"{row['trials']:,}",
            str(row["best"]),
            number(decimals(row["best_daily_sharpe"], 3)),
            number(decimals(row["median_daily_sharpe"], 3)),
        ]
        for row in trials.to_dict(orient="records")
    ]
    return table(header, rows)


def gate_table(gate: pd.DataFrame) -> str:
    """Lay out the mean gate weight of every expert, a row per asset."""
    experts = [name for name in gate.columns if name != "asset"]
    rows: list[Row] = [
        [str(row["asset"]), *(percent(row[expert]) for expert in experts)]
        for row in gate.to_dict(orient="records")
    ]
    return table(["Asset", *experts], rows)


def gate_regime_table(gate_regimes: pd.DataFrame) -> str:
    """Lay out mean gate weights by regime: fleet, contrasted assets, difference."""
    experts = list(gate_regimes.columns.drop(KEYS))
    told, apart = contrasted(gate_regimes), contrast(gate_regimes)
    first, second = CONTRASTED
    rows: list[Row] = []
    for regime, own in told.groupby("regime", sort=False):
        rows += [
            [
                f"{regime}, {row['asset']}",
                f"{row['rows']:,}",
                *(percent(row[expert]) for expert in experts),
            ]
            for row in own.to_dict(orient="records")
        ]
        rows += [
            [
                f"{regime}, {first} minus {second}, points",
                "",
                *(number(points(row[expert])) for expert in experts),
            ]
            for row in apart.loc[apart["regime"] == regime].to_dict(orient="records")
        ]
    return table(["Regime", "Rows", *experts], rows)


def facts_table(facts: RunFacts) -> str:
    """Lay out the rules of the run, so that somebody else can repeat it."""
    walk, bootstrap = facts.walk, facts.bootstrap
    rows = {
        "Candles": facts.source,
        "Window": f"{show(facts.start)} to {show(facts.end)} UTC, hourly",
        "Assets": f"{len(facts.assets)}: {', '.join(facts.assets)}",
        "Left out": " ".join(facts.left_out.values()) or "none",
        "Horizon": f"{facts.label.horizon_bars} bars from the next open",
        "Round-trip cost": percent(facts.label.round_trip_cost, 2),
        "Walk": f"{walk.folds} scored folds behind {walk.warmup_folds} for warming up, "
        f"{walk.mode}",
        "Purge and embargo": f"{walk.purge_bars} + {walk.embargo_bars} bars before "
        "each validation span",
        "Intervals": f"{percent(bootstrap.level, 0)}, circular block bootstrap, "
        f"{bootstrap.draws:,} draws of blocks of {bootstrap.block_days} days",
        "Seed": f"{facts.seed}",
    }
    return table(
        ["Fact", "Value"], [[name, value] for name, value in rows.items()], css="facts"
    )


def _asset_row(name: str, row: pd.Series) -> Row:
    return [
        name,
        f"{int(row['rows']):,}",
        f"{int(row['signals']):,}",
        number(percent(row["base_rate"])),
        number(percent(row["precision"])),
        number(percent(row["recall"])),
        number(points(row["lift"]), _span(row, "lift", points)),
        number(percent(row["volatility_precision"])),
        _judged(row, "lift_over_volatility", points),
        _judged(row, "net_return", basis_points),
    ]


def _span(
    row: Mapping[Any, Any] | pd.Series, name: str, write: Callable[[float], str]
) -> str:
    return interval(row[f"{name}_low"], row[f"{name}_high"], write)


def _judged(row: pd.Series, name: str, write: Callable[[float], str]) -> Cell:
    """Write a value with its interval; coloured where the interval excludes zero."""
    tone = ""
    if row[f"{name}_low"] > 0:
        tone = "good"
    elif row[f"{name}_high"] < 0:
        tone = "bad"
    return number(write(row[name]), _span(row, name, write), tone)


def _day(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d}"
