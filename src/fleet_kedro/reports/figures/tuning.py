"""The studies for production: how each search went, and what it saw.

Optuna draws its own plots; here they are put into one figure with a menu, an entry per
asset, and dressed like the others.
"""

from collections.abc import Mapping

import numpy as np
import optuna
import pandas as pd
import plotly.graph_objects as go
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)
from optuna.visualization import plot_optimization_history, plot_slice

from fleet_kedro.reports.figures.theme import BLUE, ORANGE, blank_figure, label
from fleet_kedro.signals.nested import PRODUCTION
from fleet_kedro.signals.study import SHORTFALL
from fleet_kedro.signals.tuning import TuningSettings

_HEIGHT = 460
_VALUE = "Value"
_SLICED = {
    "floor_margin": "Floor above the base rate",
    "rank_threshold": "Rank threshold",
}


def draw_tuning(trials: pd.DataFrame, settings: TuningSettings) -> dict[str, go.Figure]:
    """Draw history and slices of every asset's study for production.

    Parameters
    ----------
    trials
        All trials of all studies, as `tune_fleet` leaves them.
    """
    own = trials.loc[trials["fold"] == PRODUCTION]
    studies = {
        str(asset): _study(rows, settings) for asset, rows in own.groupby("asset")
    }
    sliced = _sliceable(own)
    return {
        "history": _history(
            {name: plot_optimization_history(study) for name, study in studies.items()}
        ),
        "slice": _slices(
            {name: plot_slice(study, params=sliced) for name, study in studies.items()}
        ),
    }


def _study(trials: pd.DataFrame, settings: TuningSettings) -> optuna.Study:
    """Lay a table of trials out as a study again, as plots want it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    space: dict[str, BaseDistribution] = {
        "rank_threshold": FloatDistribution(
            settings.lowest_rank, settings.highest_rank
        ),
        "has_floor": CategoricalDistribution([False, True]),
        "floor_margin": FloatDistribution(0.0, settings.highest_margin),
    }
    for row in trials.to_dict(orient="records"):
        has_floor = bool(np.isfinite(row["floor_margin"]))
        params = {"rank_threshold": row["rank_threshold"], "has_floor": has_floor}
        if has_floor:
            params["floor_margin"] = row["floor_margin"]
        study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions={name: space[name] for name in params},
                value=row["value"],
                constraints={SHORTFALL: settings.recall_floor - row["recall"]},
            )
        )
    return study


def _sliceable(trials: pd.DataFrame) -> list[str]:
    """Name the parameters that every asset's study has drawn at least once."""
    drawn = trials.groupby("asset")[list(_SLICED)].count()
    return [name for name in _SLICED if (drawn[name] > 0).all()]


def _history(plots: Mapping[str, go.Figure]) -> go.Figure:
    figure = blank_figure(
        "How each search went",
        "Shrunk net return per signal of every trial, and the best so far. Grey trials "
        "miss the floor of the recall.",
        _HEIGHT,
    )
    figure.update_xaxes(title_text="Trial")
    drawn = _with_menu(figure, plots)
    # Otherwise colours would go on from asset to asset.
    drawn.update_traces(
        selector={"name": "Objective Value"}, name="Trial", marker_color=BLUE
    )
    return drawn.update_traces(
        selector={"name": "Best Value"},
        name="Best so far",
        line={"color": ORANGE, "shape": "hv"},
    )


def _slices(plots: Mapping[str, go.Figure]) -> go.Figure:
    figure = blank_figure(
        "What each search saw",
        "Shrunk net return per signal by threshold; the later the trial, the darker. "
        "Grey trials miss the floor of the recall.",
        _HEIGHT,
    )
    layout = next(iter(plots.values())).layout.to_plotly_json()
    layout.pop("template", None)
    layout.pop("title", None)
    figure.update_layout(layout)
    figure.for_each_xaxis(
        lambda axis: axis.update(
            title_text=_SLICED[axis.title.text], showline=True, zeroline=False
        )
    )
    return _with_menu(figure, plots)


def _with_menu(figure: go.Figure, plots: Mapping[str, go.Figure]) -> go.Figure:
    """Put all plots into one figure, of which a menu shows one."""
    owner = [name for name, plot in plots.items() for _ in plot.data]
    first = next(iter(plots))
    for name, plot in plots.items():
        figure.add_traces(plot.update_traces(visible=name == first).data)
    figure.update_yaxes(tickformat="+.2%")
    figure.update_yaxes(title_text=_VALUE, selector=0)
    return figure.update_layout(
        updatemenus=[
            {
                "buttons": [
                    {
                        "label": text,
                        "method": "update",
                        "args": [{"visible": [name == mine for mine in owner]}],
                    }
                    for name, text in zip(
                        plots, label(pd.Series(list(plots))), strict=True
                    )
                ],
                "x": 1.0,
                "xanchor": "right",
                "y": 1.18,
                "yanchor": "top",
            }
        ]
    )
