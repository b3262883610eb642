"""What came of the ensemble's forecasts, tenth by tenth."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.horizon_panels import horizon_panels, legend
from fleet_kedro.reports.figures.theme import BLUE, GREY, say_there_is_nothing

_BINS = 10
_NORMAL_90 = 1.645  # standard errors on either side of a 90 % interval


def draw_outcomes(
    forecasts: Mapping[str, pd.DataFrame], horizons: Sequence[int]
) -> go.Figure:
    """Draw the ensemble's forecasts against what came of them, all assets pooled."""
    figure = horizon_panels(
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


def _curve_traces(curve: pd.DataFrame, panel: int) -> list[go.Scatter]:
    ends = [curve["forecast"].min(), curve["forecast"].max()]
    diagonal = go.Scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        **legend("Means what it says", panel),
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
        **legend("A tenth of the forecasts", panel),
    )
    return [diagonal, dots]
