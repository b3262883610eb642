"""On which days each asset has all of its candles, and on which it has not."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import (
    BLUE,
    ORANGE,
    VERMILION,
    blank_figure,
    height_for,
    label,
)

HOURS_PER_DAY = 24
# No candle, some, all but a few, all: a step each, so that one missing hour is seen.
_SCALE = [
    *([0.0, "#FFFFFF"], [0.02, "#FFFFFF"]),
    *([0.02, VERMILION], [0.75, ORANGE]),
    *([0.98, ORANGE], [0.98, BLUE], [1.0, BLUE]),
]


def draw_coverage(coverage: pd.DataFrame) -> go.Figure:
    """Draw a calendar: a row for each asset, a cell for each day (UTC).

    The first and the last day are seldom whole. Days on which the exchange as a whole
    was down say so on hovering.
    """
    candles, outages = (
        coverage.pivot_table(index="asset", columns="day", values=name)
        for name in ("candles", "outage_hours")
    )
    figure = blank_figure(
        "Coverage: hours of each day that have a candle",
        "Blue is a whole day, orange and red lack hours, white has none.",
        height_for(len(candles)),
    )
    figure.add_heatmap(
        x=pd.DatetimeIndex(candles.columns).tz_localize(None),
        y=label(candles.index.to_series()),
        z=candles.to_numpy(dtype="int64"),
        customdata=outages.to_numpy(dtype="int64"),
        zmin=0,
        zmax=HOURS_PER_DAY,
        colorscale=_SCALE,
        colorbar={"title": {"text": "hours"}, "tickvals": [0, 6, 12, 18, 24]},
        xgap=0,
        ygap=2,
        hovertemplate="%{y}, %{x|%Y-%m-%d}: %{z} of 24 hours, the exchange down for "
        "%{customdata}<extra></extra>",
    )
    return figure.update_layout(
        xaxis={"type": "date"}, yaxis={"autorange": "reversed", "type": "category"}
    )
