"""What a brain is taught: of many rows some, each held against all."""

import numpy as np
import pandas as pd
import pytest
from tests.conftest import BRAIN_SETTINGS, Features

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.fleet_rows import FleetRows, gather_rows
from fleet_kedro.splits.thinning import thinned
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.validation.asked import ask, rows_of_fold
from fleet_kedro.validation.taught import what_is_taught

FEW = BRAIN_SETTINGS.model_copy(update={"most_rows": 1_500})
ALL = BRAIN_SETTINGS.model_copy(update={"most_rows": None})


@pytest.fixture(scope="module")
def fold(fleet_features: Features) -> Fold:
    times = fleet_features["BTC"]()["timestamp"]
    end = times.iloc[-1] - 240 * BAR
    return Fold(1, times.iloc[0], end, end + 24 * BAR, end + 200 * BAR)


@pytest.fixture(scope="module")
def rows(fleet_features: Features, fold: Fold) -> FleetRows:
    read = BRAIN_SETTINGS.surface_signals
    return gather_rows(
        fleet_features, catalogue("lean"), [fold], BRAIN_SETTINGS, extra=read
    )


def test_some_rows_are_taught_what_they_are_taught_among_all(
    rows: FleetRows, fold: Fold
) -> None:
    train, _ = rows_of_fold(rows, 0, fold)
    everything = what_is_taught(rows, 0, train, ALL)
    some = what_is_taught(rows, 0, train, FEW)
    kept = thinned(everything.asset, 1_500)
    assert 1_500 <= len(kept) <= 1_503 < len(train) / 3
    pd.testing.assert_frame_equal(
        some.inputs, everything.inputs.iloc[kept].reset_index(drop=True)
    )
    for name in ("outcome", "weight", "asset", "relative"):
        np.testing.assert_array_equal(
            getattr(some, name), getattr(everything, name)[kept], err_msg=name
        )
    # Alone in its hour a row would be held against zero, as its own outcome is.
    assert (some.relative != some.outcome).mean() > 0.1


def test_a_fold_tells_how_many_rows_its_experts_have_learnt_from(
    rows: FleetRows, fold: Fold
) -> None:
    train, validation = rows_of_fold(rows, 0, fold)
    assert ask(rows, 0, fold, ALL).train_rows == len(train)
    asked = ask(rows, 0, fold, FEW)
    assert asked.train_rows == len(
        thinned(rows.table["asset"].to_numpy()[train], 1_500)
    )
    # Nobody is left out of the forecasts.
    assert len(asked.forecasts) == len(validation)
