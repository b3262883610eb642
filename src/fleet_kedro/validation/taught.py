"""What a brain is taught of some rows: inputs, outcomes, weights and assets."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64, Shaped

from fleet_kedro.features.energy import energy, fit_energy, sample_weight
from fleet_kedro.labels.beats_fleet import beats_fleet
from fleet_kedro.labels.forward_return import is_positive
from fleet_kedro.models.brain import BrainSettings
from fleet_kedro.models.fleet_rows import FleetRows, expert_inputs
from fleet_kedro.models.mixture import MixtureOfExpertsEnsemble
from fleet_kedro.splits.thinning import thinned

_WARNING = "physics_stability_warning"


class Taught(NamedTuple):
    """What experts learn from, row by row.

    Attributes
    ----------
    outcome
        Whether the trade earned more than its cost.
    relative
        Whether it beat the fleet; see `beats_fleet`.
    """

    inputs: pd.DataFrame
    outcome: Bool[np.ndarray, " rows"]
    weight: Float[np.ndarray, " rows"]
    asset: Shaped[np.ndarray, " rows"]
    relative: Bool[np.ndarray, " rows"]

    def shifted(self) -> "Taught":
        """Teach each asset the outcomes of another time; see `shifted`."""
        return self._replace(
            outcome=shifted(self.outcome, self.asset),
            relative=shifted(self.relative, self.asset),
        )

    def to(
        self, brain: MixtureOfExpertsEnsemble, only: Collection[str] | None = None
    ) -> MixtureOfExpertsEnsemble:
        """Let the experts of a brain learn, or ``only`` some of them."""
        return brain.learn(
            self.inputs,
            self.outcome,
            self.weight,
            self.asset,
            relative=self.relative,
            only=only,
        )


def what_is_taught(
    rows: FleetRows,
    number: int,
    train: Int64[np.ndarray, " train"],
    settings: BrainSettings,
) -> Taught:
    """Gather it for training rows, given by position, of the fold ``number``.

    Of many rows some are taught; see `thinned`. What they are held against, the fleet
    and the energy of their asset, is known from all of them.
    """
    table = rows.table.iloc[train]
    taught = thinned(table["asset"].to_numpy(), settings.most_rows)
    relative, weight = _relative_outcome(table, settings), _weights(table, settings)
    kept = table.iloc[taught]
    return Taught(
        inputs=inputs_of(rows, number, train[taught], settings),
        outcome=is_positive(kept["forward_return"].to_numpy(), settings.label),
        weight=weight[taught],
        asset=kept["asset"].to_numpy(),
        relative=relative[taught],
    )


def inputs_of(
    rows: FleetRows,
    number: int,
    row: Int64[np.ndarray, " rows"],
    settings: BrainSettings,
) -> pd.DataFrame:
    """Return what experts and gate read: this fold's latents and own inputs."""
    return expert_inputs(rows.table.iloc[row], rows.latents[number][row], settings)


def shifted(
    outcome: Bool[np.ndarray, " rows"], asset: Shaped[np.ndarray, " rows"]
) -> Bool[np.ndarray, " rows"]:
    """Rotate each asset's outcomes by half of its rows."""
    rotated = outcome.copy()
    for name in np.unique(asset):
        own = np.flatnonzero(asset == name)
        rotated[own] = np.roll(outcome[own], len(own) // 2)
    return rotated


def _relative_outcome(
    table: pd.DataFrame, settings: BrainSettings
) -> Bool[np.ndarray, " rows"]:
    """Return whether each row beat the fleet; see `beats_fleet`."""
    return beats_fleet(
        table["forward_return"].to_numpy(),
        table["elastic_return_volatility"].to_numpy(),
        table["timestamp"].dt.tz_localize(None).to_numpy(),
        settings.label,
    )


def _weights(
    table: pd.DataFrame, settings: BrainSettings
) -> Float[np.ndarray, " rows"]:
    """Weigh training rows: more under high energy, nothing under the warning."""
    loudness = np.zeros(len(table))
    for _, own in table.reset_index(drop=True).groupby("asset"):
        volume = own["energy_volume"].to_numpy(dtype=np.float64)
        move = own["energy_move"].to_numpy(dtype=np.float64)
        loudness[own.index] = energy(volume, move, fit_energy(volume, move))
    warning = table[_WARNING].to_numpy(dtype=np.float64)
    return sample_weight(loudness * settings.use_energy, warning * settings.mask_chaos)
