"""What the experts of a fold say about its rows, before anybody judges them."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64, Shaped

from fleet_kedro.features.energy import energy, fit_energy, sample_weight
from fleet_kedro.labels.beats_fleet import beats_fleet
from fleet_kedro.labels.forward_return import is_positive
from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.fleet_rows import FleetRows, expert_inputs
from fleet_kedro.models.mixture import PHYSICS_COLUMNS, MixtureOfExpertsEnsemble
from fleet_kedro.splits.walk_forward import Fold

_WARNING = "physics_stability_warning"


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


def relative_outcome(
    table: pd.DataFrame, settings: BrainSettings
) -> Bool[np.ndarray, " rows"]:
    """Return whether each row beat the fleet; see `beats_fleet`."""
    return beats_fleet(
        table["forward_return"].to_numpy(),
        table["elastic_return_volatility"].to_numpy(),
        table["timestamp"].to_numpy(),
        settings.label,
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
    table = rows.table.iloc[train]
    asset = table["asset"].to_numpy()
    outcome = is_positive(table["forward_return"].to_numpy(), settings.label)
    relative = relative_outcome(table, settings)
    brain = settings.unfitted(n_assets=len(np.unique(asset))).learn(
        _inputs(rows, number, train, settings),
        shifted(outcome, asset) if shift_labels else outcome,
        weights(table, settings),
        asset,
        relative=shifted(relative, asset) if shift_labels else relative,
        only=only,
    )
    asked = rows.table.iloc[validation]
    said = dict(
        zip(
            brain.experts_,
            brain.expert_probability(
                _inputs(rows, number, validation, settings),
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
    return Asked(fold, brain, len(train), forecasts)


def shifted(
    outcome: Bool[np.ndarray, " rows"], asset: Shaped[np.ndarray, " rows"]
) -> Bool[np.ndarray, " rows"]:
    """Rotate each asset's outcomes by half of its rows."""
    rotated = outcome.copy()
    for name in np.unique(asset):
        own = np.flatnonzero(asset == name)
        rotated[own] = np.roll(outcome[own], len(own) // 2)
    return rotated


def weights(table: pd.DataFrame, settings: BrainSettings) -> Float[np.ndarray, " rows"]:
    """Weigh training rows: more under high energy, nothing under the warning."""
    loudness = np.zeros(len(table))
    for _, own in table.reset_index(drop=True).groupby("asset"):
        volume = own["energy_volume"].to_numpy(dtype=np.float64)
        move = own["energy_move"].to_numpy(dtype=np.float64)
        loudness[own.index] = energy(volume, move, fit_energy(volume, move))
    warning = table[_WARNING].to_numpy(dtype=np.float64)
    return sample_weight(loudness * settings.use_energy, warning * settings.mask_chaos)


def _inputs(
    rows: FleetRows,
    number: int,
    row: Int64[np.ndarray, " rows"],
    settings: BrainSettings,
) -> pd.DataFrame:
    """Return what experts and gate read: this fold's latents and own inputs."""
    return expert_inputs(rows.table.iloc[row], rows.latents[number][row], settings)


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
