"""A study that is kept: whoever takes it up draws the same trials.

Trials are drawn by the tree-structured Parzen estimator (Bergstra et al., 2011, section
4) with the floor of the recall as a constraint. The first ones may be given, so that
what one wants to know at any rate is known at once.

Trial ``n`` depends on the seed, on ``n`` and on the trials before it, never on who drew
them: a study that was killed and taken up again, or that several processes worked on,
holds the same trials as one that was not.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
from optuna.samplers import TPESampler
from pydantic import BaseModel, Field

from fleet_kedro.config import Config
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.journal import StudyJournal
from fleet_kedro.signals.objective import Appraisal

SHORTFALL = "recall_shortfall"
_APPRAISAL = "appraisal"


class StudySettings(Config):
    """What thresholds are worth, and how long one looks."""

    label: Label
    recall_floor: float = Field(gt=0, lt=1, description="Fewest positives to catch.")
    prior_effective_signals: float = Field(
        gt=0, description="Weight of always long, counted in trades without overlap."
    )
    trials: int = Field(ge=1, description="Trials of a study.")
    startup_trials: int = Field(ge=1, description="How many of them are drawn blindly.")
    seed: int = Field(ge=0)


class Search(NamedTuple):
    """What a study looks for.

    Attributes
    ----------
    appraise
        Takes the parameters of a trial from it, and says what they come to.
    first
        Parameters of the first trials, as far as they are given.
    """

    appraise: Callable[[optuna.Trial], Appraisal]
    first: Sequence[dict[str, Any]]


def run_study(
    search: Search, settings: StudySettings, journal: StudyJournal, name: str
) -> list[optuna.trial.FrozenTrial]:
    """Run the trials that a study lacks, and return all of them, in order."""
    study = journal.study(name)
    in_memory = optuna.create_study(direction="maximize")
    while True:
        with journal.turn():
            kept = study.get_trials(deepcopy=False)
            if len(kept) >= settings.trials:
                return kept[: settings.trials]
            in_memory.add_trials(kept[len(in_memory.get_trials(deepcopy=False)) :])
            study.add_trial(_next_trial(in_memory, len(kept), search, settings))


def trial_table(
    trials: Sequence[optuna.trial.FrozenTrial],
    parameters: Callable[[dict[str, Any]], dict[str, float]],
) -> pd.DataFrame:
    """Lay trials out, a row each.

    Parameters
    ----------
    parameters
        Turns what a trial has drawn into columns.

    Returns
    -------
    pandas.DataFrame
        ``trial`` (from 0), the columns of the parameters and those of `Appraisal`, and
        ``is_feasible``: the recall is reached.
    """
    return pd.DataFrame(
        [
            {"trial": trial.number, **parameters(trial.params)}
            | Appraisal(**trial.user_attrs[_APPRAISAL])._asdict()
            | {"is_feasible": trial.constraints[SHORTFALL] <= 0}
            for trial in trials
        ]
    )


def best_trial(trials: pd.DataFrame) -> pd.Series | None:
    """Return the feasible trial of the highest value, the first of equals; or none."""
    feasible = trials.loc[trials["is_feasible"]]
    if feasible.empty:
        return None
    return feasible.iloc[int(feasible["value"].to_numpy().argmax())]


def study_digest(sample: Sequence[np.ndarray], *settings: BaseModel) -> str:
    """Tell samples and settings apart; how many trials there shall be does not count.

    Optuna's version does: another one may draw other trials.
    """
    digest = hashlib.sha256(optuna.__version__.encode())
    for block in settings:
        chosen = block.model_dump(exclude={"trials"})
        digest.update(json.dumps(chosen, sort_keys=True).encode())
    for values in sample:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def _next_trial(
    study: optuna.Study, number: int, search: Search, settings: StudySettings
) -> optuna.trial.FrozenTrial:
    """Draw and score trial ``number`` on a copy in memory; return it complete."""
    state = np.random.SeedSequence([settings.seed, number]).generate_state(1)
    study.sampler = TPESampler(
        seed=int(state[0]),
        n_startup_trials=settings.startup_trials,
        constant_liar=False,  # it would ask after running trials, and there are none
    )
    if number < len(search.first):
        study.enqueue_trial(search.first[number])
    trial = study.ask()
    appraisal = search.appraise(trial)
    trial.set_constraint(SHORTFALL, settings.recall_floor - appraisal.recall)
    trial.set_user_attr(_APPRAISAL, appraisal._asdict())
    return study.tell(trial, appraisal.value)
