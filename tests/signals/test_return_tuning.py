"""Thresholds on expected returns: found where planted, never by looking ahead."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.signals.nested import PRODUCTION
from fleet_kedro.signals.return_comparison import COLUMNS, compare_factors
from fleet_kedro.signals.return_sample import strength_sample
from fleet_kedro.signals.return_tuning import (
    TRIAL_COLUMNS,
    FactorSearch,
    production_returns,
    tune_returns,
)
from fleet_kedro.signals.study import StudySettings

COST = 0.002
LABEL = Label(horizon_bars=12, round_trip_cost=COST)
SEARCH = FactorSearch(lowest_factor=0.25, highest_factor=4.0)
HOUR = pd.Timedelta(hours=1)
FOLD_HOURS = 600
BOOTSTRAP = BlockBootstrap(block_days=5, draws=200, level=0.9, seed=1)


def study_settings(**changes):
    values = {
        "label": LABEL,
        "recall_floor": 0.1,
        "prior_effective_signals": 10.0,
        "trials": 24,
        "startup_trials": 8,
        "seed": 7,
    }
    return StudySettings(**(values | changes))


def draw_strengths(
    pays_from: float = 2.0, folds: int = 3, seed: int = 3, noise: float = 0.004
) -> pd.DataFrame:
    """Trades lose their cost below a strength, and earn one per cent above it.

    Strengths are drawn in blocks of a horizon, so that neighbours agree.
    """
    rng = np.random.default_rng(seed)
    n_hours = folds * FOLD_HOURS
    clock = pd.date_range("2023-01-01", periods=n_hours, freq="h", tz="UTC", unit="us")
    own = []
    for asset in ("BTC", "ETH"):
        strength = np.repeat(rng.uniform(-1.0, 4.0, n_hours // 12), 12)
        earned = np.where(strength >= pays_from, 0.01 + COST, 0.0)
        own.append(
            pd.DataFrame(
                {
                    "timestamp": clock,
                    "asset": asset,
                    "fold": np.repeat(np.arange(2, folds + 2), FOLD_HOURS),
                    "side": np.int8(1),
                    "default_threshold": 0.003,
                    "strength": strength,
                    "forward_return": earned + rng.normal(0, noise, n_hours),
                }
            ).astype({"fold": "int8"})
        )
    return pd.concat(own).sort_values(["timestamp", "asset"], ignore_index=True)


@pytest.fixture(scope="module")
def rows():
    return draw_strengths()


@pytest.fixture(scope="module")
def tune(tmp_path_factory):
    """Tune with a journal of its own."""

    def tune(rows, journal=None, **changes):
        place = journal or tmp_path_factory.mktemp("returns") / "journal.log"
        return tune_returns(rows, study_settings(**changes), SEARCH, place)

    return tune


@pytest.fixture(scope="module")
def tuned(rows, tune):
    return tune(rows)


@pytest.fixture(scope="module")
def compared(rows, tuned):
    return compare_factors(rows, tuned.chosen, LABEL, BOOTSTRAP).set_index("asset")


def of_fold(table, fold):
    return table.loc[table["fold"] == fold].reset_index(drop=True)


class TestKnownValues:
    @pytest.mark.parametrize("pays_from", [0.6, 2.5])
    def test_it_finds_from_where_on_trades_pay(self, tune, pays_from):
        """Below that strength every trade loses its cost; far above it few are left."""
        found = tune(draw_strengths(pays_from), trials=40)

        for own in production_returns(found.chosen).values():
            assert own.outcome == "tuned"
            assert own.factor == pytest.approx(pays_from, abs=0.35)
            assert own.net_return > 0.009

    def test_the_tuned_threshold_earns_more_than_the_default(self, tuned):
        for own in production_returns(tuned.chosen).values():
            assert own.net_return > own.default_net_return + 0.002
            assert own.recall >= 0.1
            assert own.signals > own.effective_signals > 0
            assert own.default_threshold == 0.003

    def test_the_first_traded_fold_keeps_the_default_and_says_why(self, tuned):
        first = of_fold(tuned.chosen, 2)

        assert first["outcome"].tolist() == ["no past"] * 2
        assert first["factor"].isna().all()
        assert 2 not in set(tuned.trials["fold"])

    def test_later_folds_and_production_have_a_study_each(self, tuned):
        sizes = tuned.trials.groupby(["fold", "asset"]).size().to_dict()

        assert sizes == {
            (fold, asset): 24 for fold in (PRODUCTION, 3, 4) for asset in ("BTC", "ETH")
        }
        assert tuned.trials.dtypes.astype(str).to_dict() == TRIAL_COLUMNS

    def test_the_default_and_the_lowest_factor_are_tried_first(self, tuned):
        firsts = tuned.trials.loc[tuned.trials["trial"] < 2].groupby("trial")["factor"]

        assert firsts.unique().map(list).tolist() == [[1.0], [0.25]]

    def test_the_best_feasible_trial_is_chosen(self, tuned):
        for row in tuned.chosen.dropna(subset="factor").to_dict(orient="records"):
            study = tuned.trials.loc[
                (tuned.trials["asset"] == row["asset"])
                & (tuned.trials["fold"] == row["fold"])
                & tuned.trials["is_feasible"]
            ]
            best = study.loc[study["value"].idxmax()]
            assert row["factor"] == best["factor"]

    def test_every_trial_says_what_its_factor_comes_to(self, rows, tuned):
        own = of_fold(tuned.trials, PRODUCTION).query("asset == 'ETH'")
        sample = strength_sample(rows.loc[rows["asset"] == "ETH"], LABEL)

        assert len(own) == 24
        for row in own.to_dict(orient="records"):
            told = sample.appraise(row["factor"], 12, 10.0)._asdict()
            assert {name: row[name] for name in told} == pytest.approx(
                told, nan_ok=True
            )


class TestNothingToTune:
    @pytest.mark.parametrize("strength", [0.0, -0.3])
    def test_without_skill_the_default_stays(self, rows, tune, strength):
        found = tune(rows.assign(strength=strength))

        assert found.trials.empty
        assert found.trials.dtypes.astype(str).to_dict() == TRIAL_COLUMNS
        assert found.chosen["factor"].isna().all()
        later = found.chosen.loc[found.chosen["fold"] != 2]
        assert set(later["outcome"]) == {"no skill"}

    def test_what_is_too_weak_to_catch_anything_keeps_the_default(self, rows, tune):
        found = tune(rows.assign(strength=0.1), trials=5)
        told = production_returns(found.chosen)

        assert {own.outcome for own in told.values()} == {"too few"}
        assert {own.factor for own in told.values()} == {None}
        assert not found.trials["is_feasible"].any()

    def test_an_asset_without_skill_does_not_keep_another_from_it(self, rows, tune):
        strength = rows["strength"].mask(rows["asset"] == "ETH", 0.0)
        told = production_returns(tune(rows.assign(strength=strength)).chosen)

        assert (told["BTC"].outcome, told["ETH"].outcome) == ("tuned", "no skill")

    def test_a_single_traded_fold_serves_production_alone(self, tune):
        rows = draw_strengths(folds=1)
        found = tune(rows)

        assert set(found.trials["fold"]) == {PRODUCTION}
        compared = compare_factors(rows, found.chosen, LABEL, BOOTSTRAP)
        assert compared.empty
        assert list(compared) == COLUMNS


class TestProperties:
    @given(fold=st.integers(3, 4), seed=st.integers(0, 1_000))
    @settings(max_examples=3, deadline=None)
    def test_a_fold_ignores_whatever_is_not_known_before_it(
        self, rows, tune, tuned, fold, seed
    ):
        """Poison all rows whose outcome is not known yet: the fold's factor stays."""
        begins = rows.loc[rows["fold"] == fold, "timestamp"].min()
        later = np.flatnonzero(rows["timestamp"] >= begins - 13 * HOUR)
        rng = np.random.default_rng(seed)
        poisoned = rows.copy()
        poisoned.loc[later, "forward_return"] = rng.normal(0, 0.5, len(later))
        poisoned.loc[later, "strength"] = rng.uniform(-1, 9, len(later))

        again = tune(poisoned)

        for earlier in range(2, fold + 1):
            for one, other in zip(tuned, again, strict=True):
                pd.testing.assert_frame_equal(
                    of_fold(other, earlier), of_fold(one, earlier)
                )
        assert not of_fold(again.trials, 0).equals(of_fold(tuned.trials, 0))

    def test_a_row_known_in_time_does_count(self, rows, tune, tuned):
        begins = rows.loc[rows["fold"] == 3, "timestamp"].min()
        last = rows["timestamp"] == begins - 14 * HOUR
        earned = rows["forward_return"].mask(last, 0.5)
        again = tune(rows.assign(forward_return=earned))

        values = [of_fold(t.trials, 3)["value"].to_numpy() for t in (again, tuned)]
        assert not np.array_equal(*values)

    def test_the_order_of_the_rows_does_not_matter(self, rows, tune, tuned):
        again = tune(rows.sample(frac=1.0, random_state=1))

        for one, other in zip(tuned, again, strict=True):
            pd.testing.assert_frame_equal(other, one)

    def test_a_study_in_two_parts_is_the_study_in_one(
        self, rows, tune, tuned, tmp_path
    ):
        journal = tmp_path / "journal.log"
        tune(rows, journal, trials=9)
        both = tune(rows, journal)
        before = journal.read_bytes()
        again = tune(rows, journal)

        assert journal.read_bytes() == before
        for one, two, three in zip(tuned, both, again, strict=True):
            pd.testing.assert_frame_equal(two, one)
            pd.testing.assert_frame_equal(three, one)

    def test_the_same_seed_leaves_the_same_bytes(self, rows, tune, tmp_path):
        files = []
        for name in ("one", "two"):
            found = tune(rows)
            for part, table in found._asdict().items():
                file = tmp_path / f"{name}-{part}.parquet"
                table.to_parquet(file)
                files.append(file.read_bytes())

        assert files[:2] == files[2:]

    def test_another_seed_or_search_takes_up_no_old_study(self, rows, tune, tmp_path):
        journal = tmp_path / "journal.log"
        tune(rows, journal)
        length = len(journal.read_bytes())
        tune(rows, journal, seed=8)

        assert len(journal.read_bytes()) > 1.8 * length

    def test_the_input_is_left_as_it_was(self, rows, tune):
        before = rows.copy()
        tune(rows, trials=1)

        pd.testing.assert_frame_equal(rows, before)


class TestComparison:
    def test_the_first_fold_is_not_judged(self, rows, compared):
        assert compared.loc["Fleet", "rows"] == (rows["fold"] > 2).sum()

    def test_it_is_the_mean_of_the_trades_of_each_rule(self, rows, tuned, compared):
        chosen = tuned.chosen.set_index(["asset", "fold"])["factor"]
        net = {"tuned": [], "default": []}
        for (asset, fold), own in rows.groupby(["asset", "fold"]):
            if asset == "BTC" and fold > 2:
                for rule, least in (("tuned", chosen[asset, fold]), ("default", 1.0)):
                    entered = own["strength"] >= least
                    net[rule] += list(own.loc[entered, "forward_return"] - COST)

        for rule, earned in net.items():
            told = compared.loc["BTC"]
            assert told[f"{rule}_signals"] == len(earned) > 0
            assert told[f"{rule}_net_return"] == pytest.approx(np.mean(earned))

    def test_a_planted_gain_lies_above_zero(self, compared):
        assert (compared["gain_low"] > 0).all()

    def test_a_kept_default_gains_nothing(self, rows, tuned):
        chosen = tuned.chosen.assign(factor=np.nan)
        table = compare_factors(rows, chosen, LABEL, BOOTSTRAP)

        assert (table[["gain", "gain_low", "gain_high"]] == 0).all(axis=None)


class TestErrors:
    def test_a_search_without_width(self):
        with pytest.raises(ValidationError, match="nothing to search"):
            FactorSearch(lowest_factor=1.0, highest_factor=1.0)

    def test_the_default_must_lie_inside(self):
        with pytest.raises(ValidationError, match="less than or equal to 1"):
            FactorSearch(lowest_factor=1.5, highest_factor=2.0)
