"""What the forecasters of each asset are worth, as one HTML file.

Nothing on it depends on how fast the machine was, so the same walk gives the same
bytes; what training took is for the console.
"""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.document import card_row, document, figure_block
from fleet_kedro.reports.forecast_table import (
    dollars,
    signed_percent,
    skill_words,
)
from fleet_kedro.reports.markup import Cell, Row, number, paragraph, section, table
from fleet_kedro.reports.units import NO_VALUE, counted, decimals, interval, percent
from fleet_kedro.validation.forecast_ensemble import EnsembleWalkSettings
from fleet_kedro.validation.forecast_telemetry import ENSEMBLE, ZERO

_TITLE = "Forecasters, judged"


class JudgedForecasters(NamedTuple):
    """What the page tells.

    Attributes
    ----------
    telemetry
        Rows of all assets, as `measure_forecasters` leaves them.
    production
        Weights of all assets, as `walk_ensemble` leaves them, with ``asset``.
    sizes
        A row per production model: ``asset``, ``model``, ``n_parameters``,
        ``n_bytes``.
    source
        Where the candles come from, in words.
    """

    telemetry: pd.DataFrame
    production: pd.DataFrame
    sizes: pd.DataFrame
    source: str


def render_forecasters(
    judged: JudgedForecasters,
    settings: EnsembleWalkSettings,
    figures: Mapping[str, go.Figure],
) -> str:
    """Write the page: what everyone is worth beside zero, then whom to listen to."""
    drawn = {name: figure_block(name, figure) for name, figure in figures.items()}
    body = [
        _head(judged),
        _cards(judged.telemetry, settings),
        section("skill", "What anyone knows", drawn["skill"]),
        *(_errors_section(judged.telemetry, horizon) for horizon in settings.horizons),
        section(
            "weights",
            "The ensemble for production",
            paragraph(
                "Weights from all out-of-sample forecasts; nothing here judges them.",
                "note",
            ),
            drawn["weights"],
            _weights_table(judged.production),
        ),
        section(
            "intervals",
            "Its intervals",
            drawn["intervals"],
            _intervals_table(judged.telemetry),
        ),
        section("outcomes", "Its forecasts", drawn["outcomes"]),
        section("sizes", "What is stored", _sizes_table(judged.sizes)),
        section("rules", "The rules", _rules_table(settings)),
    ]
    return document("\n".join(body), _TITLE)


def _head(judged: JudgedForecasters) -> str:
    telemetry = judged.telemetry
    models = telemetry.loc[~telemetry["model"].isin([ENSEMBLE, ZERO]), "model"]
    lead = (
        f"{counted(telemetry['asset'].nunique(), 'asset')}, "
        f"{counted(models.nunique(), 'model')} each, an ensemble of them, and the "
        f"forecast that nothing moves. Candles: {judged.source}."
    )
    return f"<header>\n<h1>{_TITLE}</h1>\n{paragraph(lead, 'lead')}\n</header>"


def _cards(telemetry: pd.DataFrame, settings: EnsembleWalkSettings) -> str:
    own = telemetry.loc[telemetry["model"] == ENSEMBLE]
    cards = []
    for horizon in settings.horizons:
        rows = own.loc[own["horizon"] == horizon]
        better = int((rows["skill_low"] > 0).sum())
        cards.append(
            (
                f"Assets with skill, {horizon} h ahead",
                f"{better} of {len(rows)}",
                _said_of(better, len(rows)),
            )
        )
    coverage = settings.intervals.coverage
    farthest: Mapping[Hashable, Any] = max(
        own.dropna(subset="coverage").to_dict(orient="records"),
        key=lambda row: abs(row["coverage"] - coverage),
        default={"asset": NO_VALUE, "horizon": NO_VALUE, "coverage": float("nan")},
    )
    return card_row(
        [
            *cards,
            (
                "Worst ensemble beside zero",
                signed_percent(own["skill"].min()),
                "of the zero forecast's RMSE; saying nothing: 0",
            ),
            (
                "Coverage farthest from its promise",
                percent(farthest["coverage"]),
                f"{farthest['asset']}, {farthest['horizon']} h; promised "
                f"{percent(coverage)}",
            ),
        ]
    )


def _said_of(better: int, assets: int) -> str:
    if not better:
        return "no skill on any asset"
    others = "" if better == assets else "; no skill on the others"
    return f"interval above zero{others}"


def _errors_section(telemetry: pd.DataFrame, horizon: int) -> str:
    return section(
        f"errors-{horizon}h",
        f"Errors, {horizon} h ahead",
        paragraph(
            "RMSE of the log return and of the price, each beside the zero forecast's; "
            "skill with its interval, coloured where that lies on one side of zero; "
            "the p-value of Diebold and Mariano; calls of the direction that were "
            "right, beside the share of the commoner direction.",
            "note",
        ),
        _errors_table(telemetry, horizon),
    )


def _errors_table(telemetry: pd.DataFrame, horizon: int) -> str:
    header = [
        *("Asset, model", "RMSE", "Approx error", "Skill", "In words"),
        *("R²", "DM p", "Direction", "Rows"),
    ]
    own = telemetry.loc[
        (telemetry["horizon"] == horizon) & (telemetry["model"] != ZERO)
    ]
    rows: list[Row] = [
        [
            f"{row['asset']}, {row['model']}",
            Cell(percent(row["rmse"], 3), f"/ {percent(row['zero_rmse'], 3)}"),
            Cell(dollars(row["rmse_price"]), f"/ {dollars(row['zero_rmse_price'])}"),
            _skill_cell(row),
            skill_words(row),
            number(signed_percent(row["r_squared"])),
            decimals(row["dm_p_value"], 3),
            Cell(
                percent(row["directional_accuracy"]),
                f"/ {percent(row['majority_share'])}",
            ),
            f"{row['rows']:,}",
        ]
        for row in own.to_dict(orient="records")
    ]
    return table(header, rows)


def _skill_cell(row: Mapping[Hashable, Any]) -> Cell:
    tone = ""
    if row["skill_low"] > 0:
        tone = "good"
    elif row["skill_high"] < 0:
        tone = "bad"
    span = interval(row["skill_low"], row["skill_high"], signed_percent)
    return number(signed_percent(row["skill"]), span, tone)


def _weights_table(production: pd.DataFrame) -> str:
    weights = [name for name in production.columns if name.startswith("weight_")]
    header = [
        "Asset, hours ahead",
        *(name.removeprefix("weight_") for name in weights),
        "Half interval, in volatilities",
    ]
    rows: list[Row] = [
        [
            f"{row['asset']}, {row['horizon']}",
            *(_share(row[name]) for name in weights),
            decimals(row["interval_width"], 2),
        ]
        for row in production.to_dict(orient="records")
    ]
    return table(header, rows)


def _share(weight: float) -> str:
    """Write a weight; a model that another asset has and this one lacks has none."""
    return NO_VALUE if pd.isna(weight) else percent(weight)


def _intervals_table(telemetry: pd.DataFrame) -> str:
    header = [
        *("Asset, hours ahead", "All hours", "Wildest tenth", "Calmest tenth"),
        "Mean width",
    ]
    own = telemetry.loc[telemetry["model"] == ENSEMBLE]
    rows: list[Row] = [
        [
            f"{row['asset']}, {row['horizon']}",
            percent(row["coverage"]),
            percent(row["coverage_wild"]),
            percent(row["coverage_calm"]),
            percent(row["interval_width"], 2),
        ]
        for row in own.to_dict(orient="records")
    ]
    return table(header, rows)


def _sizes_table(sizes: pd.DataFrame) -> str:
    rows: list[Row] = [
        [
            f"{row['asset']}, {row['model']}",
            f"{row['n_parameters']:,}",
            f"{row['n_bytes'] / 1e3:,.1f}",
        ]
        for row in sizes.to_dict(orient="records")
    ]
    parameters, stored = sizes["n_parameters"].sum(), sizes["n_bytes"].sum() / 1e3
    total: Row = [
        counted(len(sizes), "model"),
        f"{parameters:,}",
        f"{stored:,.1f}",
    ]
    header = ["Asset, model", "Parameters", "Kilobytes"]
    return table(header, [*rows, total], css="numbers totalled")


def _rules_table(settings: EnsembleWalkSettings) -> str:
    weights, intervals = settings.weights, settings.intervals
    rows = {
        "Judged": "forecasts of scored folds, all out of sample; weights of a fold "
        "come from earlier folds only",
        "Weights": "zero or more, together one at most; the rest is the zero "
        "forecast's",
        "Evidence": f"clueless models get no weight with {percent(weights.confidence)} "
        f"confidence; at least {weights.fewest_outcomes} outcomes without overlap",
        "Intervals": f"promised to hold {percent(intervals.coverage)} of the time; the "
        f"last {intervals.window_rows:,} known misses, step {intervals.step:g}",
        "Their scale": f"volatility of a week, its square mixed by "
        f"{percent(intervals.season_share, 0)} with the mean of "
        f"{intervals.season_rows:,} rows",
    }
    return table(
        ["Rule", "Value"], [[name, value] for name, value in rows.items()], css="facts"
    )
