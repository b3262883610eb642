import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.nested import (
    PRODUCTION,
    choose,
    judged_rows,
    known_before,
    production_thresholds,
    score_folds,
    tune_fleet,
)

LABEL = Label(horizon_bars=12, round_trip_cost=0.002)
HOUR = pd.Timedelta(hours=1)


@pytest.fixture(scope="module")
def forecasts(draw):
    return draw()


@pytest.fixture(scope="module")
def tune(settings_with, tmp_path_factory):
    """Tune with a journal of its own."""

    def tune(forecasts, **changes):
        journal = tmp_path_factory.mktemp("tuned") / "journal.log"
        return tune_fleet(forecasts, settings_with(**changes), journal)

    return tune


@pytest.fixture(scope="module")
def trials(forecasts, tune):
    return tune(forecasts)


class TestKnownValues:
    def test_there_is_a_study_for_every_later_fold_and_one_for_production(self, trials):
        studies = trials.groupby(["fold", "asset"]).size()

        assert studies.to_dict() == {
            (fold, asset): 16 for fold in (PRODUCTION, 2, 3) for asset in ("BTC", "ETH")
        }
        assert list(trials.columns[:3]) == ["asset", "fold", "trial"]

    def test_the_last_outcome_is_known_an_hour_before_the_fold(self, forecasts):
        begins = forecasts.loc[forecasts["fold"] == 2, "timestamp"].min()
        known = known_before(forecasts, 2, LABEL)

        # Entry at the next open, exit twelve hours later: thirteen hours, and before.
        assert known["timestamp"].max() == begins - 14 * HOUR
        assert len(known) == 2 * (240 - 13)

    def test_the_best_of_each_study_is_chosen(self, trials):
        chosen = choose(trials)

        assert len(chosen) == 6
        for row in chosen.to_dict(orient="records"):
            study = trials.loc[
                (trials["asset"] == row["asset"])
                & (trials["fold"] == row["fold"])
                & trials["is_feasible"]
            ]
            assert row["value"] == study["value"].max()

    def test_thresholds_are_applied_to_their_own_fold_and_asset(self):
        rows = pd.DataFrame(
            {
                "timestamp": pd.date_range("2023-01-01", periods=5, freq="D", tz="UTC"),
                "asset": ["BTC", "BTC", "BTC", "ETH", "ETH"],
                "fold": np.array([1, 2, 2, 2, 2], dtype=np.int8),
                "rank": [0.99, 0.91, 0.91, 0.91, 0.99],
                "probability": [0.6, 0.6, 0.4, 0.6, 0.6],
                "forward_return": [0.012, 0.022, -0.01, 0.01, -0.018],
                "is_positive": [True, True, False, True, False],
                "threshold": 0.95,
                "is_signal": [True, False, False, False, True],
            }
        )
        found = pd.DataFrame(
            {
                "asset": ["BTC", "ETH"],
                "fold": np.array([2, 3], dtype=np.int8),
                "trial": 0,
                "rank_threshold": 0.9,
                "floor_margin": 0.1,
                "probability_floor": 0.5,
                "value": 0.0,
                "is_feasible": True,
            }
        )
        judged = judged_rows(rows, found)
        scored = score_folds(judged, LABEL).set_index("asset")

        # ETH has thresholds for another fold only, so it stays silent.
        assert judged["is_tuned"].tolist() == [True, False, False, False]
        assert scored.loc["BTC", ["signals", "precision", "recall"]].tolist() == [1] * 3
        assert scored.loc["BTC", "net_return"] == pytest.approx(0.02)
        assert scored.loc["BTC", "lift"] == pytest.approx(0.5)
        assert scored.loc["BTC", "walk_signals"] == 0
        assert np.isnan(scored.loc["BTC", "walk_net_return"])
        assert scored.loc["ETH", "signals"] == 0
        assert np.isnan(scored.loc["ETH", "rank_threshold"])
        assert scored.loc["ETH", "walk_net_return"] == pytest.approx(-0.02)

    def test_production_is_told_in_plain_values(self, trials):
        told = production_thresholds(trials)
        chosen = choose(trials).set_index(["fold", "asset"])

        assert sorted(told) == ["BTC", "ETH"]
        for asset, own in told.items():
            best = chosen.loc[(PRODUCTION, asset)]
            assert own["rank_threshold"] == best["rank_threshold"]
            assert own["expectancy_bps"] == pytest.approx(1e4 * best["net_return"])
            assert (own["probability_floor"] is None) == np.isnan(best["floor_margin"])
            assert own["recall"] >= 0.1

    def test_an_asset_out_of_reach_of_the_recall_is_left_out(self, forecasts, tune):
        never = forecasts["asset"] == "ETH"
        low = forecasts.assign(rank=forecasts["rank"].mask(never, 0.1))
        trials = tune(low, trials=3)
        judged = judged_rows(low, trials)

        assert list(production_thresholds(trials)) == ["BTC"]
        assert not judged.loc[judged["asset"] == "ETH", "is_tuned"].any()
        assert judged.loc[judged["asset"] == "BTC", "is_tuned"].any()


class TestProperties:
    @given(fold=st.integers(2, 3), seed=st.integers(0, 1_000))
    @settings(max_examples=6, deadline=None)
    def test_thresholds_of_a_fold_ignore_whatever_comes_later(
        self, forecasts, tune, trials, fold, seed
    ):
        """Change rows whose outcome is not known yet: the fold's studies stay."""
        begins = forecasts.loc[forecasts["fold"] == fold, "timestamp"].min()
        later = np.flatnonzero(forecasts["timestamp"] >= begins - 13 * HOUR)
        rng = np.random.default_rng(seed)
        # always some of the last rows before the fold, which must be purged
        hit = np.unique([*rng.choice(later, 200, replace=False), *later[:4]])
        drawn = rng.normal(size=hit.size)
        changed = forecasts.copy()
        changed.loc[hit, "forward_return"] = drawn
        changed.loc[hit, "is_positive"] = drawn > 0.002
        changed.loc[hit, "rank"] = rng.random(hit.size)

        again = tune(changed)

        def of_fold(table, number):
            return table.loc[table["fold"] == number].reset_index(drop=True)

        pd.testing.assert_frame_equal(of_fold(again, fold), of_fold(trials, fold))
        assert not of_fold(again, PRODUCTION).equals(of_fold(trials, PRODUCTION))

    def test_a_row_known_in_time_does_count(self, forecasts, tune, trials):
        begins = forecasts.loc[forecasts["fold"] == 2, "timestamp"].min()
        last = forecasts["timestamp"] == begins - 14 * HOUR
        changed = forecasts.assign(
            forward_return=forecasts["forward_return"].mask(last, 0.5)
        )
        again = tune(changed)

        values = [t.loc[t["fold"] == 2, "value"].to_numpy() for t in (again, trials)]
        assert not np.array_equal(*values)

    def test_the_order_of_the_rows_does_not_matter(self, forecasts, tune, trials):
        shuffled = forecasts.sample(frac=1.0, random_state=1)
        again = tune(shuffled)

        pd.testing.assert_frame_equal(again, trials)

    def test_the_input_is_left_as_it_was(self, forecasts, tune):
        before = forecasts.copy()
        found = tune(forecasts, trials=1)
        judged_rows(forecasts, found)

        pd.testing.assert_frame_equal(forecasts, before)

    def test_progress_is_told_study_by_study(self, forecasts, settings_with, tmp_path):
        told = []

        def track(items, title):
            told.append((len(items), title))
            return items

        tune_fleet(forecasts, settings_with(trials=1), tmp_path / "j", track)
        assert told == [(6, "Tuning thresholds")]


class TestErrors:
    def test_a_single_fold_is_refused(self, draw, tune):
        with pytest.raises(ValueError, match="walk 2 folds or more"):
            tune(draw(folds=1))
