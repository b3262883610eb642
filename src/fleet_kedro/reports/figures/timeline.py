"""Which past each fold learnt from, and which future it was asked about."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    SKY,
    VERMILION,
    blank_figure,
    height_for,
)

_SPANS = (
    ("Training", "train_start", "train_end", SKY),
    ("Purge and embargo", "train_end", "validation_start", VERMILION),
    ("Validation", "validation_start", "validation_end", BLUE),
)


def draw_timeline(folds: pd.DataFrame) -> go.Figure:
    """Draw the spans of each scored fold along the clock.

    Spans are half open and named by open times (UTC). The gap between training and
    validation is empty on purpose; it is often thinner than a line, hence the numbers
    on hovering.
    """
    figure = blank_figure(
        "Folds: learn from the past, forecast the next span",
        "All assets share these spans. Nothing is learnt in the gap before a forecast.",
        height_for(len(folds)),
    )
    names = [f"Fold {number}" for number in folds["fold"]]
    for title, start, end, colour in _SPANS:
        length = folds[end] - folds[start]
        figure.add_bar(
            base=folds[start].dt.tz_localize(None),
            x=1e3 * length.dt.total_seconds(),
            y=names,
            orientation="h",
            name=title,
            marker={"color": colour},
            customdata=[
                f"{_day(first)} to {_day(last)}, {hours:,.0f} h"
                for first, last, hours in zip(
                    folds[start],
                    folds[end],
                    length.dt.total_seconds() / 3600,
                    strict=True,
                )
            ],
            hovertemplate="%{y}: %{customdata}<extra>" + title + "</extra>",
        )
    figure.update_layout(
        barmode="overlay",
        bargap=0.4,
        xaxis={"type": "date"},
        yaxis={"autorange": "reversed", "type": "category"},
    )
    return figure


def _day(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
