"""How near the brain's lift comes to the best that a synthetic market allows."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREY,
    INK,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)

_KINDS = {
    "lift": ("Brain", BLUE, "circle", "expected_efficiency"),
    "hindsight_lift": (
        "Brain in hindsight",
        BLUE,
        "circle-open",
        "expected_hindsight_efficiency",
    ),
    "bayes_lift": ("Best possible", INK, "diamond-open", None),
}


def draw_efficiency(efficiency: pd.DataFrame) -> go.Figure:
    """Draw the brain's lift beside the best possible one, a row per regime and all.

    ``efficiency`` is as ``planted_efficiency`` returns it.
    """
    figure = blank_figure(
        "The brain beside the best possible forecast",
        "The best possible one also knows the volatility and the trends to come; only "
        "luck gets beyond it.",
        height_for(len(efficiency)) + 20,
    )
    names = label(efficiency["regime"])
    _reach(figure, names, efficiency["bayes_lift"])
    for column, (title, colour, symbol, share) in _KINDS.items():
        figure.add_scatter(
            x=100 * efficiency[column],
            y=names,
            name=title,
            mode="markers",
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 10,
                "line": {"color": colour, "width": 2},
            },
            customdata=efficiency[share] if share else None,
            hovertemplate="%{y}: %{x:+.1f} points"
            + (", expected efficiency %{customdata:.0%}" if share else "")
            + f"<extra>{title}</extra>",
        )
    figure.add_vline(x=0, line={"color": "#6B7686", "width": 1.5})
    figure.update_xaxes(title_text="Lift, percentage points", zeroline=False)
    figure.update_yaxes(autorange="reversed", type="category")
    if efficiency.empty:
        say_there_is_nothing(figure, "Nobody knows the best forecast of real candles.")
    elif efficiency["lift"].isna().all():
        say_there_is_nothing(figure, "No lift without a signal.")
    return figure


def _reach(figure: go.Figure, names: list[str], best: pd.Series) -> None:
    """Lay a bar from nothing to the best lift behind each row."""
    figure.add_bar(
        x=100 * best,
        y=names,
        orientation="h",
        width=0.5,
        marker={"color": GREY, "opacity": 0.18},
        showlegend=False,
        hoverinfo="skip",
    )
