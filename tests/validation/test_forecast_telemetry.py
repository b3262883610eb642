import math

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.forecast_errors import diebold_mariano, forecast_errors
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.forecast_ensemble import (
    EnsembleWalkSettings,
    walk_ensemble,
)
from fleet_kedro.validation.forecast_telemetry import (
    ENSEMBLE,
    ZERO,
    measure_forecasters,
)
from fleet_kedro.validation.forecast_walk import walk_forecaster

BOOTSTRAP = BlockBootstrap(block_days=3, draws=200, level=0.9, seed=5)
WALK = WalkForward(
    folds=2, warmup_folds=2, horizon_bars=12, embargo_bars=24, mode="expanding"
)
KEYS = ["model", "horizon"]


@pytest.fixture(scope="module")
def walks(drawn_bars, ridge):
    bars = drawn_bars(seed=4, n_bars=5000)
    folds = WALK.split(bars.timestamp[0], bars.timestamp[-1])
    return {
        f"ridge_{penalty:g}": walk_forecaster(lambda p=penalty: ridge(p), bars, folds)
        for penalty in (0.01, 3.0)
    }


@pytest.fixture(scope="module")
def ensemble(walks):
    return walk_ensemble(walks, EnsembleWalkSettings(horizons=(1, 12)))


@pytest.fixture(scope="module")
def told(walks, ensemble):
    return measure_forecasters("BTC", walks, ensemble, BOOTSTRAP)


class TestKnownValues:
    def test_a_row_for_everyone_at_each_horizon(self, told):
        models = ["ridge_0.01", "ridge_3", ENSEMBLE, ZERO]

        assert told["model"].tolist() == models * 2
        assert told["horizon"].tolist() == [1] * 4 + [12] * 4
        assert (told["asset"] == "BTC").all()

    def test_everyone_is_judged_on_the_known_rows_of_scored_folds(self, told, walks):
        walk = walks["ridge_3"]
        scored = walk.loc[walk["fold"] >= 1]

        for horizon, rows in told.groupby("horizon"):
            known = scored[f"forward_log_return_{horizon}h"].notna().sum()
            assert rows["rows"].unique().tolist() == [known]
            assert len(set(rows["zero_rmse"])) == 1

    @pytest.mark.parametrize("horizon", [1, 12])
    def test_a_model_s_numbers_are_those_of_its_walk(self, told, walks, horizon):
        walk = walks["ridge_3"]
        own = walk.loc[walk["fold"] >= 1].dropna(
            subset=f"forward_log_return_{horizon}h"
        )
        said = own[f"forecast_{horizon}h"].to_numpy()
        outcome = own[f"forward_log_return_{horizon}h"].to_numpy()
        errors = forecast_errors(said, outcome, own["close"].to_numpy())
        row = told.set_index(KEYS).loc[("ridge_3", horizon)]

        for name, value in errors._asdict().items():
            assert row[name] == value
        assert row["skill"] == errors.skill
        assert row["skill_low"] < row["skill"] < row["skill_high"]
        assert row["dm_p_value"] == diebold_mariano(said, outcome, horizon).p_value
        assert math.isnan(row["coverage"])

    def test_zero_has_no_skill_and_no_direction(self, told):
        zero = told.loc[told["model"] == ZERO]

        assert (zero[["skill", "skill_low", "skill_high", "calls"]] == 0).all(axis=None)
        assert zero[["dm_p_value", "directional_accuracy"]].isna().all(axis=None)
        assert zero["rmse"].tolist() == zero["zero_rmse"].tolist()

    def test_the_ensemble_finds_what_can_be_known(self, told):
        own = told.loc[told["model"] == ENSEMBLE].set_index("horizon")

        assert (own["skill_low"] > 0).all()
        assert (own["dm_p_value"] < 0.05).all()
        assert (own["directional_accuracy"] > own["majority_share"]).all()

    @pytest.mark.parametrize("horizon", [1, 12])
    def test_coverage_overall_and_at_both_ends_of_volatility(
        self, told, ensemble, horizon
    ):
        rows = ensemble.forecasts.query("fold >= 1").dropna(
            subset=f"forward_log_return_{horizon}h"
        )
        inside = rows[f"forward_log_return_{horizon}h"].between(
            rows[f"low_{horizon}h"], rows[f"high_{horizon}h"]
        )
        tenth = len(rows) // 10
        order = rows["volatility"].sort_values().index
        row = told.set_index(KEYS).loc[(ENSEMBLE, horizon)]

        assert row["coverage"] == pytest.approx(inside.mean())
        assert row["coverage"] == pytest.approx(0.9, abs=0.03)
        assert row["coverage_wild"] == pytest.approx(
            inside[order[-tenth:]].mean(), abs=0.01
        )
        assert row["coverage_calm"] == pytest.approx(
            inside[order[:tenth]].mean(), abs=0.01
        )
        width = rows[f"high_{horizon}h"] - rows[f"low_{horizon}h"]
        assert row["interval_width"] == pytest.approx(width.mean())


class TestProperties:
    def test_the_same_walks_give_the_same_numbers(self, told, walks, ensemble):
        again = measure_forecasters("BTC", walks, ensemble, BOOTSTRAP)

        pd.testing.assert_frame_equal(again, told)

    def test_warm_up_folds_do_not_count(self, told, walks, ensemble):
        early = ensemble.forecasts["fold"] < 1
        changed = ensemble._replace(
            forecasts=ensemble.forecasts.assign(
                forward_log_return_1h=ensemble.forecasts["forward_log_return_1h"].mask(
                    early, 1.0
                )
            )
        )
        again = measure_forecasters("BTC", walks, changed, BOOTSTRAP)

        assert early.any()
        pd.testing.assert_frame_equal(again, told)

    def test_a_silent_model_is_measured_where_it_speaks(self, walks, ensemble):
        walk = walks["ridge_3"]
        last = walk["timestamp"].iloc[-500]
        silent = walk.assign(
            forecast_1h=walk["forecast_1h"].mask(walk["timestamp"] > last)
        )
        told = measure_forecasters(
            "BTC", walks | {"ridge_3": silent}, ensemble, BOOTSTRAP
        )
        rows = told.set_index(KEYS)["rows"]

        known = walk["forward_log_return_1h"].notna() & (walk["timestamp"] > last)
        assert rows["ridge_3", 1] == rows[ZERO, 1] - known.sum()
        assert np.isfinite(told["rmse"]).all()
