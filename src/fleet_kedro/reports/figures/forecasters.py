"""What the forecasters know, whom the ensemble hears, and whether intervals hold."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    blank_figure,
    height_for,
    label,
    say_there_is_nothing,
)
from fleet_kedro.validation.forecast_telemetry import ENSEMBLE, ZERO

_BINS = 10
_NORMAL_90 = 1.645  # standard errors on either side of a 90 % interval
_LINE = {"color": "#6B7686", "width": 1.5}
_COVERAGES = {
    "All hours": ("coverage", BLUE, "circle", 0.0),
    "Wildest tenth": ("coverage_wild", VERMILION, "triangle-up", -0.2),
    "Calmest tenth": ("coverage_calm", GREEN, "triangle-down", 0.2),
}


class _Look(NamedTuple):
    """How one model is told from the others: no two share both colour and shape."""

    colour: str
    symbol: str
    pattern: str


_ENSEMBLE_LOOK = _Look(BLUE, "circle", "")
_ZERO_LOOK = _Look("#D5DAE1", "circle-open", "")
_LOOKS = tuple(
    map(
        _Look,
        (VERMILION, ORANGE, GREEN, PURPLE, SKY, GREY, "#8C6D31"),
        ("square", "diamond", "triangle-up", "x", "cross", "star", "pentagon"),
        ("/", "", ".", "x", "-", "\\", "+"),
    )
)


def draw_forecasters(
    telemetry: pd.DataFrame,
    production: pd.DataFrame,
    forecasts: Mapping[str, pd.DataFrame],
    coverage: float,
) -> dict[str, go.Figure]:
    """Draw every figure of the page, by name.

    Parameters
    ----------
    telemetry
        Rows of all assets, as `measure_forecasters` leaves them.
    production
        Weights of all assets, as `walk_ensemble` leaves them, with ``asset``.
    forecasts
        By asset, the ensemble's forecasts as `walk_ensemble` leaves them.
    coverage
        How often the intervals should hold, a fraction.
    """
    return {
        "skill": draw_skill(telemetry),
        "weights": draw_weights(production),
        "intervals": draw_intervals(telemetry, coverage),
        "outcomes": draw_outcomes(forecasts, _unique(telemetry["horizon"])),
    }


def draw_skill(telemetry: pd.DataFrame) -> go.Figure:
    """Draw everyone's skill with its interval, a row per asset, a panel per horizon."""
    shown = telemetry.loc[telemetry["model"] != ZERO]
    looks = _looks(shown["model"])
    assets = _unique(shown["asset"])
    figure = _panels(
        "Skill by asset and model, with bootstrap intervals",
        "Share of the zero forecast's RMSE that is saved. An interval that holds zero "
        "is no skill; left of zero, saying nothing would have been better.",
        180 + len(assets) * (30 + 12 * len(looks)),
        _unique(telemetry["horizon"]),
    )
    for panel, (_, own) in enumerate(shown.groupby("horizon"), start=1):
        for place, (model, look) in enumerate(looks.items()):
            rows = own.loc[own["model"] == model]
            offset = 0.8 * ((place + 0.5) / len(looks) - 0.5)
            heights = [assets.index(asset) + offset for asset in rows["asset"]]
            figure.add_trace(_skill_dots(rows, heights, look, panel), 1, panel)
        figure.add_vline(x=0, line=_LINE, row=1, col=panel)
    figure.update_xaxes(title_text="Skill", tickformat="+.2~%", zeroline=False)
    return _named_rows(figure, assets)


def draw_weights(production: pd.DataFrame) -> go.Figure:
    """Draw how the weights for production share one, a bar per asset and horizon."""
    prefix = "weight_"
    members = [
        name.removeprefix(prefix)
        for name in production.columns
        if name.startswith(prefix) and name != f"{prefix}{ZERO}"
    ]
    looks = {**_looks(pd.Series(members)), ZERO: _ZERO_LOOK}
    figure = _panels(
        "Whom the ensemble hears",
        "Weights for production. What no model has earned is the zero forecast's.",
        height_for(production["asset"].nunique()) + 60,
        _unique(production["horizon"]),
    )
    for panel, (_, rows) in enumerate(production.groupby("horizon"), start=1):
        for model, look in looks.items():
            bar = go.Bar(
                x=rows[f"{prefix}{model}"],
                y=label(rows["asset"]),
                orientation="h",
                marker={"color": look.colour, "pattern": {"shape": look.pattern}},
                hovertemplate="%{y}: %{x:.1%}",
                **_legend(model, panel),
            )
            figure.add_trace(bar, 1, panel)
    figure.update_xaxes(title_text="Weight", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(autorange="reversed", type="category")
    return figure.update_layout(barmode="stack")


def draw_intervals(telemetry: pd.DataFrame, coverage: float) -> go.Figure:
    """Draw how often intervals held: always, and at both ends of volatility."""
    own = telemetry.loc[telemetry["model"] == ENSEMBLE]
    assets = _unique(own["asset"])
    figure = _panels(
        "How often the intervals held",
        f"Promised: {coverage:.0%}, the dotted line. Wildest and calmest are the "
        "tenths of the hours with the highest and the lowest volatility.",
        height_for(len(assets)) + 80,
        _unique(telemetry["horizon"]),
    )
    for panel, (_, rows) in enumerate(own.groupby("horizon"), start=1):
        for title, (column, colour, symbol, offset) in _COVERAGES.items():
            dots = go.Scatter(
                x=rows[column],
                y=[assets.index(asset) + offset for asset in rows["asset"]],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 10},
                customdata=label(rows["asset"]),
                hovertemplate="%{customdata}: %{x:.1%}",
                **_legend(title, panel),
            )
            figure.add_trace(dots, 1, panel)
        figure.add_vline(x=coverage, line={**_LINE, "dash": "dot"}, row=1, col=panel)
    figure.update_xaxes(title_text="Share of outcomes inside", tickformat=".1~%")
    return _named_rows(figure, assets)


def draw_outcomes(
    forecasts: Mapping[str, pd.DataFrame], horizons: Sequence[int]
) -> go.Figure:
    """Draw the ensemble's forecasts against what came of them, all assets pooled."""
    figure = _panels(
        "Forecast against outcome",
        "Means of tenths of the ensemble's forecasts that are not zero, with 90 % "
        "intervals from whole days. On the dotted line a forecast means what it says.",
        480,
        horizons,
        shared_rows=False,
    )
    pooled = pd.concat(forecasts.values(), ignore_index=True)
    for panel, horizon in enumerate(horizons, start=1):
        curve = outcome_curve(pooled.loc[pooled["fold"] >= 1], horizon)
        if not curve.empty:
            for trace in _curve_traces(curve, panel):
                figure.add_trace(trace, 1, panel)
    figure.update_xaxes(title_text="Mean forecast, bp")
    figure.update_yaxes(title_text="Mean outcome, bp", col=1)
    if not figure.data:
        say_there_is_nothing(figure, "The ensemble said zero at every hour.")
    return figure


def outcome_curve(
    rows: pd.DataFrame, horizon: int, n_bins: int = _BINS
) -> pd.DataFrame:
    """Compare forecasts with outcomes, in bins of about equal counts.

    Returns
    -------
    pandas.DataFrame
        Per bin, lowest forecasts first: mean ``forecast`` and ``outcome`` and half of
        the outcome's 90 % interval, ``margin``, all in basis points, and ``rows``. The
        rows of a day, of all assets, count as one observation: their outcomes overlap,
        and assets move together. Empty where every forecast is zero or unknown.
    """
    said = rows[f"forecast_{horizon}h"]
    came = rows[f"forward_log_return_{horizon}h"]
    is_told = (said != 0) & said.notna() & came.notna()
    table = pd.DataFrame(
        {
            "forecast": 1e4 * said[is_told],
            "outcome": 1e4 * came[is_told],
            "day": rows.loc[is_told, "timestamp"].dt.floor("D"),
        }
    )
    place = (table["forecast"].rank(method="average") - 0.5) / max(len(table), 1)
    bins = np.floor(place * n_bins).astype(int)
    return pd.DataFrame(
        [
            {
                "forecast": own["forecast"].mean(),
                "outcome": own["outcome"].mean(),
                "margin": _NORMAL_90 * _error_of_mean(own),
                "rows": len(own),
            }
            for _, own in table.groupby(bins)
        ],
        columns=["forecast", "outcome", "margin", "rows"],
    )


def _error_of_mean(own: pd.DataFrame) -> float:
    """Return the standard error of the mean outcome, days being independent."""
    away = own["outcome"] - own["outcome"].mean()
    daily = away.groupby(own["day"]).sum().to_numpy()
    return float(np.sqrt(np.sum(daily**2))) / len(own)


def _skill_dots(
    rows: pd.DataFrame, heights: Sequence[float], look: _Look, panel: int
) -> go.Scatter:
    return go.Scatter(
        x=rows["skill"],
        y=heights,
        mode="markers",
        marker={"color": look.colour, "symbol": look.symbol, "size": 8},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["skill_high"] - rows["skill"],
            "arrayminus": rows["skill"] - rows["skill_low"],
            "color": look.colour,
            "thickness": 1.4,
            "width": 3,
        },
        customdata=label(rows["asset"]),
        hovertemplate="%{customdata}: %{x:+.2%}",
        **_legend(str(rows["model"].iloc[0]), panel),
    )


def _curve_traces(curve: pd.DataFrame, panel: int) -> list[go.Scatter]:
    ends = [curve["forecast"].min(), curve["forecast"].max()]
    diagonal = go.Scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        **_legend("Means what it says", panel),
    )
    dots = go.Scatter(
        x=curve["forecast"],
        y=curve["outcome"],
        mode="markers",
        marker={"color": BLUE, "size": 9},
        error_y={"array": curve["margin"], "color": BLUE, "thickness": 1.4, "width": 4},
        customdata=curve["rows"],
        hovertemplate="forecast %{x:.1f} bp, outcome %{y:.1f} bp<br>%{customdata:,} "
        "rows",
        **_legend("A tenth of the forecasts", panel),
    )
    return [diagonal, dots]


def _panels(
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


def _named_rows(figure: go.Figure, assets: Sequence[str]) -> go.Figure:
    return figure.update_yaxes(
        tickvals=list(range(len(assets))),
        ticktext=label(pd.Series(assets)),
        range=[len(assets) - 0.4, -0.6],
        zeroline=False,
    )


def _legend(name: str, panel: int) -> dict[str, object]:
    """Name a trace once for all panels."""
    (shown,) = label(pd.Series([name]))
    return {"name": shown, "legendgroup": shown, "showlegend": panel == 1}


def _looks(models: pd.Series) -> dict[str, _Look]:
    """Give every model a look of its own, the ensemble first."""
    others = [model for model in _unique(models) if model != ENSEMBLE]
    own = {model: _LOOKS[n % len(_LOOKS)] for n, model in enumerate(others)}
    return ({ENSEMBLE: _ENSEMBLE_LOOK} if ENSEMBLE in set(models) else {}) | own


def _unique(values: pd.Series) -> list[Any]:
    return values.drop_duplicates().tolist()
