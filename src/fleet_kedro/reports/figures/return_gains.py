"""What tuned return thresholds gain, and what each study saw."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    CATEGORIES,
    GREY,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)
from fleet_kedro.signals.nested import PRODUCTION

_HEIGHT = 460
_SYMBOLS = ("circle", "diamond-open", "x", "square-open", "cross")


def draw_return_gains(comparison: pd.DataFrame) -> go.Figure:
    """Draw the gain per trade of each asset and the fleet, with its interval.

    ``comparison`` is as `compare_factors` leaves it.
    """
    figure = blank_figure(
        "What tuned return thresholds gain per trade",
        "On folds that they were not tuned on; an interval that holds zero is no "
        "difference.",
        height_for(max(len(comparison), 3)),
    )
    gain = 1e4 * comparison["gain"].astype("float64")
    low, high = (1e4 * comparison[f"gain_{end}"] for end in ("low", "high"))
    tells = (low > 0) | (high < 0)
    figure.add_scatter(
        x=gain,
        y=label(comparison["asset"]),
        mode="markers",
        marker={"color": [BLUE if told else GREY for told in tells], "size": 9},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - gain,
            "arrayminus": gain - low,
            "color": GREY,
            "thickness": 1.6,
            "width": 4,
        },
        showlegend=False,
        hovertemplate="%{y}: %{x:+.1f} bp<extra></extra>",
    )
    figure.add_vline(x=0, line={"color": "#6B7686", "width": 1.5})
    figure.update_xaxes(title_text="Basis points per trade", zeroline=False)
    figure.update_yaxes(autorange="reversed", type="category")
    if not np.isfinite(gain).any():
        say_there_is_nothing(figure, "Nothing to compare: no fold could be tuned for.")
    return figure


def draw_return_searches(trials: pd.DataFrame) -> go.Figure:
    """Draw what each factor was worth to each asset's study for production.

    ``trials`` are as `tune_returns` leaves them.
    """
    figure = blank_figure(
        "What each threshold was worth",
        "Shrunk net return per trade by the factor on the default threshold, one line "
        "an asset; dotted where a factor catches too little of what paid. These very "
        "trades chose, so they promise nothing.",
        _HEIGHT,
    )
    own = trials.loc[trials["fold"] == PRODUCTION].sort_values(["asset", "factor"])
    for place, (asset, study) in enumerate(own.groupby("asset")):
        # More assets than colours: what shares a colour has another marker.
        again, colour = divmod(place, len(CATEGORIES))
        name = label(pd.Series([asset]))[0]
        reached = study["value"].where(study["is_feasible"])
        figure.add_scatter(
            x=study["factor"],
            y=study["value"],
            mode="lines",
            line={"color": GREY, "width": 1, "dash": "dot"},
            showlegend=False,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=study["factor"],
            y=reached,
            mode="lines+markers",
            line={"color": CATEGORIES[colour]},
            marker={"size": 6, "symbol": _SYMBOLS[again % len(_SYMBOLS)]},
            name=name,
            hovertemplate="%{x:.2f}: %{y:+.2%}<extra>" + name + "</extra>",
        )
    figure.add_vline(x=1.0, line={"color": "#6B7686", "width": 1.5, "dash": "dash"})
    figure.update_xaxes(
        title_text="Factor on the default threshold",
        type="log",
        tickvals=[0.25, 0.5, 1, 2, 4, 8],
    )
    figure.update_yaxes(title_text="Value", tickformat="+.2%")
    if own.empty:
        say_there_is_nothing(figure, "Nothing was tuned: no return is expected.")
    return figure
