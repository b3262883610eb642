"""What the tree forecasters have beyond the contract: leaves, cuts, nothing kept."""

import numpy as np
import pytest
from planted import planted_bars

from fleet_kedro.models.forecasters.bars import AssetBars
from fleet_kedro.models.forecasters.base import inner_rows
from fleet_kedro.models.forecasters.lightgbm_trees import (
    LightGBMForecaster,
    LightGBMSettings,
)
from fleet_kedro.models.forecasters.random_forest import (
    RandomForestForecaster,
    RandomForestSettings,
)
from fleet_kedro.models.forecasters.xgboost_trees import (
    XGBoostForecaster,
    XGBoostSettings,
)
from fleet_kedro.models.formats import ARRAYS, arrays_to_bytes

FORECASTERS = [
    (RandomForestForecaster, RandomForestSettings),
    (LightGBMForecaster, LightGBMSettings),
    (XGBoostForecaster, XGBoostSettings),
]
BOOSTED = FORECASTERS[1:]
ALL_OF_ONE_TREE = {
    "n_trees": 1,
    "learning_rate": 1.0,
    "max_leaves": 2,
    "min_leaf_outcomes": 1,
    "row_share": 1.0,
    "column_share": 1.0,
    "clip_target": 100.0,
}


def two_sided() -> tuple[AssetBars, np.ndarray]:
    """Bars whose outcomes at both horizons lie half a unit on the side of a signal."""
    bars = planted_bars(seed=0, r2=0.0, n_bars=3000).bars
    rng = np.random.default_rng(0)
    side = rng.choice([-1.0, 1.0], (len(bars.close), 1))
    rows = np.flatnonzero(bars.is_labelled)
    target = bars.target.copy()
    scaled = 0.5 * side[rows] + rng.standard_normal((len(rows), 2))
    target[rows] = scaled * bars.unit(rows)
    return bars._replace(signals=side.astype(np.float32), target=target), rows


def said_in_units(forecaster, bars: AssetBars, rows: np.ndarray) -> np.ndarray:
    """What the trees say before a share of it is kept."""
    share = np.array([kept.share for kept in forecaster.kept_])
    assert (share > 0.5).all()
    return forecaster.predict(bars, rows) / bars.unit(rows) / share


@pytest.mark.parametrize(("make", "settings"), BOOSTED)
class TestKnownValues:
    @pytest.mark.parametrize("l2", [0.0, 30.0])
    def test_a_leaf_is_the_mean_of_its_outcomes_and_of_added_zeros(
        self, make, settings, l2
    ):
        bars, rows = two_sided()
        learnt = inner_rows(bars, rows, settings().stopping).learnt
        outcome = bars.scaled_target(learnt)

        forecaster = make(settings(**ALL_OF_ONE_TREE, l2=l2)).fit(bars, rows)

        said = said_in_units(forecaster, bars, rows)
        for side in (-1.0, 1.0):
            own = outcome[bars.signals[learnt, 0] == side]
            expected = own.sum(axis=0) / (len(own) + l2 * np.array(bars.horizons))
            on_side = said[bars.signals[rows, 0] == side]
            np.testing.assert_allclose(
                on_side, np.broadcast_to(expected, on_side.shape), rtol=1e-5
            )

    def test_trees_behind_the_best_one_are_dropped(self, make, settings):
        bars, rows = two_sided()
        noise = np.random.default_rng(1).standard_normal((len(bars.close), 5))
        bars = bars._replace(
            signals=np.column_stack([bars.signals, noise]).astype(np.float32)
        )
        hasty = {"learning_rate": 0.5, "l2": 0.0, "patience": 10}

        files = [
            make(settings(**hasty, n_trees=n_trees)).fit(bars, rows).to_files()
            for n_trees in (1, 60, 120)
        ]

        assert files[0] != files[1]
        assert files[1] == files[2]

    def test_what_no_longer_holds_later_is_dropped(self, make, settings):
        bars, rows = two_sided()
        later = inner_rows(bars, rows, settings().stopping).stopping
        turned = bars.target.copy()
        turned[later] *= -1

        held, dropped = (
            make(settings()).fit(bars._replace(target=target), rows)
            for target in (bars.target, turned)
        )

        assert held.n_parameters > 0
        assert dropped.n_parameters == 0


@pytest.mark.parametrize(("make", "settings"), FORECASTERS)
class TestNothingKept:
    def test_a_forecast_of_zero_has_no_trees(self, make, settings):
        bars = planted_bars(seed=0, r2=0.0, n_bars=3000).bars
        rows = np.flatnonzero(bars.is_labelled)

        forecaster = make(settings(doubt=1e6)).fit(bars, rows)

        assert (forecaster.predict(bars, rows) == 0.0).all()
        assert forecaster.to_files().keys() == {ARRAYS}
        assert forecaster.n_parameters == 0
        again = make(settings()).load_files(forecaster.to_files())
        assert (again.predict(bars, rows) == 0.0).all()

    def test_signals_that_never_vary_forecast_one_number_of_units(self, make, settings):
        bars, rows = two_sided()
        flat = bars._replace(signals=np.ones_like(bars.signals))

        scaled = make(settings()).fit(flat, rows).predict(flat, rows) / flat.unit(rows)

        np.testing.assert_allclose(scaled, scaled[:1] * np.ones((len(rows), 1)))
        assert (np.abs(scaled) < 0.1).all()

    def test_a_crash_is_no_more_than_the_clipped_loss(self, make, settings):
        bars, rows = two_sided()
        crashed = bars.target.copy()
        crashed[rows[500:520]] = -1000.0 * bars.unit(rows[500:520])
        least = bars.target.copy()
        least[rows[500:520]] = -2.0 * bars.unit(rows[500:520])

        files = [
            make(settings()).fit(bars._replace(target=target), rows).to_files()
            for target in (crashed, least)
        ]

        assert files[0] == files[1]


class TestErrors:
    @pytest.mark.parametrize(
        "arrays",
        [
            {},
            {"other": np.array([0.0, 0.0])},
            {"share": np.array([0.0])},
            {"share": np.array([0.0, 1.5])},
            {"share": np.array([0.0, np.nan])},
            {"share": np.array([0, 0])},
        ],
    )
    def test_shares_that_are_none_are_refused(self, arrays):
        with pytest.raises(ValueError, match="not one share"):
            LightGBMForecaster(LightGBMSettings()).load_files(
                {ARRAYS: arrays_to_bytes(arrays)}
            )

    def test_trees_that_no_share_speaks_of_are_refused(self):
        files = {ARRAYS: arrays_to_bytes({"share": np.zeros(2)}), "long.txt": b"tree"}
        with pytest.raises(ValueError, match=r"long\.txt.*take the files of one"):
            LightGBMForecaster(LightGBMSettings()).load_files(files)
