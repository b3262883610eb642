import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.models.conformal import ConformalSettings
from fleet_kedro.models.ensemble import ensemble_weights
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.forecast_ensemble import (
    EnsembleWalkSettings,
    known_rows,
    walk_ensemble,
)
from fleet_kedro.validation.forecast_walk import walk_forecaster

HOUR = pd.Timedelta(hours=1)
SETTINGS = EnsembleWalkSettings(
    horizons=(1, 12), intervals=ConformalSettings(window_rows=1000)
)
WALK = WalkForward(
    folds=3, warmup_folds=1, horizon_bars=12, embargo_bars=24, mode="expanding"
)


@pytest.fixture(scope="module")
def walks(drawn_bars, ridge):
    """Two ridges over the same asset, and a model that only makes noise."""
    bars = drawn_bars(seed=1, n_bars=6000)
    folds = WALK.split(bars.timestamp[0], bars.timestamp[-1])
    own = {
        f"ridge_{penalty:g}": walk_forecaster(lambda p=penalty: ridge(p), bars, folds)
        for penalty in (0.01, 3.0)
    }
    table = own["ridge_3"]
    rng = np.random.default_rng(2)
    clueless = {
        f"forecast_{horizon}h": 0.3
        * rng.standard_normal(len(table))
        * table["volatility"]
        * np.sqrt(horizon)
        for horizon in (1, 12)
    }
    return own | {"clueless": table.assign(**clueless)}


@pytest.fixture(scope="module")
def told(walks):
    return walk_ensemble(walks, SETTINGS)


def spoil(walks, rows, seed=0):
    """Change what happened on some rows, for all models alike."""
    rng = np.random.default_rng(seed)
    drawn = {horizon: rng.normal(0, 0.1, int(rows.sum())) for horizon in (1, 12)}
    changed = {}
    for model, walk in walks.items():
        changed[model] = walk.copy()
        for horizon, values in drawn.items():
            changed[model].loc[rows, f"forward_log_return_{horizon}h"] = values
    return changed


class TestKnownValues:
    def test_every_fold_but_the_first_is_told(self, told, walks):
        table = next(iter(walks.values()))

        assert told.forecasts["fold"].unique().tolist() == [1, 2, 3]
        assert told.forecasts["timestamp"].tolist() == (
            table.loc[table["fold"] > 0, "timestamp"].tolist()
        )
        assert told.production["horizon"].tolist() == [1, 12]

    @pytest.mark.parametrize("horizon", [1, 12])
    def test_a_fold_s_weights_are_those_of_the_rows_known_before(
        self, told, walks, horizon
    ):
        table = next(iter(walks.values()))
        begins = table.loc[table["fold"] == 2, "timestamp"].min()
        past = table["timestamp"] < begins - (horizon + 1) * HOUR
        said = np.column_stack([w[f"forecast_{horizon}h"] for w in walks.values()])
        expected = ensemble_weights(
            said[past],
            table[f"forward_log_return_{horizon}h"][past].to_numpy(),
            table["volatility"][past].to_numpy() * np.sqrt(horizon),
            horizon,
            SETTINGS.weights,
        )
        own = told.forecasts.loc[told.forecasts["fold"] == 2]
        columns = [f"weight_{model}_{horizon}h" for model in walks]

        assert expected.sum() > 0.3
        assert (own[columns].to_numpy() == expected).all()
        asked = (table["fold"] == 2).to_numpy()
        assert own[f"forecast_{horizon}h"].to_numpy() == pytest.approx(
            said[asked] @ expected
        )

    def test_the_last_known_row_is_one_whose_outcome_is_there(self, walks):
        table = next(iter(walks.values()))
        begins = table.loc[table["fold"] == 1, "timestamp"].min()

        for horizon in (1, 12):
            known = table.loc[known_rows(table, 1, horizon)]
            assert known["timestamp"].max() == begins - (horizon + 2) * HOUR
            assert known["fold"].unique().tolist() == [0]

    def test_skill_is_found_and_noise_is_not(self, told):
        for row in told.production.to_dict(orient="records"):
            models = row["weight_ridge_0.01"] + row["weight_ridge_3"]
            assert models > 0.5
            assert row["weight_clueless"] < 0.05
            assert row["weight_zero"] == pytest.approx(
                1 - models - row["weight_clueless"]
            )

    def test_production_uses_every_row_that_is_known(self, told, walks):
        table = next(iter(walks.values()))
        said = np.column_stack([w["forecast_12h"] for w in walks.values()])
        expected = ensemble_weights(
            said,
            table["forward_log_return_12h"].to_numpy(),
            table["volatility"].to_numpy() * np.sqrt(12),
            12,
            SETTINGS.weights,
        )
        row = told.production.set_index("horizon").loc[12]

        assert row[[f"weight_{m}" for m in walks]].tolist() == pytest.approx(expected)
        assert 1 < row["interval_width"] < 3

    @pytest.mark.parametrize("horizon", [1, 12])
    def test_intervals_hold_as_often_as_they_should(self, told, horizon):
        rows = told.forecasts.dropna()
        outcome = rows[f"forward_log_return_{horizon}h"]
        is_inside = outcome.between(rows[f"low_{horizon}h"], rows[f"high_{horizon}h"])
        middle = (rows[f"low_{horizon}h"] + rows[f"high_{horizon}h"]) / 2

        assert is_inside.mean() == pytest.approx(0.9, abs=0.02)
        assert middle.to_numpy() == pytest.approx(rows[f"forecast_{horizon}h"])


class TestProperties:
    @given(fold=st.integers(1, 3), seed=st.integers(0, 100))
    @settings(max_examples=6, deadline=None)
    def test_a_fold_ignores_what_is_known_after_it_begins(
        self, walks, told, fold, seed
    ):
        """Its weights and forecasts stay; so do the intervals of its first hours."""
        table = next(iter(walks.values()))
        begins = table.loc[table["fold"] == fold, "timestamp"].min()
        # The outcome of 1 h is known eleven hours earlier than that of 12 h.
        again = walk_ensemble(
            spoil(walks, table["timestamp"] >= begins - 2 * HOUR, seed), SETTINGS
        )
        before, after = (
            t.forecasts.loc[t.forecasts["fold"] == fold].reset_index(drop=True)
            for t in (told, again)
        )
        kept = before.filter(regex="^(forecast|weight)_").columns
        pd.testing.assert_frame_equal(after[kept], before[kept])
        for horizon in (1, 12):
            ends = [f"low_{horizon}h", f"high_{horizon}h"]
            first = before["timestamp"] < begins - 2 * HOUR + (horizon + 1) * HOUR
            pd.testing.assert_frame_equal(
                after.loc[first, ends], before.loc[first, ends]
            )
        assert not again.production.equals(told.production)

    def test_an_interval_ignores_outcomes_that_are_not_known_yet(self, walks, told):
        table = next(iter(walks.values()))
        for place in (500, 1500, 2500):
            now = told.forecasts["timestamp"].iloc[place]
            for horizon in (1, 12):
                unknown = table["timestamp"] > now - (horizon + 1) * HOUR
                own = unknown & (table["fold"] == told.forecasts["fold"].iloc[place])
                again = walk_ensemble(spoil(walks, own), SETTINGS).forecasts
                ends = [f"low_{horizon}h", f"high_{horizon}h"]
                assert again.loc[place, ends].equals(told.forecasts.loc[place, ends])

    def test_the_order_of_the_models_does_not_matter(self, walks, told):
        turned = walk_ensemble(dict(reversed(walks.items())), SETTINGS)

        pd.testing.assert_frame_equal(
            turned.forecasts[told.forecasts.columns], told.forecasts, atol=1e-8
        )

    def test_the_input_is_left_as_it_was(self, walks):
        before = {model: walk.copy() for model, walk in walks.items()}
        walk_ensemble(walks, SETTINGS)

        for model, walk in walks.items():
            pd.testing.assert_frame_equal(walk, before[model])

    def test_a_random_walk_is_left_to_the_zero_forecast(self, drawn_bars, ridge):
        bars = drawn_bars(seed=3, n_bars=6000, known=0.0)
        folds = WALK.split(bars.timestamp[0], bars.timestamp[-1])
        walked = {"ridge": walk_forecaster(ridge, bars, folds)}
        told = walk_ensemble(walked, SETTINGS)

        assert (told.forecasts[["forecast_1h", "forecast_12h"]] == 0).all(axis=None)
        assert told.production["weight_zero"].tolist() == [1.0, 1.0]
        assert (
            told.forecasts["low_12h"].iloc[-1] < 0 < told.forecasts["high_12h"].iloc[-1]
        )


class TestErrors:
    def test_models_that_forecast_other_rows_are_refused(self, walks):
        short = walks["clueless"].iloc[:-1]
        with pytest.raises(ValueError, match=r"clueless forecast .* the same bars"):
            walk_ensemble(walks | {"clueless": short}, SETTINGS)

    def test_one_fold_is_refused(self, walks):
        one = {model: walk.loc[walk["fold"] == 1] for model, walk in walks.items()}
        with pytest.raises(ValueError, match="walk 2 folds or more"):
            walk_ensemble(one, SETTINGS)
