"""Whom the brain listens to, asset by asset."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    CATEGORIES,
    blank_figure,
    height_for,
    label,
)


def draw_gate(gate: pd.DataFrame) -> go.Figure:
    """Draw mean gate weights: a bar per asset, a part of it per expert.

    ``gate`` holds ``asset`` and a column per expert; the columns add up to one.
    """
    figure = blank_figure(
        "Whom the brain listens to, asset by asset",
        "Bars that differ mean that the gate treats assets differently.",
        height_for(len(gate)),
    )
    experts = [name for name in gate.columns if name != "asset"]
    for place, expert in enumerate(experts):
        figure.add_bar(
            x=gate[expert],
            y=label(gate["asset"]),
            orientation="h",
            name=expert,
            marker={
                "color": CATEGORIES[place % len(CATEGORIES)],
                "line": {"color": "#FFFFFF", "width": 1},
            },
            text=[f"{weight:.0%}" for weight in gate[expert]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertemplate="%{y}: %{x:.1%}<extra>" + expert + "</extra>",
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
