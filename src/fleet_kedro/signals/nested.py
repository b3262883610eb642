"""Thresholds of a whole fleet, tuned twice: once to be judged, once to be used.

Thresholds that are judged on the forecasts they were tuned on look better than they
are. So for every scored fold they are tuned on what was known before it: the forecasts
of earlier folds whose outcome was known before the fold's first forecast. What they
come to on the fold itself is the honest answer. The first scored fold has no scored
forecasts before it, so it is tuned on but never judged. Production takes the thresholds
that are tuned on all forecasts, and nothing in this project judges those.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.schema import BAR
from fleet_kedro.metrics.classification import count_hits
from fleet_kedro.metrics.trading import expectancy
from fleet_kedro.signals.journal import StudyJournal
from fleet_kedro.signals.objective import effective_count, sample_of
from fleet_kedro.signals.study import best_trial
from fleet_kedro.signals.tuning import TuningSettings, tune_asset

PRODUCTION = 0
_FEWEST_FOLDS = 2
_KEYS = ["asset", "fold"]


class Task(NamedTuple):
    """One asset's rows to tune on, and the fold that the thresholds are meant for."""

    asset: str
    fold: int
    rows: pd.DataFrame

    @property
    def title(self) -> str:
        """Say whose study it is, and what for."""
        return f"{self.asset}, {purpose(self.fold)}"


def tune_fleet(
    forecasts: pd.DataFrame,
    settings: TuningSettings,
    journal: Path,
    track: Callable[[Iterable[Any], str], Iterable[Any]] = lambda items, _: items,
) -> pd.DataFrame:
    """Run a study for each asset and fold but the first, and one for production.

    Parameters
    ----------
    forecasts
        As a walk leaves them: every scored forecast with its outcome.
    journal
        The file that keeps the studies; trials that it holds are not run again.
    track
        Called with the studies to run and a title; yields them unchanged.

    Returns
    -------
    pandas.DataFrame
        ``asset``, ``fold`` (0 for production), then the columns of `tune_asset`; sorted
        by fold, asset and trial.

    Raises
    ------
    ValueError
        If there is one fold only: nothing could be judged.
    """
    folds = forecasts["fold"].unique()
    if len(folds) < _FEWEST_FOLDS:
        raise ValueError(
            f"{len(folds)} scored fold leaves no thresholds to be judged, since the "
            f"first one is tuned on only: walk {_FEWEST_FOLDS} folds or more."
        )
    kept = StudyJournal(journal)
    tasks = study_tasks(forecasts, settings.label)
    return pd.concat(
        [
            tune_asset(
                sample_of(task.rows, settings.label), settings, kept, task.title
            ).assign(asset=task.asset, fold=np.int8(task.fold))
            for task in track(tasks, "Tuning thresholds")
        ],
        ignore_index=True,
    ).pipe(keys_first)


def purpose(fold: int) -> str:
    """Say what thresholds are meant for."""
    return "production" if fold == PRODUCTION else f"fold {fold}"


def known_before(forecasts: pd.DataFrame, fold: int, label: Label) -> pd.DataFrame:
    """Return the rows of earlier folds whose outcome is known before a fold begins.

    The outcome of row ``t`` is known at ``t + H + 1`` bars, which must lie before the
    fold's first forecast of any asset.
    """
    begins = forecasts.loc[forecasts["fold"] == fold, "timestamp"].min()
    known_at = forecasts["timestamp"] + BAR * label.last_known_offset_bars
    return forecasts.loc[(forecasts["fold"] < fold) & (known_at < begins)]


def choose(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the best trial of each study, a row per asset and fold.

    A study in which no thresholds reach the recall has no row: the asset stays silent.
    """
    best = [
        {"asset": asset, "fold": fold, **found.drop(labels=_KEYS)}
        for (fold, asset), study in trials.groupby(["fold", "asset"])
        for found in [best_trial(study)]
        if found is not None
    ]
    return pd.DataFrame(best, columns=trials.columns).astype(trials.dtypes)


def judged_rows(forecasts: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts of all folds but the first, under both rules.

    ``is_tuned`` marks what the nested thresholds signal, ``is_signal`` what the walk's
    own did. An asset without thresholds in a fold gives no tuned signal there.
    """
    thresholds = choose(trials)[[*_KEYS, "rank_threshold", "probability_floor"]]
    judged = forecasts.loc[forecasts["fold"] > forecasts["fold"].min()].merge(
        thresholds, on=_KEYS, how="left", validate="many_to_one"
    )
    return judged.assign(
        is_tuned=(judged["rank"] >= judged["rank_threshold"])
        & (judged["probability"] >= judged["probability_floor"])
    )


def score_folds(judged: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Measure both rules on the same rows, a row per asset and fold.

    Returns
    -------
    pandas.DataFrame
        ``asset``, ``fold``, ``rows``, ``base_rate``, the tuned ``rank_threshold`` and
        ``probability_floor``, what they came to (``signals``, ``effective_signals``,
        ``precision``, ``recall``, ``lift``, ``net_return``), and the same of the walk's
        own rank threshold under names that begin with ``walk_``. What no signal leaves
        without a value is NaN.
    """
    return pd.DataFrame(
        [
            {
                "asset": asset,
                "fold": fold,
                "rows": len(rows),
                "base_rate": float(rows["is_positive"].mean()),
                "rank_threshold": rows["rank_threshold"].iloc[0],
                "probability_floor": rows["probability_floor"].iloc[0],
                **_measured(rows, "is_tuned", label, ""),
                "walk_rank_threshold": rows["threshold"].iloc[0],
                **_measured(rows, "is_signal", label, "walk_"),
            }
            for (asset, fold), rows in judged.groupby(_KEYS)
        ]
    )


def production_thresholds(trials: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Return what production shall use, asset by asset, as plain JSON values.

    ``probability_floor`` is null where there is none. ``expectancy_bps`` (net, per
    signal), ``recall``, ``signals`` and ``effective_signals`` are those of the sample
    that the thresholds were tuned on, so no promise. An asset that is missing shall
    not signal: no thresholds reached the recall.
    """
    chosen = choose(trials.loc[trials["fold"] == PRODUCTION])
    return {
        str(row["asset"]): {
            "rank_threshold": float(row["rank_threshold"]),
            "probability_floor": (
                float(row["probability_floor"])
                if np.isfinite(row["probability_floor"])
                else None
            ),
            "expectancy_bps": 1e4 * float(row["net_return"]),
            "recall": float(row["recall"]),
            "signals": int(row["signals"]),
            "effective_signals": float(row["effective_signals"]),
        }
        for row in chosen.to_dict(orient="records")
    }


def study_tasks(forecasts: pd.DataFrame, label: Label) -> list[Task]:
    """List every study that has rows: fold by fold, production last."""
    ordered = forecasts.sort_values(["timestamp", "asset"])
    folds = sorted(int(fold) for fold in ordered["fold"].unique())
    samples = {fold: known_before(ordered, fold, label) for fold in folds[1:]}
    return [
        Task(str(asset), fold, rows)
        for fold, sample in {**samples, PRODUCTION: ordered}.items()
        for asset, rows in sample.groupby("asset")
    ]


def keys_first(trials: pd.DataFrame) -> pd.DataFrame:
    """Sort trials by fold, asset and trial, and put these columns first."""
    ordered = trials.sort_values(["fold", "asset", "trial"], ignore_index=True)
    return ordered[[*_KEYS, *trials.columns.drop(_KEYS)]]


def _measured(
    rows: pd.DataFrame, rule: str, label: Label, prefix: str
) -> dict[str, float | int]:
    is_signal = rows[rule].to_numpy()
    hits = count_hits(is_signal, rows["is_positive"].to_numpy())
    hour = sample_of(rows, label).hour[is_signal]
    measured = {
        "signals": hits.signals,
        "effective_signals": effective_count(hour, label.horizon_bars),
        "precision": hits.precision,
        "recall": hits.recall,
        "lift": hits.lift,
        "net_return": expectancy(
            is_signal, rows["forward_return"].to_numpy(), label.round_trip_cost
        ),
    }
    return {f"{prefix}{name}": value for name, value in measured.items()}
