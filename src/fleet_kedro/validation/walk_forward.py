"""The walk: at every fold learn from the past, forecast the next span, move on.

What a fold's judges learn from (calibrations, gate, thresholds) are the forecasts that
earlier folds made out of sample, as far as their outcome is known before the fold's
own validation span and its embargo.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.features.lags import LAGS, lagged_names
from fleet_kedro.features.signal import Signal
from fleet_kedro.labels.forward_return import is_positive
from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.fleet_rows import (
    FeatureLoaders,
    FleetRows,
    Track,
    gather_rows,
)
from fleet_kedro.models.mixture import PHYSICS_COLUMNS
from fleet_kedro.signals.thresholds import ThresholdSettings
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.validation.ablations import AblationSet, ablate, ablations_of
from fleet_kedro.validation.asked import Asked, ask, rows_of_fold
from fleet_kedro.validation.judged import decide_fold, judge_fold, labelled
from fleet_kedro.validation.tree_rival import TreeRival
from fleet_kedro.validation.watcher import FoldOutcome, Watcher


class WalkSettings(Config):
    """What is walked forward: a brain, its thresholds, its rivals, its ablations."""

    brain: BrainSettings
    thresholds: ThresholdSettings
    volatility_null: TreeRival
    quick_lightgbm: TreeRival | None = Field(
        default=None, description="What an afternoon would have built; null: not asked."
    )
    ablations: AblationSet = Field(
        default="off",
        description="off; fast: what teaches few experts anew; full: all of them.",
    )

    @property
    def tree_rivals(self) -> dict[str, TreeRival]:
        """Rivals that are fitted fold by fold, by the column of their forecasts."""
        rivals = {"volatility_only": self.volatility_null}
        if self.quick_lightgbm is not None:
            rivals["quick_lightgbm"] = self.quick_lightgbm
        return rivals


class Walk(NamedTuple):
    """What a walk leaves behind.

    Attributes
    ----------
    forecasts
        Every scored forecast, a row per (timestamp, asset): ``fold``,
        ``forward_return``, ``is_positive``, the physics, ``probability`` with its
        interval (``probability_low``, ``probability_high``), its ``rank``, the
        ``threshold`` of the rank, ``is_signal``, for each expert ``raw_*`` (as it
        said), ``expert_*`` (calibrated) and ``gate_*``, the rivals' ``volatility_only``
        and ``quick_lightgbm``, and the probabilities of ablated brains, ``ablation_*``.
    folds
        A row per scored fold: its spans, rows, columns and latents.
    loadings
        Scored fold, latent and family: the family's share of the squared loadings.
    """

    forecasts: pd.DataFrame
    folds: pd.DataFrame
    loadings: pd.DataFrame


def walk_forward(
    features: FeatureLoaders,
    signals: Sequence[Signal],
    folds: Sequence[Fold],
    settings: WalkSettings,
    watcher: Watcher | None = None,
) -> Walk:
    """Walk one brain through all folds, over all assets that ``features`` holds."""
    watcher = watcher or Watcher()
    _check_rivals(settings, signals)
    read = {name for rival in settings.tree_rivals.values() for name in rival.signals}
    read |= set(settings.brain.surface_signals)
    rows = gather_rows(
        features,
        signals,
        folds,
        settings.brain,
        extra=sorted(read),
        track=watcher.track,
    )
    watcher.on_rows(len(features), len(rows.table))
    walked: list[Asked] = []
    frames: list[pd.DataFrame] = []
    for number, fold in enumerate(watcher.track(folds, "Walking forward")):
        walked.append(ask(rows, number, fold, settings.brain))
        frames.append(_decided(walked[-1], frames, settings))
        if fold.is_scored:
            watcher.on_fold(_outcome(rows, number, walked[-1], frames[-1]))
    everything = pd.concat(frames, ignore_index=True).assign(
        **_rival_columns(rows, folds, settings, watcher.track),
        **{
            f"ablation_{ablation.name}": ablate(
                rows, walked, settings.brain, ablation, watcher.track
            )
            for ablation in ablations_of(settings.brain, settings.ablations)
        },
    )
    forecasts = labelled(everything.drop(columns="taught"))
    scored = [number for number, fold in enumerate(folds) if fold.is_scored]
    return Walk(
        forecasts=forecasts.loc[forecasts["fold"] >= 1].reset_index(drop=True),
        folds=pd.DataFrame(
            [_describe(rows, number, walked[number]) for number in scored]
        ),
        loadings=_loadings(rows, signals, folds),
    )


def _decided(
    asked: Asked, earlier: Sequence[pd.DataFrame], settings: WalkSettings
) -> pd.DataFrame:
    return decide_fold(
        judge_fold(asked, earlier),
        asked.fold,
        earlier,
        settings.thresholds,
        settings.brain.label.round_trip_cost,
    )


def _check_rivals(settings: WalkSettings, signals: Sequence[Signal]) -> None:
    known = {signal.name for signal in signals}
    asked = {name: rival.signals for name, rival in settings.tree_rivals.items()}
    asked["the Surface expert"] = settings.brain.surface_signals
    for name, read in asked.items():
        missing = [signal for signal in read if signal not in known]
        if missing:
            raise ValueError(
                f"{name} reads {', '.join(missing)}, which the profile of "
                f"{len(known)} signals does not hold: name others."
            )


def _rival_columns(
    rows: FleetRows,
    folds: Sequence[Fold],
    settings: WalkSettings,
    track: Track,
) -> dict[str, Float[np.ndarray, " rows"]]:
    """Fit the tree rivals on every fold; a column each, the folds one after another."""
    said: dict[str, list[Float[np.ndarray, " rows"]]] = {
        name: [] for name in settings.tree_rivals
    }
    for number, fold in track(list(enumerate(folds)), "Rivals"):
        train, validation = rows_of_fold(rows, number, fold)
        learnt = rows.table.iloc[train]
        outcome = is_positive(learnt["forward_return"].to_numpy(), settings.brain.label)
        for name, rival in settings.tree_rivals.items():
            said[name].append(
                rival.forecast(learnt, outcome, rows.table.iloc[validation])
            )
    return {name: np.concatenate(parts) for name, parts in said.items()}


def _outcome(
    rows: FleetRows, number: int, asked: Asked, forecasts: pd.DataFrame
) -> FoldOutcome:
    flex = rows.refiners[number].flex
    return FoldOutcome(
        fold=asked.fold,
        n_columns=len(flex.projection_),
        n_latents=flex.projection_.shape[1],
        n_physics=len(PHYSICS_COLUMNS),
        embedding_width=asked.brain.embedding_.width_,
        forecasts=labelled(forecasts),
    )


def _describe(rows: FleetRows, number: int, asked: Asked) -> dict[str, object]:
    columns, latents = rows.refiners[number].flex.projection_.shape
    fold = asked.fold
    return {
        "fold": fold.number,
        "train_start": fold.train_start,
        "train_end": fold.train_end,
        "validation_start": fold.validation_start,
        "validation_end": fold.validation_end,
        "train_rows": asked.train_rows,
        "validation_rows": len(labelled(asked.forecasts)),
        "columns": columns,
        "latents": latents,
    }


def _loadings(
    rows: FleetRows, signals: Sequence[Signal], folds: Sequence[Fold]
) -> pd.DataFrame:
    names = lagged_names([signal.name for signal in signals])
    families = [signal.family for signal in signals] * len(LAGS)
    return pd.concat(
        [
            refiner.flex.loadings(names, families).assign(fold=fold.number)
            for refiner, fold in zip(rows.refiners, folds, strict=True)
            if fold.is_scored
        ],
        ignore_index=True,
    )
