"""Thresholds of one asset, found by a study that is kept.

The search space is small on purpose: every further degree of freedom is one more way to
fit noise.

``rank_threshold``
    From which trailing rank on a forecast is a signal.
``has_floor``, ``floor_margin``
    Whether to abstain from forecasts below a probability, and how far that floor lies
    above the asset's base rate of late. A probability that is no better than the base
    rate promises nothing, however high it ranks among still lower ones.

The first trial is the loosest one, so an asset for which no thresholds reach the recall
is found out at once. How trials are drawn and kept is told in
`fleet_kedro.signals.study`.
"""

from typing import Any

import optuna
import pandas as pd
from pydantic import Field, model_validator

from fleet_kedro.signals.journal import StudyJournal
from fleet_kedro.signals.objective import NO_FLOOR, Appraisal, Sample, Thresholds
from fleet_kedro.signals.objective import appraise as appraise_thresholds
from fleet_kedro.signals.study import (
    Search,
    StudySettings,
    run_study,
    study_digest,
    trial_table,
)

_HOURS_PER_DAY = 24


class TuningSettings(StudySettings):
    """Where thresholds on ranks and probabilities are searched."""

    lowest_rank: float = Field(gt=0, lt=1, description="Loosest rank threshold.")
    highest_rank: float = Field(gt=0, lt=1, description="Strictest rank threshold.")
    highest_margin: float = Field(
        gt=0, lt=1, description="Highest floor above the base rate, as a probability."
    )
    base_rate_days: int = Field(
        ge=1, description="Last days of a sample that the base rate is taken from."
    )

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
    base_rate = _base_rate(sample, settings.base_rate_days)

    def appraise(trial: optuna.Trial) -> Appraisal:
        return appraise_thresholds(
            sample,
            _suggest(trial, base_rate, settings),
            settings.label.horizon_bars,
            settings.prior_effective_signals,
        )

    loosest = {"rank_threshold": settings.lowest_rank, "has_floor": False}
    trials = run_study(
        Search(appraise, [loosest]),
        settings,
        journal,
        f"{title}, {study_digest(sample, settings)}",
    )
    return trial_table(trials, lambda drawn: _row(drawn, base_rate))


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


def _row(params: dict[str, Any], base_rate: float) -> dict[str, float]:
    margin = params.get("floor_margin", float("nan"))
    return {
        "rank_threshold": params["rank_threshold"],
        "floor_margin": margin,
        "probability_floor": base_rate + margin if params["has_floor"] else NO_FLOOR,
    }
