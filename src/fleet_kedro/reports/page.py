"""One validation as one HTML file that needs nothing but a browser.

Everything is inside: style sheet, tables, the plotting library, the figures. A policy
in the head forbids the browser to fetch anything, and nothing depends on when or where
the page was made, so the same run gives the same bytes.
"""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports import page_tables as tables
from fleet_kedro.reports.document import card_row, document, figure_block
from fleet_kedro.reports.facts import RunFacts
from fleet_kedro.reports.markup import escape, paragraph, section
from fleet_kedro.reports.page_sections import (
    brain_sections,
    outcome_sections,
    scrutiny_sections,
)
from fleet_kedro.reports.scrutiny import Scrutiny
from fleet_kedro.reports.units import (
    NO_VALUE,
    basis_points,
    counted,
    decimals,
    interval,
    percent,
    points,
)
from fleet_kedro.reports.verification import meaning, verdict_word
from fleet_kedro.validation.rivals import ALWAYS_LONG, BRAIN, VOLATILITY_ONLY
from fleet_kedro.validation.telemetry import Telemetry
from fleet_kedro.validation.verdict import Verdict

_TERMS = {
    "Base rate": (
        "The share of all rows whose trade clears its costs. A signal that knows "
        "nothing is right this often, so a precision means nothing without it."
    ),
    "Lift": "Precision minus base rate, in percentage points.",
    "Volatility-only model": (
        "A rival that sees trailing volatility, volume, the hour and the asset, but no "
        "direction. A wild hour clears a fixed cost more often than a quiet one, so "
        "knowing when markets move lifts precision without knowing where to. It gets "
        "as many signals as the brain in every fold and asset, and may pick them with "
        "hindsight. Only what the brain adds to its precision is direction."
    ),
    "Net per signal": (
        "Expectancy: the mean return that the signalled trades realised from the next "
        "open over the horizon, minus the round-trip cost, in basis points. It is "
        "measured trade by trade, never derived from a hit rate and assumed gains and "
        "losses, which would pay even a coin."
    ),
    "Interval": (
        "Labels of neighbouring hours overlap and assets move together, so whole days "
        "of all assets are drawn in blocks. The lift over the volatility-only model "
        "and the net return are coloured where their interval lies on one side of zero."
    ),
    "n/a": "There was no signal, so there is nothing to be right or wrong about.",
}


def render_page(
    folds: pd.DataFrame,
    telemetry: Telemetry,
    scrutiny: Scrutiny,
    verdict: Verdict,
    facts: RunFacts,
    figures: Mapping[str, go.Figure],
) -> str:
    """Write the whole report, verdict first.

    Parameters
    ----------
    folds
        A row per scored fold, as a walk leaves them.
    figures
        As ``draw_figures`` names them.
    """
    drawn = {name: figure_block(name, figure) for name, figure in figures.items()}
    body = [
        _head(facts),
        _verdict(verdict),
        _cards(telemetry),
        _reading(),
        *outcome_sections(folds, telemetry, drawn),
        *scrutiny_sections(telemetry, scrutiny, drawn),
        *brain_sections(telemetry, drawn),
        section("facts", "The run", tables.facts_table(facts)),
    ]
    return document(
        "\n".join(body), f"Global fleet validation: {verdict_word(verdict)}"
    )


def _head(facts: RunFacts) -> str:
    assets = counted(len(facts.assets), "asset")
    folds = counted(facts.walk.folds, "purged walk-forward fold")
    lead = (
        f"One brain on {assets}, {facts.start:%Y-%m-%d} to {facts.end:%Y-%m-%d}, "
        f"{folds}, horizon {facts.label.horizon_bars} h. Candles: {facts.source}."
    )
    left_out = "".join(paragraph(reason, "note") for reason in facts.left_out.values())
    return (
        "<header>\n<h1>Global fleet validation</h1>\n"
        f"{paragraph(lead, 'lead')}\n{left_out}</header>"
    )


def _verdict(verdict: Verdict) -> str:
    word = verdict_word(verdict)
    return (
        f'<div class="verdict {word.lower()}" id="verdict">\n'
        f'<div class="word">{word}</div>\n'
        f"{paragraph(meaning(verdict), 'sentence')}\n"
        f"{tables.criteria_table(verdict)}\n</div>"
    )


def _cards(telemetry: Telemetry) -> str:
    overall, assets = telemetry.overall, telemetry.assets
    rivals = {row["name"]: row for row in telemetry.rivals.to_dict(orient="records")}
    rows = int(assets["rows"].sum())
    cards = [
        (
            "Mean precision",
            percent(overall["precision"]),
            f"base rate {percent(overall['base_rate'])}, volatility only "
            f"{percent(overall['volatility_precision'])}",
        ),
        (
            "Lift over volatility only",
            _measured(points(overall["lift_over_volatility"]), "points"),
            _beside(overall, "lift_over_volatility", "nothing known: 0"),
        ),
        (
            "Net return per signal",
            _measured(basis_points(overall["net_return"]), "bp"),
            _beside(
                overall,
                "net_return",
                f"always long {basis_points(rivals[ALWAYS_LONG]['net_return'])}",
            ),
        ),
        (
            "Signals",
            f"{int(assets['signals'].sum()):,}",
            f"of {rows:,} rows; recall {percent(overall['recall'])}",
        ),
        (
            "AUC",
            decimals(rivals[BRAIN]["auc"], 3),
            f"coin 0.500, volatility only "
            f"{decimals(rivals[VOLATILITY_ONLY]['auc'], 3)}",
        ),
    ]
    return card_row(cards)


def _measured(written: str, unit: str) -> str:
    return written if written == NO_VALUE else f"{written} {unit}"


def _beside(overall: pd.Series, name: str, null: str) -> str:
    write = points if name.startswith("lift") else basis_points
    span = interval(overall[f"{name}_low"], overall[f"{name}_high"], write)
    return f"{span or NO_VALUE}; {null}"


def _reading() -> str:
    terms = "\n".join(
        f"<div><dt>{escape(term)}</dt><dd>{escape(says)}</dd></div>"
        for term, says in _TERMS.items()
    )
    return section("reading", "How to read this", f"<dl>\n{terms}\n</dl>")
