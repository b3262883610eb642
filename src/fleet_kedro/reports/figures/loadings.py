"""What the latents are made of."""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.figures.theme import BLUE, blank_figure, height_for


def draw_loadings(loadings: pd.DataFrame) -> go.Figure:
    """Draw the share of each family of signals in each latent of the last fold.

    ``loadings`` holds ``fold``, ``latent``, ``family``, ``share`` and
    ``strongest_feature``; the shares of a latent add up to one.
    """
    last = loadings.loc[loadings["fold"] == loadings["fold"].max()]
    share = last.pivot_table(index="family", columns="latent", values="share").fillna(0)
    strongest = last.pivot_table(
        index="family", columns="latent", values="strongest_feature", aggfunc="first"
    ).fillna("none")
    order = share.sum(axis="columns").sort_values(ascending=False, kind="stable").index
    figure = blank_figure(
        "Which families of signals feed which latent",
        "Columns add up to 100 %; the strongest latent stands left. Last fold.",
        height_for(len(order)),
    )
    figure.add_heatmap(
        z=share.loc[order].to_numpy(),
        x=[str(name).removeprefix("latent_") for name in share.columns],
        y=[str(family).replace("_", " ") for family in order],
        customdata=strongest.loc[order].to_numpy(),
        colorscale=[[0, "#FFFFFF"], [1, BLUE]],
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        colorbar={"tickformat": ".0%", "outlinewidth": 0, "thickness": 12},
        hovertemplate="latent %{x}, %{y}: %{z:.0%}<br>strongest: %{customdata}"
        "<extra></extra>",
    )
    figure.update_layout(
        xaxis={"type": "category", "title_text": "Latent"},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    return figure
