"""What the brain adds to blind signals, and how sure that is."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREY,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)
from fleet_kedro.validation.telemetry import Telemetry

_KINDS = {
    "lift": ("Over the base rate", GREY, "circle-open", -0.14),
    "lift_over_volatility": ("Over the volatility-only model", BLUE, "circle", 0.14),
}


def draw_lift(telemetry: Telemetry) -> go.Figure:
    """Draw both lifts with their bootstrap intervals, a row per asset and the mean."""
    table = _lifts(telemetry)
    figure = blank_figure(
        "Lift, with bootstrap intervals",
        "Only a blue interval that lies right of zero is knowledge of direction.",
        height_for(len(table)) + 40,
    )
    for column, (title, colour, symbol, offset) in _KINDS.items():
        value = 100 * table[column]
        figure.add_scatter(
            x=value,
            y=[place + offset for place in range(len(table))],
            name=title,
            mode="markers",
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 9,
                "line": {"color": colour, "width": 2},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": 100 * table[f"{column}_high"] - value,
                "arrayminus": value - 100 * table[f"{column}_low"],
                "color": colour,
                "thickness": 1.6,
                "width": 4,
            },
            customdata=label(table["asset"]),
            hovertemplate="%{customdata}: %{x:+.1f} points<extra>" + title + "</extra>",
        )
    figure.add_vline(x=0, line={"color": "#6B7686", "width": 1.5})
    figure.update_xaxes(title_text="Percentage points", zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(table))),
        ticktext=label(table["asset"]),
        range=[len(table) - 0.4, -0.6],
        zeroline=False,
    )
    if table["lift"].isna().all():
        say_there_is_nothing(figure, "No lift without a signal.")
    return figure


def _lifts(telemetry: Telemetry) -> pd.DataFrame:
    measured = [name + end for name in _KINDS for end in ("", "_low", "_high")]
    mean = pd.DataFrame([{**telemetry.overall[measured], "asset": "Mean"}])
    columns = ["asset", *measured]
    return pd.concat([telemetry.assets[columns], mean[columns]], ignore_index=True)
