"""Thresholds of one asset, found by a study that is kept.

The search space is small on purpose: every further degree of freedom is one more way to
fit noise.

``rank_threshold``
    From which trailing rank on a forecast is a signal.
``has_floor``, ``floor_margin``
    Whether to abstain from forecasts below a probability, and how far that floor lies
    above the asset's base rate of late. A probability that is no better than the base
    rate promises nothing, however high it ranks among still lower ones.

Trials are drawn by the tree-structured Parzen estimator (Bergstra et al., 2011, section
4) with the floor of the recall as a constraint. The first trial is the loosest one, so
an asset for which no thresholds reach the recall is found out at once.

Trial ``n`` depends on the seed, on ``n`` and on the trials before it, never on who drew
them: a study that was killed and taken up again, or that several processes worked on,
holds the same trials as one that was not.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.samplers import TPESampler
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.journal import StudyJournal
from fleet_kedro.signals.objective import (
    NO_FLOOR,
    Appraisal,
    Sample,
    Thresholds,
    appraise,
)

SHORTFALL = "recall_shortfall"
_APPRAISAL = "appraisal"
_HOURS_PER_DAY = 24


class TuningSettings(Config):
    """Where thresholds are searched, what they are worth, and how long one looks."""

    label: Label
    lowest_rank: float = Field(gt=0, lt=1, description="Loosest rank threshold.")
    highest_rank: float = Field(gt=0, lt=1, description="Strictest rank threshold.")
    highest_margin: float = Field(
        gt=0, lt=1, description="Highest floor above the base rate, as a probability."
    )
    base_rate_days: int = Field(
        ge=1, description="Last days of a sample that the base rate is taken from."
    )
    recall_floor: float = Field(gt=0, lt=1, description="Fewest positives to catch.")
    prior_effective_signals: float = Field(
        gt=0, description="Weight of always long, counted in trades without overlap."
    )
    trials: int = Field(ge=1, description="Trials of a study.")
    startup_trials: int = Field(ge=1, description="How many of them are drawn blindly.")
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _is_ordered(self) -> "TuningSettings":
        if self.lowest_rank >= self.highest_rank:
            raise ValueError(
                f"lowest_rank {self.lowest_rank} is not below highest_rank "
                f"{self.highest_rank}: there is nothing to search between them."
            )
        return self


def tune_asset(
    sample: Sample, settings: TuningSettings, journal: StudyJournal, title: str
) -> pd.DataFrame:
    """Run the trials that a study lacks, and return all of them.

    Parameters
    ----------
    sample
        One asset's forecasts with known outcomes.
    title
        How the study's name begins. The rest is a digest of sample and settings, so
        that changed ones never take up a study of others; more trials of the same do.

    Returns
    -------
    pandas.DataFrame
        A row per trial, in order: ``trial`` (from 0), ``rank_threshold``,
        ``floor_margin`` (NaN for no floor), ``probability_floor`` (minus infinity for
        none), the columns of `Appraisal`, and ``is_feasible``: the recall is reached.

    Raises
    ------
    ValueError
        If the sample is empty.
    """
    if not sample.hour.size:
        raise ValueError(f"{title}: no forecast to tune on; leave the asset out.")
    study = journal.study(f"{title}, {_digest(sample, settings)}")
    base_rate = _base_rate(sample, settings.base_rate_days)
    in_memory = optuna.create_study(direction="maximize")
    while True:
        with journal.turn():
            kept = study.get_trials(deepcopy=False)
            if len(kept) >= settings.trials:
                break
            in_memory.add_trials(kept[len(in_memory.get_trials(deepcopy=False)) :])
            study.add_trial(
                _next_trial(in_memory, len(kept), base_rate, sample, settings)
            )
    return _table(kept[: settings.trials], base_rate)


def best_trial(trials: pd.DataFrame) -> pd.Series | None:
    """Return the feasible trial of the highest value, the first of equals; or none."""
    feasible = trials.loc[trials["is_feasible"]]
    if feasible.empty:
        return None
    return feasible.iloc[int(feasible["value"].to_numpy().argmax())]


def _next_trial(
    study: optuna.Study,
    number: int,
    base_rate: float,
    sample: Sample,
    settings: TuningSettings,
) -> optuna.trial.FrozenTrial:
    """Draw and score trial ``number`` on a copy in memory; return it complete."""
    state = np.random.SeedSequence([settings.seed, number]).generate_state(1)
    study.sampler = TPESampler(
        seed=int(state[0]),
        n_startup_trials=settings.startup_trials,
        constant_liar=False,  # it would ask after running trials, and there are none
    )
    if number == 0:
        study.enqueue_trial(
            {"rank_threshold": settings.lowest_rank, "has_floor": False}
        )
    trial = study.ask()
    appraisal = appraise(
        sample,
        _suggest(trial, base_rate, settings),
        settings.label.horizon_bars,
        settings.prior_effective_signals,
    )
    trial.set_constraint(SHORTFALL, settings.recall_floor - appraisal.recall)
    trial.set_user_attr(_APPRAISAL, appraisal._asdict())
    return study.tell(trial, appraisal.value)


def _suggest(
    trial: optuna.Trial, base_rate: float, settings: TuningSettings
) -> Thresholds:
    rank = trial.suggest_float(
        "rank_threshold", settings.lowest_rank, settings.highest_rank
    )
    if not trial.suggest_categorical("has_floor", [False, True]):
        return Thresholds(rank)
    margin = trial.suggest_float("floor_margin", 0.0, settings.highest_margin)
    return Thresholds(rank, base_rate + margin)


def _base_rate(sample: Sample, days: int) -> float:
    """Return the share of positive rows in the last days of a sample."""
    is_recent = sample.hour > sample.hour[-1] - _HOURS_PER_DAY * days
    return float(sample.is_positive[is_recent].mean())


def _table(trials: list[optuna.trial.FrozenTrial], base_rate: float) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"trial": trial.number, **_row(trial.params, base_rate)}
            | Appraisal(**trial.user_attrs[_APPRAISAL])._asdict()
            | {"is_feasible": trial.constraints[SHORTFALL] <= 0}
            for trial in trials
        ]
    )


def _row(params: dict[str, Any], base_rate: float) -> dict[str, float]:
    margin = params.get("floor_margin", float("nan"))
    return {
        "rank_threshold": params["rank_threshold"],
        "floor_margin": margin,
        "probability_floor": base_rate + margin if params["has_floor"] else NO_FLOOR,
    }


def _digest(sample: Sample, settings: TuningSettings) -> str:
    """Tell samples and settings apart; how many trials there shall be does not count.

    Optuna's version does: another one may draw other trials.
    """
    digest = hashlib.sha256(optuna.__version__.encode())
    chosen = settings.model_dump(exclude={"trials"})
    digest.update(json.dumps(chosen, sort_keys=True).encode())
    for part in _bytes(sample):
        digest.update(part)
    return digest.hexdigest()[:16]


def _bytes(sample: Sample) -> Iterator[bytes]:
    for values in sample:
        yield np.ascontiguousarray(values).tobytes()
