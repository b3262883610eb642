"""How often signals were right, beside how often blind ones would have been."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREY,
    VERMILION,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)
from fleet_kedro.validation.telemetry import Telemetry

_MARKERS = {
    "base_rate": ("Base rate", GREY, "line-ns-open", 12),
    "volatility_precision": ("Volatility only", VERMILION, "diamond", 9),
    "precision": ("Brain", BLUE, "circle", 11),
}


def draw_precision(telemetry: Telemetry) -> go.Figure:
    """Draw three shares per asset, and their means, joined by a line."""
    table = _shares(telemetry)
    figure = blank_figure(
        "Precision beside what blind signals reach",
        "A blue dot right of the diamond knows more than when markets move.",
        height_for(len(table)),
    )
    names = label(table["asset"])
    _join(figure, names, table)
    for column, (title, colour, symbol, size) in _MARKERS.items():
        figure.add_scatter(
            x=table[column],
            y=names,
            name=title,
            mode="markers",
            marker={
                "color": colour,
                "symbol": symbol,
                "size": size,
                "line": {"color": colour, "width": 2},
            },
            hovertemplate="%{y}: %{x:.1%}<extra>" + title + "</extra>",
        )
    figure.update_xaxes(tickformat=".3~p", title_text="Share of rows that clear costs")
    figure.update_yaxes(autorange="reversed", type="category")
    if table["precision"].isna().all():
        say_there_is_nothing(figure, "The brain gave no signal.")
    return figure


def _shares(telemetry: Telemetry) -> pd.DataFrame:
    columns = ["asset", *_MARKERS]
    mean = pd.DataFrame([{**telemetry.overall[[*_MARKERS]], "asset": "Mean"}])
    return pd.concat([telemetry.assets[columns], mean[columns]], ignore_index=True)


def _join(figure: go.Figure, names: list[str], table: pd.DataFrame) -> None:
    """Lay a thin line from the lowest to the highest share of each row."""
    ends = table[list(_MARKERS)].agg(["min", "max"], axis="columns")
    x: list[float | None] = []
    y: list[str | None] = []
    for name, low, high in zip(names, ends["min"], ends["max"], strict=True):
        x += [low, high, None]
        y += [name, name, None]
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": "#D4DAE3", "width": 2},
        showlegend=False,
        hoverinfo="skip",
    )
