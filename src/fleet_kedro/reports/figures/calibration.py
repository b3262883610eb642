"""Whether a forecast probability means what it says."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import BLUE, GREY, VERMILION, blank_figure

_BINS = 10


def reliability(
    probability: pd.Series, is_positive: pd.Series, n_bins: int = _BINS
) -> pd.DataFrame:
    """Compare what was forecast with what happened, in bins of about equal counts.

    Bins are quantiles of the forecasts; equal forecasts share a bin, so a bin may be
    larger than another, and a constant forecast makes one bin only.

    Returns
    -------
    pandas.DataFrame
        Per bin, lowest forecasts first: mean ``forecast``, ``realised`` share of
        positive rows, and ``rows``.
    """
    place = (probability.rank(method="average") - 0.5) / len(probability)
    bins = np.floor(place.to_numpy() * n_bins).astype(int)
    table = pd.DataFrame(
        {
            "forecast": probability.to_numpy(dtype=np.float64),
            "realised": is_positive.to_numpy(dtype=np.float64),
            "rows": 1,
        }
    )
    return (
        table.groupby(bins)
        .agg({"forecast": "mean", "realised": "mean", "rows": "sum"})
        .reset_index(drop=True)
    )


def draw_calibration(forecasts: pd.DataFrame) -> go.Figure:
    """Draw the reliability of the brain and of the volatility-only model."""
    curves = {
        name: reliability(forecasts[column], forecasts["is_positive"])
        for name, column in (
            ("Volatility only", "volatility_only"),
            ("Brain", "probability"),
        )
    }
    typical = int(curves["Brain"]["rows"].median())
    figure = blank_figure(
        "Forecast probability against what happened",
        f"On the diagonal a forecast means what it says; each dot holds about "
        f"{typical:,} rows.",
        460,
    )
    low, high = _range(list(curves.values()))
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        name="Perfectly calibrated",
        hoverinfo="skip",
    )
    for (name, curve), colour, symbol in zip(
        curves.items(), (VERMILION, BLUE), ("diamond", "circle"), strict=True
    ):
        figure.add_scatter(
            x=curve["forecast"],
            y=curve["realised"],
            customdata=curve["rows"],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 1.5},
            marker={"symbol": symbol, "size": 9},
            hovertemplate="forecast %{x:.1%}, realised %{y:.1%}<br>%{customdata:,} rows"
            "<extra>" + name + "</extra>",
        )
    figure.update_xaxes(tickformat=".3~p", title_text="Mean forecast of the bin")
    figure.update_yaxes(tickformat=".3~p", title_text="Share that cleared costs")
    return figure


def _range(curves: list[pd.DataFrame]) -> tuple[float, float]:
    """Return the ends of the diagonal: just around all that is drawn."""
    seen = pd.concat(curves)[["forecast", "realised"]].to_numpy()
    return max(float(seen.min()) - 0.02, 0.0), min(float(seen.max()) + 0.02, 1.0)
