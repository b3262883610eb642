"""Mistakes in what a fold learns from, and in who judges whom."""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped
from sklearn.model_selection import TimeSeriesSplit

from fleet_kedro.audit.checks import ORDER, PERTURB
from fleet_kedro.audit.planted.leak import Leak, leak
from fleet_kedro.audit.step import Law
from fleet_kedro.audit.steps.fits import forecasts_before_judges, training_rows
from fleet_kedro.audit.world import World
from fleet_kedro.features.build import LABEL
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.mixture import (
    PHYSICS_COLUMNS,
    MixtureOfExpertsEnsemble,
    PastForecasts,
)

_FITTED = Law(is_fitted=True)


def fold_leaks() -> list[Leak]:
    """Return the mistakes that are made with folds."""
    return [
        leak("unpurged fold", unpurged_folds, _FITTED, PERTURB),
        leak("in-sample oracle", in_sample_oracle, _FITTED, PERTURB),
        leak("asset-stacked folds", asset_stacked_folds, _FITTED, ORDER),
    ]


def unpurged_folds(world: World) -> pd.DataFrame:
    """Train up to the last bar before the validation span."""
    unpurged = [
        replace(fold, train_end=fold.validation_start) for fold in world.folds()
    ]
    return _as_values(training_rows(world, unpurged))


def asset_stacked_folds(world: World) -> pd.DataFrame:
    """Cut the folds from rows that are stacked asset by asset."""
    stacked = pd.concat(world.features.values(), ignore_index=True)
    folds = TimeSeriesSplit(n_splits=len(world.assets)).split(stacked)
    return pd.DataFrame(
        [
            {
                "timestamp": stacked["timestamp"].iloc[validation].min() - BAR,
                "asset": f"fold {number}",
                "value": stacked[LABEL].iloc[train].mean(),
            }
            for number, (train, validation) in enumerate(folds)
        ]
    )


def in_sample_oracle(world: World) -> pd.DataFrame:
    """Judge the experts on the rows that they were trained on."""
    return _as_values(forecasts_before_judges(world, _InSampleEnsemble))


class _InSampleEnsemble(MixtureOfExpertsEnsemble):
    """A mixture whose gate and calibrations learn from training rows."""

    def _hold_out(
        self,
        X: pd.DataFrame,
        y: Bool[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
        asset: Shaped[np.ndarray, " rows"],
        relative: Bool[np.ndarray, " rows"] | None,
    ) -> PastForecasts:
        self.learn(X, y, weight, asset, relative=relative)
        physics = X.loc[:, list(PHYSICS_COLUMNS)].to_numpy()
        return PastForecasts(self.expert_probability(X, asset), physics, asset, y)


def _as_values(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(["timestamp", "asset"]).add_prefix("value_").reset_index()
