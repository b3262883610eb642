"""One forecaster of one asset: walked for its scores, then fitted for production.

Both take time, so what is finished is kept: a training that would read the same numbers
with the same settings and the same code ends in the same bytes, and can take over the
earlier result instead.
"""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import distributions
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from fleet_kedro.market.schema import BAR
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.models.forecasters.bars import AssetBars
from fleet_kedro.models.forecasters.base import Forecaster
from fleet_kedro.models.forecasters.kinds import Kind
from fleet_kedro.models.forecasters.settings import (
    ForecasterSettings,
    make_forecaster,
)
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.card import DataUsed, ModelCard, library_versions
from fleet_kedro.store.fingerprint import array_hash, fingerprint
from fleet_kedro.validation.forecast_walk import fit_final, walk_forecaster
from fleet_kedro.validation.forecaster_card import judge_forecaster, score_walk

CODE = (
    "fleet_kedro.market.epoch",
    "fleet_kedro.metrics.bootstrap",
    "fleet_kedro.metrics.forecast_errors",
    "fleet_kedro.models.forecasters",
    "fleet_kedro.models.formats",
    "fleet_kedro.models.full_window",
    "fleet_kedro.models.lightgbm_text",
    "fleet_kedro.models.training",
    "fleet_kedro.models.ubjson",
    "fleet_kedro.models.xgboost_trees_check",
    "fleet_kedro.splits.walk_forward",
    "fleet_kedro.validation.forecast_skill",
    "fleet_kedro.validation.forecast_walk",
    "fleet_kedro.validation.forecaster_card",
    "fleet_kedro.validation.forecaster_training",
)
"""What shapes a forecaster, its walk and its scores, beside numbers and settings.

Labels and features are in the numbers, and the store refuses what it would now write
differently.
"""


class TrainingJob(NamedTuple):
    """Which forecaster is to be trained, on what, and by which rules."""

    asset: str
    kind: Kind
    source: str
    folds: Sequence[Fold]
    settings: ForecasterSettings
    bootstrap: BlockBootstrap

    @property
    def name(self) -> str:
        """What the store calls the forecaster."""
        return f"{self.asset}-{self.kind}".lower()


class TrainedForecaster(NamedTuple):
    """A forecaster for production, and what its like forecast out of sample."""

    model: StoredModel
    walk: pd.DataFrame


def job_fingerprint(job: TrainingJob, bars: AssetBars) -> str:
    """Return what two trainings share if they would end in the same bytes."""
    shaped_by = {
        "name": job.name,
        "kind": job.kind,
        "source": job.source,
        "settings": _parameters(job),
        "folds": [[str(part) for part in vars(fold).values()] for fold in job.folds],
        "bootstrap": job.bootstrap.model_dump(mode="json"),
        "libraries": _libraries(),
    }
    return fingerprint(_arrays(bars), shaped_by, CODE)


class TrainingWatcher:
    """Looks on; this one says nothing."""

    def on_fit(self) -> None:
        """Take note that the next fit begins."""

    def on_step(self, done: int, most: int, loss: float | None) -> None:
        """Take note of a step of that fit, and of its validation loss."""


def train_forecaster(
    job: TrainingJob, bars: AssetBars, watcher: TrainingWatcher | None = None
) -> TrainedForecaster:
    """Walk the forecaster through the folds, fit another one on all rows, and tell."""
    watcher = watcher or TrainingWatcher()

    def untrained() -> Forecaster:
        watcher.on_fit()
        return make_forecaster(job.kind, job.settings)

    walk = walk_forecaster(untrained, bars, job.folds, watcher.on_step)
    final = fit_final(untrained, bars, watcher.on_step)
    files = final.to_files()
    card = _card(job, bars, walk, final).naming(files)
    return TrainedForecaster(StoredModel(card, files), walk)


def _card(
    job: TrainingJob, bars: AssetBars, walk: pd.DataFrame, final: Forecaster
) -> ModelCard:
    metrics = score_walk(walk, bars.horizons, job.bootstrap)
    learnt = bars.timestamp[bars.is_labelled]
    last_known = learnt[-1] + (max(bars.horizons) + 1) * BAR
    return ModelCard(
        name=job.name,
        kind=job.kind,
        assets=(job.asset,),
        libraries=_libraries(),
        parameters=_parameters(job),
        data=DataUsed(
            source=job.source,
            start=learnt[0].to_pydatetime(),
            end=last_known.to_pydatetime(),
            rows=len(learnt),
            sha256=array_hash(_arrays(bars)),
        ),
        folds=sum(fold.is_scored for fold in job.folds),
        metrics=metrics,
        verdict=judge_forecaster(metrics),
        n_parameters=final.n_parameters,
        fingerprint=job_fingerprint(job, bars),
    )


def _parameters(job: TrainingJob) -> dict[str, Any]:
    """Return the settings that reach this kind of forecaster, and no other's."""
    return job.settings.model_dump(mode="json", include={"bars", "seed", job.kind})


def _arrays(bars: AssetBars) -> dict[str, Shaped[np.ndarray, "..."]]:
    hours = bars.timestamp.tz_localize(None).to_numpy()
    return bars._asdict() | {"timestamp": hours, "horizons": np.array(bars.horizons)}


@cache
def _libraries() -> dict[str, str]:
    """Return the versions of what trains; XGBoost comes under one of two names."""
    installed = {found.name for found in distributions()}
    names = {"lightgbm", "numpy", "torch", "xgboost", "xgboost-cpu"}
    return library_versions(*(names & installed))
