"""What the forecasters know, whom the ensemble hears, and whether intervals hold."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.forecast_outcomes import draw_outcomes
from fleet_kedro.reports.figures.horizon_panels import (
    horizon_panels,
    legend,
    named_rows,
)
from fleet_kedro.reports.figures.model_looks import ZERO_LOOK, Look, looks_of
from fleet_kedro.reports.figures.theme import (
    BLUE,
    GREEN,
    VERMILION,
    height_for,
    label,
)
from fleet_kedro.validation.forecast_telemetry import ENSEMBLE, ZERO

_LINE = {"color": "#6B7686", "width": 1.5}
_COVERAGES = {
    "All hours": ("coverage", BLUE, "circle", 0.0),
    "Wildest tenth": ("coverage_wild", VERMILION, "triangle-up", -0.2),
    "Calmest tenth": ("coverage_calm", GREEN, "triangle-down", 0.2),
}


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
    looks = looks_of(shown["model"])
    assets = _unique(shown["asset"])
    figure = horizon_panels(
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
    return named_rows(figure, assets)


def draw_weights(production: pd.DataFrame) -> go.Figure:
    """Draw how the weights for production share one, a bar per asset and horizon."""
    prefix = "weight_"
    members = [
        name.removeprefix(prefix)
        for name in production.columns
        if name.startswith(prefix) and name != f"{prefix}{ZERO}"
    ]
    looks = {**looks_of(pd.Series(members)), ZERO: ZERO_LOOK}
    figure = horizon_panels(
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
                **legend(model, panel),
            )
            figure.add_trace(bar, 1, panel)
    figure.update_xaxes(title_text="Weight", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(autorange="reversed", type="category")
    return figure.update_layout(barmode="stack")


def draw_intervals(telemetry: pd.DataFrame, coverage: float) -> go.Figure:
    """Draw how often intervals held: always, and at both ends of volatility."""
    own = telemetry.loc[telemetry["model"] == ENSEMBLE]
    assets = _unique(own["asset"])
    figure = horizon_panels(
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
                **legend(title, panel),
            )
            figure.add_trace(dots, 1, panel)
        figure.add_vline(x=coverage, line={**_LINE, "dash": "dot"}, row=1, col=panel)
    figure.update_xaxes(title_text="Share of outcomes inside", tickformat=".1~%")
    return named_rows(figure, assets)


def _skill_dots(
    rows: pd.DataFrame, heights: Sequence[float], look: Look, panel: int
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
        **legend(str(rows["model"].iloc[0]), panel),
    )


def _unique(values: pd.Series) -> list[Any]:
    return values.drop_duplicates().tolist()
