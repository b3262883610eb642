"""Steps that are fitted for a fold: what they learnt from, scales, latents, judges."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fleet_kedro.audit.memory import MEMORY, Notebook, with_memory
from fleet_kedro.audit.step import Law, Step
from fleet_kedro.audit.trials import embargo_start
from fleet_kedro.audit.world import World
from fleet_kedro.features.build import LABEL
from fleet_kedro.features.energy import EnergyScale, fit_energy
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.mixture import PHYSICS_COLUMNS, MixtureOfExpertsEnsemble
from fleet_kedro.splits.walk_forward import Fold

FITTED = Law(is_fitted=True)


def fit_steps() -> list[Step]:
    """Return what a fold learns before it forecasts."""
    return [
        Step("folds: expanding", "folds", expanding_training_rows, "learnt_.*", FITTED),
        Step("folds: rolling", "folds", rolling_training_rows, "learnt_.*", FITTED),
        Step("energy scale", "energy scale", energy_scales, "energy_.*", FITTED),
        Step("z-score", "z-score", z_scores, "(mean|scale)_.*", FITTED),
        Step("latents", "latents", latents, "latent_.*", FITTED),
        Step("gate oracle", "gate oracle", judged_forecasts, "judged_.*", FITTED),
    ]


def known_at(fold: Fold, world: World) -> pd.Timestamp:
    """Return the last candle before a fold's embargo: by then all must be learnt."""
    return embargo_start(fold, world) - BAR


def expanding_training_rows(world: World) -> pd.DataFrame:
    """Describe what every expanding fold learns from."""
    return training_rows(world, world.folds())


def rolling_training_rows(world: World) -> pd.DataFrame:
    """Describe what every rolling fold learns from."""
    rolling = world.settings.walk_forward.model_copy(
        update={"mode": "rolling", "train_bars": 240}
    )
    return training_rows(world, world.folds(rolling))


def training_rows(world: World, folds: Iterable[Fold]) -> pd.DataFrame:
    """Count and average the labelled rows that each fold learns from, by asset.

    Whatever joins or leaves them, or changes its label, changes an average.
    """
    rows = []
    for fold in folds:
        for asset, table in world.features.items():
            trained = _trained_on(fold, table)
            trained = trained.loc[trained[LABEL].notna()]
            stamps = pd.DatetimeIndex(trained["timestamp"])
            age_hours = np.asarray((fold.validation_start - stamps) / BAR)
            rows.append(
                {
                    "timestamp": known_at(fold, world),
                    "asset": asset,
                    "learnt_rows": len(trained),
                    "learnt_age": age_hours.mean(),
                    "learnt_return": trained[LABEL].mean(),
                }
            )
    return pd.DataFrame(rows)


def energy_scales(world: World) -> pd.DataFrame:
    """Fit the energy scale of each fold and asset."""
    rows = []
    for fold in world.folds():
        for asset, table in world.features.items():
            trained = _trained_on(fold, table)
            scale = fit_energy(
                trained["energy_volume"].to_numpy(dtype=np.float64),
                trained["energy_move"].to_numpy(dtype=np.float64),
            )
            rows.append(_keyed(fold, world, asset) | _as_columns(scale))
    return pd.DataFrame(rows)


def z_scores(world: World) -> pd.DataFrame:
    """Return the mean and scale of every signal, by fold and asset."""
    rows = []
    for fold, refiner in zip(world.folds(), world.rows.refiners, strict=True):
        for asset, score in refiner.scales.items():
            means = {f"mean_{i:03d}": value for i, value in enumerate(score.mean)}
            scales = {f"scale_{i:03d}": value for i, value in enumerate(score.scale)}
            rows.append(_keyed(fold, world, asset) | means | scales)
    return pd.DataFrame(rows)


def latents(world: World) -> pd.DataFrame:
    """Return the latents that each fold forecasts its validation rows from."""
    table = world.rows.table
    stamps = pd.DatetimeIndex(table["timestamp"])
    parts = []
    for fold, values in zip(world.folds(), world.rows.latents, strict=True):
        row = np.flatnonzero(fold.validates_on(stamps))
        names = [f"latent_{i:02d}" for i in range(values.shape[1])]
        keys = table.loc[row, ["timestamp", "asset"]].reset_index(drop=True)
        numbers = pd.DataFrame(values[row], columns=names)
        parts.append(pd.concat([keys, numbers], axis="columns"))
    return pd.concat(parts, ignore_index=True)


def judged_forecasts(world: World) -> pd.DataFrame:
    """Return what an expert that memorises says of the rows that judges learn from."""
    return forecasts_before_judges(world, MixtureOfExpertsEnsemble)


def forecasts_before_judges(
    world: World, ensemble: type[MixtureOfExpertsEnsemble]
) -> pd.DataFrame:
    """Fit an ensemble on each fold; note what its one expert said to be judged.

    The expert knows by heart the label of every row that it was fitted on. If it was
    judged out of sample, what it said of a row was known when the row was.
    """
    table = world.rows.table
    stamps = pd.DatetimeIndex(table["timestamp"])
    said = []
    for fold in world.folds():
        row = np.flatnonzero(fold.trains_on(stamps) & table[LABEL].notna())
        notebook = Notebook()
        with_memory(ensemble, notebook, _purge_rows(world)).fit(
            table.loc[row, list(PHYSICS_COLUMNS)].assign(**{MEMORY: row * 1.0}),
            _is_positive(table.loc[row, LABEL], world),
            asset=table.loc[row, "asset"].to_numpy(),
        )
        keys = table.loc[list(notebook.said), ["timestamp", "asset"]]
        column = f"judged_in_fold_{fold.number}"
        said.append(keys.assign(**{column: list(notebook.said.values())}))
    merged = said[0]
    for more in said[1:]:
        merged = merged.merge(more, on=["timestamp", "asset"], how="outer")
    return merged


def _trained_on(fold: Fold, table: pd.DataFrame) -> pd.DataFrame:
    return table.loc[fold.trains_on(pd.DatetimeIndex(table["timestamp"]))]


def _purge_rows(world: World) -> int:
    return len(world.assets) * world.settings.features.label.last_known_offset_bars


def _is_positive(returns: pd.Series, world: World) -> np.ndarray:
    return returns.to_numpy() > world.settings.features.label.round_trip_cost


def _keyed(fold: Fold, world: World, asset: str) -> dict[str, object]:
    return {"timestamp": known_at(fold, world), "asset": asset}


def _as_columns(scale: EnergyScale) -> dict[str, float]:
    return {f"energy_{name}": value for name, value in vars(scale).items()}
