"""What the experts of a fold say about its rows, before anybody judges them."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.fleet_rows import FleetRows
from fleet_kedro.models.mixture import PHYSICS_COLUMNS, MixtureOfExpertsEnsemble
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.validation.taught import inputs_of, shifted, what_is_taught


class Asked(NamedTuple):
    """One fold: a brain that has learnt but was not judged, and what it was asked.

    Attributes
    ----------
    train_rows
        Number of rows that the experts learnt from, those of weight zero included.
    forecasts
        A row per validation row, labelled or not: ``timestamp``, ``asset``,
        ``forward_return``, the physics, ``fold``, ``is_positive``, ``taught`` (the
        outcome that judges are told) and ``raw_*``, what each expert said.
    """

    fold: Fold
    brain: MixtureOfExpertsEnsemble
    train_rows: int
    forecasts: pd.DataFrame


class Variant(NamedTuple):
    """How an asking differs from the brain's own.

    Attributes
    ----------
    known, only
        Experts that are not named in ``only`` said the same when ``known`` was asked.
    shift_labels
        Each asset is taught the outcomes of another time, half its rows away: a null in
        which everything is as it was, but nothing can be learnt.
    """

    known: Asked | None = None
    only: Collection[str] | None = None
    shift_labels: bool = False


class FoldRows(NamedTuple):
    """Positions in ``FleetRows.table``: what a fold learns from, what it forecasts."""

    train: Int64[np.ndarray, " train"]
    validation: Int64[np.ndarray, " validation"]


def rows_of_fold(rows: FleetRows, number: int, fold: Fold) -> FoldRows:
    """Return what a fold learns from, and what it forecasts, labelled or not.

    Only assets that take part in the fold count. A forecast whose outcome will never be
    known is ranked like any other, as it would be on the day.
    """
    table = rows.table
    timestamp = pd.DatetimeIndex(table["timestamp"])
    takes_part = table["asset"].isin(list(rows.refiners[number].scales)).to_numpy()
    is_labelled = np.isfinite(table["forward_return"].to_numpy())
    return FoldRows(
        np.flatnonzero(fold.trains_on(timestamp) & takes_part & is_labelled),
        np.flatnonzero(fold.validates_on(timestamp) & takes_part),
    )


def ask(
    rows: FleetRows,
    number: int,
    fold: Fold,
    settings: BrainSettings,
    variant: Variant | None = None,
) -> Asked:
    """Let a brain learn from the past of a fold, and ask it about the fold."""
    known, only, shift_labels = variant or Variant()
    train, validation = rows_of_fold(rows, number, fold)
    taught = what_is_taught(rows, number, train, settings)
    if shift_labels:
        taught = taught.shifted()
    unfitted = settings.unfitted(n_assets=len(np.unique(taught.asset)))
    brain = taught.to(unfitted, only=only)
    asked = rows.table.iloc[validation]
    said = dict(
        zip(
            brain.experts_,
            brain.expert_probability(
                inputs_of(rows, number, validation, settings),
                asked["asset"].to_numpy(),
            ).T,
            strict=True,
        )
    )
    # False where the outcome will never be known; such rows are dropped before judging.
    happened = asked["forward_return"].to_numpy() > settings.label.round_trip_cost
    told = shifted(happened, asked["asset"].to_numpy()) if shift_labels else happened
    forecasts = (
        asked.loc[:, ["timestamp", "asset", "forward_return", *PHYSICS_COLUMNS]]
        .assign(fold=np.int8(fold.number), is_positive=happened, taught=told)
        .reset_index(drop=True)
        .assign(**_raw(brain, said, known))
    )
    return Asked(fold, brain, len(taught.outcome), forecasts)


def _raw(
    brain: MixtureOfExpertsEnsemble,
    said: Mapping[str, Float[np.ndarray, " rows"]],
    known: Asked | None,
) -> dict[str, Float[np.ndarray, " rows"]]:
    """Return every expert's column, from this asking or from the known one."""
    return {
        f"raw_{name}": said[name]
        if name in said or known is None
        else known.forecasts[f"raw_{name}"].to_numpy()
        for name in brain.experts
    }
