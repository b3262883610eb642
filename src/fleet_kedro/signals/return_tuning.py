"""Factors on the default entry thresholds of a fleet, tuned twice.

The scheme is that of `fleet_kedro.signals.nested`: for each fold a factor is chosen on
earlier folds whose outcome was known before it, and that is what a backtest may use;
production takes what all folds choose. Expected returns are nested themselves, the
curves behind those of a fold know earlier folds only, so the first fold that can be
traded teaches and is traded with the default thresholds.

The first trial of a study is the default, and what is worth no more leaves it as it is.
The second is the lowest threshold: where even that catches too little of what paid,
nothing is chosen.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import pandas as pd
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.signals.journal import StudyJournal
from fleet_kedro.signals.nested import PRODUCTION, Task, keys_first, study_tasks
from fleet_kedro.signals.objective import Appraisal
from fleet_kedro.signals.return_sample import StrengthSample, strength_sample
from fleet_kedro.signals.return_thresholds import Outcome, ReturnThreshold
from fleet_kedro.signals.study import (
    Search,
    StudySettings,
    best_trial,
    run_study,
    study_digest,
    trial_table,
)

DEFAULT_FACTOR = 1.0
TRIAL_COLUMNS = {
    **{"asset": "str", "fold": "int8", "trial": "int64", "factor": "float64"},
    **dict.fromkeys(("value", "net_return", "precision", "recall"), "float64"),
    **{"signals": "int64", "effective_signals": "float64", "is_feasible": "bool"},
}
_TOLD = ("net_return", "recall", "signals", "effective_signals")


class FactorSearch(Config):
    """Between which factors on the default threshold one looks."""

    lowest_factor: float = Field(gt=0, le=1)
    highest_factor: float = Field(ge=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_width(self) -> "FactorSearch":
        if self.lowest_factor == self.highest_factor:
            raise ValueError("There is nothing to search between equal factors.")
        return self


class Tuned(NamedTuple):
    """All trials, and what came of them.

    Attributes
    ----------
    trials
        A row per trial with ``TRIAL_COLUMNS``; ``fold`` is 0 for production.
    chosen
        A row per asset and fold: ``asset``, ``fold``, and the fields of
        `ReturnThreshold`, NaN for None.
    """

    trials: pd.DataFrame
    chosen: pd.DataFrame


class _Found(NamedTuple):
    """The trials of one asset and fold, None if there was nothing to try."""

    trials: pd.DataFrame | None
    threshold: ReturnThreshold


def tune_returns(
    rows: pd.DataFrame,
    settings: StudySettings,
    search: FactorSearch,
    journal: Path,
    track: Callable[[Iterable[Any], str], Iterable[Any]] = lambda items, _: items,
) -> Tuned:
    """Run a study for each asset and later fold, and one for production.

    Parameters
    ----------
    rows
        As `strength_table` leaves them.
    journal
        The file that keeps the studies; trials that it holds are not run again.
    track
        Called with the studies to run and a title; yields them unchanged.
    """
    kept = StudyJournal(journal)
    folds = [*sorted(int(fold) for fold in rows["fold"].unique()), PRODUCTION]
    tasks = study_tasks(rows, settings.label)
    found = {
        (task.asset, task.fold): _tune(task, settings, search, kept)
        for task in track(tasks, "Tuning return thresholds")
    }
    nothing = _Found(None, ReturnThreshold(factor=None, outcome="no past"))
    everyone = {
        (str(asset), fold): found.get((str(asset), fold), nothing)
        for fold in folds
        for asset in sorted(rows["asset"].unique())
    }
    return Tuned(_all_trials(everyone), _all_chosen(everyone))


def production_returns(chosen: pd.DataFrame) -> dict[str, ReturnThreshold]:
    """Return what production shall use, asset by asset."""
    own = chosen.loc[chosen["fold"] == PRODUCTION].set_index("asset")
    told = own[list(ReturnThreshold.model_fields)].to_dict(orient="index")
    return {str(asset): _threshold_of(row) for asset, row in told.items()}


def _tune(
    task: Task, settings: StudySettings, search: FactorSearch, journal: StudyJournal
) -> _Found:
    sample = strength_sample(task.rows, settings.label)
    default = float(task.rows["default_threshold"].iloc[-1])
    if sample.strength[0] <= 0:
        return _Found(None, _left("no skill", default))
    trials = _study(sample, f"{task.title}, return", settings, search, journal)
    best = best_trial(trials)
    if best is None:
        return _Found(trials, _left("too few", default))
    return _Found(trials, _chosen(best, trials, default))


def _study(
    sample: StrengthSample,
    title: str,
    settings: StudySettings,
    search: FactorSearch,
    journal: StudyJournal,
) -> pd.DataFrame:
    lowest, highest = search.lowest_factor, search.highest_factor

    def appraise(trial: optuna.Trial) -> Appraisal:
        return sample.appraise(
            trial.suggest_float("factor", lowest, highest, log=True),
            settings.label.horizon_bars,
            settings.prior_effective_signals,
        )

    given = [{"factor": factor} for factor in (DEFAULT_FACTOR, lowest)]
    name = f"{title}, {study_digest(sample, settings, search)}"
    trials = run_study(Search(appraise, given), settings, journal, name)
    return trial_table(trials, lambda drawn: {"factor": drawn["factor"]})


def _chosen(
    best: pd.Series, trials: pd.DataFrame, default_threshold: float
) -> ReturnThreshold:
    default = trials.loc[trials["factor"] == DEFAULT_FACTOR].iloc[0]
    return _threshold_of(
        {
            "factor": best["factor"],
            "outcome": "tuned",
            "default_threshold": default_threshold,
            "default_net_return": default["net_return"],
            **{name: best[name] for name in _TOLD},
        }
    )


def _left(outcome: Outcome, default_threshold: float) -> ReturnThreshold:
    return ReturnThreshold(
        factor=None, outcome=outcome, default_threshold=default_threshold
    )


def _threshold_of(row: dict[Any, Any]) -> ReturnThreshold:
    """Take a row of a table over; NaN becomes None."""
    known = {str(name): value for name, value in row.items() if pd.notna(value)}
    if "signals" in known:
        known["signals"] = int(known["signals"])
    return ReturnThreshold(**{"factor": None, **known})


def _all_trials(found: dict[tuple[str, int], _Found]) -> pd.DataFrame:
    tables = [
        own.trials.assign(asset=asset, fold=fold)
        for (asset, fold), own in found.items()
        if own.trials is not None
    ]
    nothing = pd.DataFrame(columns=list(TRIAL_COLUMNS))
    trials = keys_first(pd.concat(tables, ignore_index=True)) if tables else nothing
    return trials[list(TRIAL_COLUMNS)].astype(TRIAL_COLUMNS)


def _all_chosen(found: dict[tuple[str, int], _Found]) -> pd.DataFrame:
    numbers = [name for name in ReturnThreshold.model_fields if name != "outcome"]
    return (
        pd.DataFrame(
            [
                {"asset": asset, "fold": fold, **own.threshold.model_dump()}
                for (asset, fold), own in found.items()
            ]
        )
        .astype({"fold": "int8"} | dict.fromkeys(numbers, "float64"))
        .sort_values(["fold", "asset"], ignore_index=True)
    )
