"""What tuning the thresholds is worth, as one HTML file that needs nothing else."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.document import card_row, document, figure_block
from fleet_kedro.reports.figures.overfitting import ledger_summary
from fleet_kedro.reports.markup import Cell, Row, number, paragraph, section, table
from fleet_kedro.reports.page_tables import trials_table
from fleet_kedro.reports.return_section import TunedReturns, return_section
from fleet_kedro.reports.units import (
    NO_VALUE,
    basis_points,
    counted,
    decimals,
    interval,
    percent,
)
from fleet_kedro.signals.comparison import FLEET
from fleet_kedro.signals.tuning import TuningSettings
from fleet_kedro.validation.trials import Trial

_TITLE = "Thresholds, tuned"


class TunedThresholds(NamedTuple):
    """What the page tells.

    Attributes
    ----------
    evaluation
        A row per asset and judged fold, as `score_folds` leaves it.
    comparison
        A row per asset and one for the fleet, as `compare_rules` leaves it.
    production
        The thresholds of each asset that has some, as `production_thresholds` does.
    source
        Where the candles come from, in words.
    tried
        All thresholds that were ever scored on these candles.
    """

    evaluation: pd.DataFrame
    comparison: pd.DataFrame
    production: Mapping[str, Mapping[str, float | None]]
    source: str
    tried: Sequence[Trial]


def tuning_lines(comparison: pd.DataFrame) -> list[str]:
    """Say what tuned thresholds earned beside the walk's own, on the same rows."""
    return ["", "TUNED THRESHOLDS (judged on folds they were not tuned on)"] + [
        f"{row['asset']:<6} tuned {basis_points(row['tuned_net_return']):>7} bp, "
        f"walk {basis_points(row['walk_net_return']):>7} bp, "
        f"gain {basis_points(row['gain']):>6} {_gain_span(row)}".rstrip()
        for row in comparison.to_dict(orient="records")
    ]


def render_tuning(
    tuned: TunedThresholds,
    returns: TunedReturns,
    settings: TuningSettings,
    figures: Mapping[str, go.Figure],
) -> str:
    """Write the page: the honest comparisons first, then what production shall use."""
    drawn = [figure_block(name, figure) for name, figure in figures.items()]
    body = [
        _head(tuned),
        _cards(tuned.comparison),
        section(
            "assets",
            "Tuned thresholds beside the walk's own",
            paragraph(
                "Every fold but the first, all with thresholds from the past only. The "
                "gain is the difference of the two net returns, with its bootstrap "
                "interval; it is coloured where the interval lies on one side of zero.",
                "note",
            ),
            _comparison_table(tuned.comparison),
        ),
        return_section(returns),
        section(
            "folds",
            "Fold by fold",
            paragraph("Precision / base rate, and net return per signal.", "note"),
            _fold_table(tuned.evaluation),
        ),
        section(
            "production",
            "For production",
            paragraph(
                "Tuned on all forecasts. Expectancy and recall are those of the very "
                "rows the thresholds were tuned on, so they promise nothing.",
                "note",
            ),
            _production_table(tuned),
        ),
        section("studies", "The studies for production", *drawn),
        section(
            "tried",
            "What was tried",
            paragraph(
                "The ledger of all thresholds that were ever scored on these "
                "candles. A Sharpe ratio is that of one asset's slice of the capital, "
                "on the rows that they were tuned on: the best of so many is high "
                "by choice alone.",
                "note",
            ),
            trials_table(ledger_summary(tuned.tried)),
        ),
        section("rules", "The rules", _rules_table(settings)),
    ]
    return document("\n".join(body), _TITLE)


def _head(tuned: TunedThresholds) -> str:
    folds = counted(tuned.evaluation["fold"].nunique(), "judged fold")
    assets = counted(tuned.evaluation["asset"].nunique(), "asset")
    lead = f"{assets}, {folds}. Candles: {tuned.source}."
    return f"<header>\n<h1>{_TITLE}</h1>\n{paragraph(lead, 'lead')}\n</header>"


def _cards(comparison: pd.DataFrame) -> str:
    fleet = comparison.loc[comparison["asset"] == FLEET].iloc[0]
    return card_row(
        [
            (
                "Net return per signal, tuned",
                _with_unit(fleet["tuned_net_return"]),
                f"the walk's own {basis_points(fleet['walk_net_return'])}",
            ),
            (
                "Gain",
                _with_unit(fleet["gain"]),
                f"{_gain_span(fleet.to_dict()) or NO_VALUE}; nothing gained: 0",
            ),
            (
                "Precision, tuned",
                percent(fleet["tuned_precision"]),
                f"the walk's own {percent(fleet['walk_precision'])}, base rate "
                f"{percent(fleet['base_rate'])}",
            ),
            (
                "Signals, tuned",
                f"{fleet['tuned_signals']:,}",
                f"the walk's own {fleet['walk_signals']:,}, of {fleet['rows']:,} rows",
            ),
        ]
    )


def _with_unit(fraction: float) -> str:
    written = basis_points(fraction)
    return written if written == NO_VALUE else f"{written} bp"


def _comparison_table(comparison: pd.DataFrame) -> str:
    header = [
        *("Asset", "Rows", "Base rate", "Signals, tuned", "Signals, walk"),
        *("Precision, tuned", "Precision, walk", "Net, tuned, bp", "Net, walk, bp"),
        "Gain, bp",
    ]
    rows: list[Row] = [
        [
            str(row["asset"]),
            f"{row['rows']:,}",
            percent(row["base_rate"]),
            f"{row['tuned_signals']:,}",
            f"{row['walk_signals']:,}",
            percent(row["tuned_precision"]),
            percent(row["walk_precision"]),
            number(basis_points(row["tuned_net_return"])),
            number(basis_points(row["walk_net_return"])),
            _gain_cell(row),
        ]
        for row in comparison.to_dict(orient="records")
    ]
    return table(header, rows, css="numbers totalled")


def _gain_cell(row: Mapping[Hashable, Any]) -> Cell:
    tone = ""
    if row["gain_low"] > 0:
        tone = "good"
    elif row["gain_high"] < 0:
        tone = "bad"
    return number(basis_points(row["gain"]), _gain_span(row), tone)


def _gain_span(row: Mapping[Hashable, Any]) -> str:
    return interval(row["gain_low"], row["gain_high"], basis_points)


def _fold_table(evaluation: pd.DataFrame) -> str:
    header = [
        *("Asset", "Fold", "Rank from", "Floor", "Signals", "Effective"),
        *("Precision", "Net, bp", "Walk's rank from", "Walk's signals"),
        *("Walk's precision", "Walk's net, bp"),
    ]
    rows: list[Row] = [
        [
            str(row["asset"]),
            f"{row['fold']}",
            decimals(row["rank_threshold"], 3),
            _floor(row["probability_floor"]),
            f"{row['signals']:,}",
            decimals(row["effective_signals"], 1),
            Cell(percent(row["precision"]), f"/ {percent(row['base_rate'])}"),
            number(basis_points(row["net_return"])),
            decimals(row["walk_rank_threshold"], 3),
            f"{row['walk_signals']:,}",
            Cell(percent(row["walk_precision"]), f"/ {percent(row['base_rate'])}"),
            number(basis_points(row["walk_net_return"])),
        ]
        for row in evaluation.to_dict(orient="records")
    ]
    return table(header, rows)


def _production_table(tuned: TunedThresholds) -> str:
    header = [
        *("Asset", "Rank from", "Floor", "Recall", "Signals", "Effective"),
        "Expectancy, bp",
    ]
    known = tuned.production
    rows: list[Row] = [
        [
            asset,
            decimals(known[asset]["rank_threshold"] or 0.0, 3),
            _floor(known[asset]["probability_floor"]),
            percent(known[asset]["recall"] or 0.0),
            f"{known[asset]['signals']:,}",
            decimals(known[asset]["effective_signals"] or 0.0, 1),
            number(f"{known[asset]['expectancy_bps']:+.1f}"),
        ]
        if asset in known
        else [asset, "no signal: the recall is out of reach", *[""] * 5]
        for asset in sorted(tuned.evaluation["asset"].unique())
    ]
    return table(header, rows)


def _floor(probability: float | None) -> str:
    if probability is None or probability == float("-inf"):
        return "off"
    return percent(probability)


def _rules_table(settings: TuningSettings) -> str:
    rows = {
        "Searched": f"rank from {settings.lowest_rank:g} to {settings.highest_rank:g}; "
        f"no floor, or one up to {100 * settings.highest_margin:g} points above the "
        f"base rate of the last {counted(settings.base_rate_days, 'day')}",
        "Value": "net return per signal, shrunk to always long with the weight of "
        f"{settings.prior_effective_signals:g} effective signals",
        "Effective signals": "hours covered by a signal's window, over the horizon of "
        f"{settings.label.horizon_bars} bars",
        "Recall": f"at least {percent(settings.recall_floor)}",
        "Trials": f"{settings.trials} a study, the first {settings.startup_trials} of "
        "them blind; seed " + str(settings.seed),
    }
    return table(
        ["Rule", "Value"], [[name, value] for name, value in rows.items()], css="facts"
    )
