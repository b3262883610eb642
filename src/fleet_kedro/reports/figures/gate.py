"""Whom the brain listens to, asset by asset and in which market."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    CATEGORIES,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)
from fleet_kedro.validation.gate_regimes import (
    FLEET,
    KEYS,
    REGIMES,
    REVERTING_BELOW,
    TRENDING_ABOVE,
)

CONTRASTED = ("BTC", "DOGE")
"""The steadiest and the wildest of the default fleet."""


def draw_gate(gate: pd.DataFrame) -> go.Figure:
    """Draw mean gate weights: a bar per asset, a part of it per expert.

    ``gate`` holds ``asset`` and a column per expert; the columns add up to one.
    """
    figure = blank_figure(
        "Whom the brain listens to, asset by asset",
        "Bars that differ mean that the gate treats assets differently.",
        height_for(len(gate)),
    )
    return _stacked(figure, gate.drop(columns="asset"), label(gate["asset"]))


def draw_gate_regimes(gate_regimes: pd.DataFrame) -> go.Figure:
    """Draw mean gate weights by regime: the fleet, and the two contrasted assets.

    ``gate_regimes`` is laid out by ``gate_by_regime``.
    """
    told = contrasted(gate_regimes)
    figure = blank_figure(
        "Whom the brain listens to, market by market",
        f"Mean-reverting: Hurst exponent below {REVERTING_BELOW}; trending: above "
        f"{TRENDING_ABOVE}; random walk: between; tipping: the stability warning is "
        "up. All known when the forecast is made.",
        height_for(len(told)),
    )
    if told.empty:
        return say_there_is_nothing(figure, "There is no forecast.")
    weights = told.drop(columns=KEYS)
    return _stacked(figure, weights, label(told["regime"] + ", " + told["asset"]))


def contrasted(gate_regimes: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the fleet and of the contrasted assets, in the same order."""
    shown = gate_regimes["asset"].isin([FLEET, *CONTRASTED])
    return gate_regimes.loc[shown].reset_index(drop=True)


def contrast(gate_regimes: pd.DataFrame) -> pd.DataFrame:
    """Subtract the second contrasted asset's weights from the first one's.

    Returns
    -------
    pandas.DataFrame
        ``regime`` and a column per expert, a row per regime that both have seen.
    """
    first, second = (
        gate_regimes.loc[gate_regimes["asset"] == asset]
        .set_index("regime")
        .drop(columns=["asset", "rows"])
        for asset in CONTRASTED
    )
    both = [name for name in REGIMES if name in first.index and name in second.index]
    return (first.loc[both] - second.loc[both]).reset_index()


def _stacked(
    figure: go.Figure, weights: pd.DataFrame, names: Sequence[str]
) -> go.Figure:
    """Draw a bar per name, a part of it per expert."""
    for place, expert in enumerate(weights.columns):
        figure.add_bar(
            x=weights[expert],
            y=names,
            orientation="h",
            name=expert,
            marker={
                "color": CATEGORIES[place % len(CATEGORIES)],
                "line": {"color": "#FFFFFF", "width": 1},
            },
            text=[f"{weight:.0%}" for weight in weights[expert]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertemplate="%{y}: %{x:.1%}<extra>" + str(expert) + "</extra>",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        legend_traceorder="normal",
        xaxis={"tickformat": ".0%", "range": [0, 1], "title_text": "Mean gate weight"},
        yaxis={"autorange": "reversed", "type": "category"},
        uniformtext={"minsize": 10, "mode": "hide"},
    )
    return figure
