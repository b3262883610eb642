"""The brain among those it has to beat."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREY,
    blank_figure,
    height_for,
    label,
)
from fleet_kedro.validation.rivals import BRAIN


def draw_rivals(rivals: pd.DataFrame) -> go.Figure:
    """Draw mean precision and mean net return, a row per rival, side by side."""
    figure = blank_figure(
        "The brain and its rivals, at as many signals each",
        "Rivals may pick their signals with hindsight; the brain may not.",
        height_for(len(rivals)),
    )
    names = label(rivals["name"])
    is_brain = (rivals["name"] == BRAIN).to_numpy()
    colours = [BLUE if own else GREY for own in is_brain]
    symbols = ["circle" if own else "circle-open" for own in is_brain]
    for axis, values, unit in (
        ("x", rivals["precision"], "%{x:.1%}"),
        ("x2", 1e4 * rivals["net_return"], "%{x:+.1f} bp"),
    ):
        figure.add_scatter(
            x=values,
            y=names,
            xaxis=axis,
            yaxis="y",
            mode="markers",
            marker={
                "color": colours,
                "symbol": symbols,
                "size": 10,
                "line": {"color": colours, "width": 2},
            },
            showlegend=False,
            hovertemplate="%{y}: " + unit + "<extra></extra>",
        )
    figure.update_layout(
        xaxis={"domain": [0, 0.47], "tickformat": ".3~p", "title_text": "Precision"},
        xaxis2={
            "domain": [0.53, 1],
            "anchor": "y",
            "title_text": "Net return per signal, bp",
        },
        yaxis={"autorange": "reversed", "type": "category"},
    )
    return figure
