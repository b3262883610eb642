"""Panels side by side, one for each horizon of the forecasts."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fleet_kedro.reports.figures.theme import blank_figure, label


def horizon_panels(
    title: str,
    reading: str,
    height: int,
    horizons: Sequence[int],
    *,
    shared_rows: bool = True,
) -> go.Figure:
    """Return an empty figure with a panel per horizon, side by side."""
    return make_subplots(
        rows=1,
        cols=len(horizons),
        shared_yaxes=shared_rows,
        horizontal_spacing=0.06,
        column_titles=[f"{horizon} h ahead" for horizon in horizons],
        figure=blank_figure(title, reading, height),
    ).update_layout(
        legend={"yref": "container", "y": 0.01, "yanchor": "bottom"},
        margin_b=96,
    )


def named_rows(figure: go.Figure, assets: Sequence[str]) -> go.Figure:
    """Write each asset beside the height that is its place in the list."""
    return figure.update_yaxes(
        tickvals=list(range(len(assets))),
        ticktext=label(pd.Series(assets)),
        range=[len(assets) - 0.4, -0.6],
        zeroline=False,
    )


def legend(name: str, panel: int) -> dict[str, object]:
    """Name a trace once for all panels."""
    (shown,) = label(pd.Series([name]))
    return {"name": shown, "legendgroup": shown, "showlegend": panel == 1}
