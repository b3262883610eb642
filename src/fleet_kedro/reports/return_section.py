"""The part of the tuning's page that tells of thresholds on expected returns."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from fleet_kedro.reports.document import figure_block
from fleet_kedro.reports.figures.return_gains import (
    draw_return_gains,
    draw_return_searches,
)
from fleet_kedro.reports.markup import Cell, Row, number, paragraph, section, table
from fleet_kedro.reports.units import (
    NO_VALUE,
    basis_points,
    decimals,
    interval,
    percent,
)
from fleet_kedro.signals.comparison import FLEET
from fleet_kedro.signals.return_thresholds import WHY, ReturnThreshold
from fleet_kedro.signals.return_tuning import FactorSearch


class TunedReturns(NamedTuple):
    """What the section tells.

    Attributes
    ----------
    trials
        As `tune_returns` leaves them.
    production
        As `production_returns` leaves it.
    comparison
        As `compare_factors` leaves it: on folds that were not tuned on.
    search
        Which factors were tried.
    """

    trials: pd.DataFrame
    production: Mapping[str, ReturnThreshold]
    comparison: pd.DataFrame
    search: FactorSearch


def return_lines(comparison: pd.DataFrame) -> list[str]:
    """Say what trades of tuned thresholds earned beside those of the default ones."""
    title = "RETURN THRESHOLDS (judged on folds they were not tuned on)"
    if comparison.empty:
        return ["", title, "One fold can be traded: there is nothing to judge them on."]
    if not comparison[["tuned_signals", "default_signals"]].to_numpy().any():
        return [
            "",
            title,
            "Nothing was expected to be worth a trade: all defaults stay.",
        ]
    return ["", title] + [
        f"{row['asset']:<6} tuned {basis_points(row['tuned_net_return']):>7} bp, "
        f"default {basis_points(row['default_net_return']):>7} bp, "
        f"gain {basis_points(row['gain']):>6} {_span(row)}".rstrip()
        for row in comparison.to_dict(orient="records")
    ]


def return_section(told: TunedReturns) -> str:
    """Write the section: what was chosen, beside what it came to out of sample."""
    search = told.search
    return section(
        "returns",
        "Thresholds on expected returns",
        paragraph(
            "From which expected return on a trade is entered. Tuned is a factor on "
            f"the default threshold, from {search.lowest_factor:g} to "
            f"{search.highest_factor:g}, by the same rules as below; the thresholds "
            "are those of the last forecast. Net return and gain are per trade, on "
            "folds whose thresholds were tuned on earlier ones; the gain is coloured "
            "where its interval lies on one side of zero.",
            "note",
        ),
        _table(told),
        figure_block("return-gains", draw_return_gains(told.comparison)),
        figure_block("return-searches", draw_return_searches(told.trials)),
    )


def _table(told: TunedReturns) -> str:
    header = [
        *("Asset", "Default", "Factor", "Tuned", "How", "Trades, tuned"),
        *("Trades, default", "Net, tuned, bp", "Net, default, bp", "Gain, bp"),
    ]
    judged = {row["asset"]: row for row in told.comparison.to_dict(orient="records")}
    rows: list[Row] = [
        [asset, *_chosen(own), *_measured(judged.get(asset))]
        for asset, own in sorted(told.production.items())
    ]
    if FLEET in judged:
        rows.append([FLEET, "", "", "", "", *_measured(judged[FLEET])])
    css = "numbers totalled" if FLEET in judged else "numbers"
    return table(header, rows, css=css)


def _chosen(own: ReturnThreshold) -> list[str | Cell]:
    default = own.default_threshold
    if default is None:
        return [NO_VALUE, NO_VALUE, NO_VALUE, WHY[own.outcome]]
    if own.factor is None:
        return [percent(default, 2), "1.00", percent(default, 2), WHY[own.outcome]]
    return [
        percent(default, 2),
        decimals(own.factor, 2),
        percent(own.factor * default, 2),
        WHY[own.outcome],
    ]


def _measured(row: Mapping[Hashable, Any] | None) -> list[str | Cell]:
    if row is None:
        return [NO_VALUE] * 5
    tone = ""
    if row["gain_low"] > 0:
        tone = "good"
    elif row["gain_high"] < 0:
        tone = "bad"
    return [
        f"{row['tuned_signals']:,}",
        f"{row['default_signals']:,}",
        number(basis_points(row["tuned_net_return"])),
        number(basis_points(row["default_net_return"])),
        number(basis_points(row["gain"]), _span(row), tone),
    ]


def _span(row: Mapping[Hashable, Any]) -> str:
    return interval(row["gain_low"], row["gain_high"], basis_points)
