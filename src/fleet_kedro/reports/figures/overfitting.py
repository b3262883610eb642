"""Whether the choice of a configuration chooses luck, and how many were tried."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float

from fleet_kedro.reports.figures.theme import (
    BLUE,
    VERMILION,
    blank_figure,
    say_there_is_nothing,
)
from fleet_kedro.reports.units import counted, percent
from fleet_kedro.validation.overfitting import OverfittingReport
from fleet_kedro.validation.trials import KINDS, Trial

_BINS_PER_SIDE = 15
_SIDES = (
    ("At or below the median", VERMILION, False),
    ("Above the median", BLUE, True),
)


def draw_overfitting(report: OverfittingReport) -> go.Figure:
    """Draw where the winners of one half of the days rank in the other half."""
    figure = blank_figure(
        "How the best of one half of the days fares in the other half",
        f"{percent(report.probability_of_overfitting)} of "
        f"{report.n_splits:,} choices among {report.n_configurations} end left of zero "
        "or on it: the probability of backtest overfitting.",
        380,
    )
    if not report.n_splits:
        figure.update_layout(title_subtitle_text="")
        return say_there_is_nothing(
            figure,
            "Nothing was chosen: "
            f"{counted(report.n_configurations, 'configuration')}, "
            f"{counted(report.n_days, 'day')}.",
        )
    table = logit_histogram(report.logits, report.n_configurations)
    for title, colour, is_above in _SIDES:
        own = table.loc[(table["left"] >= 0) == is_above]
        figure.add_bar(
            x=(own["left"] + own["right"]) / 2,
            y=own["share"],
            width=own["right"] - own["left"],
            name=title,
            marker={"color": colour, "line": {"color": "#FFFFFF", "width": 1}},
            customdata=own[["left", "right"]].to_numpy(),
            hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:.1%}"
            "<extra>" + title + "</extra>",
        )
    figure.add_vline(x=0, line={"color": "#6B7686", "width": 1.5})
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title_text="Logit of the winner's rank out of sample")
    figure.update_yaxes(tickformat=".3~p", title_text="Share of the choices")
    return figure


def logit_histogram(
    logits: Float[np.ndarray, " splits"], n_configurations: int
) -> pd.DataFrame:
    """Count logits in bins ``(left, right]``, which zero never divides.

    The bins reach from ``−log N`` to ``log N``, the worst and the best rank of ``N``.

    Returns
    -------
    pandas.DataFrame
        Columns ``left``, ``right`` and ``share`` of all splits, lowest first.
    """
    width = np.log(n_configurations) / _BINS_PER_SIDE
    # The worst rank lies on the lowest edge, where rounding must not lose it.
    place = np.ceil(logits / width).astype(int)
    place = np.clip(place, 1 - _BINS_PER_SIDE, _BINS_PER_SIDE) + _BINS_PER_SIDE - 1
    left = width * np.arange(-_BINS_PER_SIDE, _BINS_PER_SIDE)
    counts = np.bincount(place, minlength=left.size)
    return pd.DataFrame(
        {"left": left, "right": left + width, "share": counts / logits.size}
    )


def ledger_summary(trials: Iterable[Trial]) -> pd.DataFrame:
    """Summarise the ledger: how many were tried, how well the best of them did.

    Parameters
    ----------
    trials
        Each configuration once, all on one source and horizon.

    Returns
    -------
    pandas.DataFrame
        A row per kind that was tried, and one for ``all``: ``kind``, ``trials``,
        ``best_daily_sharpe``, ``best`` (its name) and ``median_daily_sharpe``.
    """
    told = pd.DataFrame(
        [(t.kind, t.name, t.results.daily_sharpe) for t in trials],
        columns=["kind", "name", "daily_sharpe"],
    )
    groups = [(str(kind), told.loc[told["kind"] == kind]) for kind in KINDS]
    rows = [
        {
            "kind": kind,
            "trials": len(own),
            "best_daily_sharpe": own["daily_sharpe"].max(),
            "best": own["name"].iloc[int(own["daily_sharpe"].to_numpy().argmax())],
            "median_daily_sharpe": own["daily_sharpe"].median(),
        }
        for kind, own in [*groups, ("all", told)]
        if len(own)
    ]
    return pd.DataFrame(
        rows,
        columns=[
            *("kind", "trials", "best_daily_sharpe", "best", "median_daily_sharpe")
        ],
    )
