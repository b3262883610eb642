"""What the brain gains over each rival and each ablation, with intervals."""

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
from fleet_kedro.validation.rivals import ALWAYS_LONG, BRAIN, BRAIN_IN_HINDSIGHT


def draw_gains(rivals: pd.DataFrame) -> go.Figure:
    """Draw the precision that the brain has above each other, a row per name."""
    itself = rivals["name"].isin([BRAIN, BRAIN_IN_HINDSIGHT, ALWAYS_LONG])
    others = rivals.loc[~itself]
    figure = blank_figure(
        "What the brain gains over each rival and each ablation",
        "Precision at as many signals, both picked in hindsight; an interval that "
        "holds zero is no difference.",
        height_for(len(others)),
    )
    gain = 100 * others["brain_gain"]
    tells = (others["brain_gain_low"] > 0) | (others["brain_gain_high"] < 0)
    figure.add_scatter(
        x=gain,
        y=label(others["name"]),
        mode="markers",
        marker={"color": [BLUE if told else GREY for told in tells], "size": 9},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": 100 * others["brain_gain_high"] - gain,
            "arrayminus": gain - 100 * others["brain_gain_low"],
            "color": GREY,
            "thickness": 1.6,
            "width": 4,
        },
        showlegend=False,
        hovertemplate="%{y}: %{x:+.1f} points<extra></extra>",
    )
    figure.add_vline(x=0, line={"color": "#6B7686", "width": 1.5})
    figure.update_xaxes(title_text="Percentage points", zeroline=False)
    figure.update_yaxes(autorange="reversed", type="category")
    if others["brain_gain"].isna().all():
        say_there_is_nothing(figure, "Nothing to compare without a signal.")
    return figure
