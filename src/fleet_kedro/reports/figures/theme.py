"""One look for all figures: light, quiet, and readable without seeing every hue.

The colours are those of Okabe and Ito (2008), made to be told apart by colour-blind
readers; wherever colour tells things apart, a marker or a place does so too.
"""

import html

import pandas as pd
import plotly.graph_objects as go

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
ORANGE = "#E69F00"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
GREY = "#8A94A3"
INK = "#1F2937"
_FAINT = "#E5E9EF"
_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif'

CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, GREY)

_AXIS = {
    "gridcolor": _FAINT,
    "linecolor": "#C9D0DA",
    "zerolinecolor": "#9AA3B2",
    "zerolinewidth": 1,
    "automargin": True,
    "title": {"standoff": 10, "font": {"size": 13}},
}
_TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": _FONT, "size": 13, "color": INK},
        "title": {
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 16},
            "font": {"size": 17},
            "subtitle": {"font": {"size": 13, "color": "#5B6676"}},
        },
        "paper_bgcolor": "#FFFFFF",
        "plot_bgcolor": "#FFFFFF",
        "colorway": CATEGORIES,
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        "margin": {"l": 16, "r": 24, "t": 110, "b": 16},
        "hoverlabel": {"bgcolor": "#FFFFFF", "font": {"family": _FONT, "color": INK}},
    }
)


def blank_figure(title: str, reading: str, height: int) -> go.Figure:
    """Return an empty figure with a title and a line that says how to read it."""
    return go.Figure(
        layout={
            "template": _TEMPLATE,
            "title": {"text": title, "subtitle": {"text": reading}},
            "height": height,
        }
    )


def height_for(n_rows: int) -> int:
    """Return the height, in pixels, of a figure with that many horizontal rows."""
    return 200 + 30 * n_rows


def label(names: pd.Series) -> list[str]:
    """Return names as text: a figure would take a ``<`` in them for a tag."""
    return [html.escape(str(name), quote=False) for name in names]


def say_there_is_nothing(figure: go.Figure, what: str) -> go.Figure:
    """Write in the middle of an empty figure why it is empty."""
    return figure.add_annotation(
        text=what,
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 15, "color": "#5B6676"},
        bgcolor="#FFFFFF",
        borderpad=8,
    )
