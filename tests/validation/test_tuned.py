"""Trials of thresholds in the ledger: each of them, with what it earned day by day."""

import json

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label, forward_return
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.metrics.booking import open_day_book
from fleet_kedro.metrics.sharpe import sharpe_ratios
from fleet_kedro.signals.nested import PRODUCTION, known_before, tune_fleet
from fleet_kedro.signals.return_tuning import FactorSearch, tune_returns
from fleet_kedro.signals.tuning import TuningSettings
from fleet_kedro.validation.ledger import TrialLedger
from fleet_kedro.validation.trials import Trial, comparable
from fleet_kedro.validation.tuned import return_trials, tuned_trials

LABEL = Label(horizon_bars=12, round_trip_cost=0.002)
SOURCE = "drawn for a test"
TRIALS = 8
SETTINGS = TuningSettings(
    label=LABEL,
    lowest_rank=0.8,
    highest_rank=0.99,
    highest_margin=0.1,
    base_rate_days=5,
    recall_floor=0.1,
    prior_effective_signals=20.0,
    trials=TRIALS,
    startup_trials=4,
    seed=7,
)
ASSETS = ("BTC", "ETH")
FOLDS, FOLD_HOURS = 3, 200


class World:
    """Candles of two assets, and forecasts of their returns with some skill."""

    def __init__(self, seed: int = 3) -> None:
        rng = np.random.default_rng(seed)
        n_bars = FOLDS * FOLD_HOURS
        hours = pd.date_range(
            "2023-01-01", periods=n_bars + 13, freq="h", tz="UTC", unit="us"
        )
        frames, own = {}, []
        for asset in ASSETS:
            price = 100 * np.exp(0.01 * rng.standard_normal(len(hours)).cumsum())
            is_filled = np.zeros(len(hours), dtype=bool)
            frames[asset] = pd.DataFrame(
                {
                    "timestamp": hours,
                    "open": price,
                    "is_filled": is_filled,
                    "segment": np.zeros(len(hours), dtype=np.int32),
                }
            )
            earned = forward_return(price, is_filled, LABEL.horizon_bars)[:n_bars]
            score = earned / 0.03 + rng.standard_normal(n_bars)
            own.append(
                pd.DataFrame(
                    {
                        "timestamp": hours[:n_bars],
                        "asset": asset,
                        "fold": np.repeat(np.arange(1, FOLDS + 1), FOLD_HOURS),
                        "forward_return": earned,
                        "is_positive": earned > LABEL.round_trip_cost,
                        "probability": 1 / (1 + np.exp(-0.4 * score)),
                        "rank": score.argsort().argsort() / (n_bars - 1),
                    }
                )
            )
        self.candles: CandleLoaders = {
            asset: frame.copy for asset, frame in frames.items()
        }
        self.forecasts = pd.concat(own).sort_values(
            ["timestamp", "asset"], ignore_index=True
        )


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def tuned(world: World, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    journal = tmp_path_factory.mktemp("studies") / "journal.log"
    return tune_fleet(world.forecasts, SETTINGS, journal)


@pytest.fixture(scope="module")
def trials(world: World, tuned: pd.DataFrame) -> list[Trial]:
    return tuned_trials(world.forecasts, tuned, world.candles, LABEL, SOURCE)


class TestKnownValues:
    def test_every_trial_of_every_study_is_there(
        self, trials: list[Trial], tuned: pd.DataFrame
    ) -> None:
        assert len(trials) == len(tuned) == 2 * 3 * TRIALS
        names = [trial.name for trial in trials]
        assert {name: names.count(name) for name in names} == {
            f"{asset}, {purpose}": TRIALS
            for asset in ASSETS
            for purpose in ("production", "fold 2", "fold 3")
        }
        assert {trial.kind for trial in trials} == {"optuna"}

    def test_results_are_those_of_the_study(
        self, trials: list[Trial], tuned: pd.DataFrame
    ) -> None:
        rows = tuned.sort_values(["asset", "fold", "trial"]).to_dict(orient="records")
        assert any(row["probability_floor"] > 0 for row in rows)
        for trial, row in zip(trials, rows, strict=True):
            assert trial.parameters["rank_threshold"] == row["rank_threshold"]
            assert trial.results.signals == row["signals"]
            assert trial.results.recall == pytest.approx(row["recall"])
            if row["signals"]:
                assert trial.results.net_return == pytest.approx(row["net_return"])
            else:
                assert trial.results.net_return is None
                assert trial.results.daily_sharpe == 0
            floor = (
                row["probability_floor"] if np.isfinite(row["floor_margin"]) else None
            )
            assert trial.parameters["probability_floor"] == floor

    def test_the_sharpe_ratio_is_that_of_its_own_signals(
        self, world: World, trials: list[Trial]
    ) -> None:
        """Book one study trial by trial, signal by signal."""
        rows = known_before(world.forecasts, 3, LABEL).query("asset == 'ETH'")
        book = open_day_book(rows, {"ETH": world.candles["ETH"]}, LABEL)
        own = [trial for trial in trials if trial.name == "ETH, fold 3"]
        assert len(own) == TRIALS
        for trial in own:
            floor = trial.parameters["probability_floor"] or 0.0
            signalled = (rows["rank"] >= trial.parameters["rank_threshold"]) & (
                rows["probability"] >= floor
            )
            earned = book.daily_returns(signalled.to_numpy()[:, np.newaxis])
            assert trial.results.daily_sharpe == pytest.approx(
                sharpe_ratios(earned)[0], rel=1e-11
            )
            assert trial.results.n_days == len(earned)
        assert len({trial.results.daily_sharpe for trial in own}) > 1

    def test_a_trial_says_what_it_was_scored_on(
        self, world: World, trials: list[Trial]
    ) -> None:
        last = world.forecasts["timestamp"].max()
        begins = world.forecasts.query("fold == 2")["timestamp"].min()
        for trial in trials:
            assert trial.start == world.forecasts["timestamp"].min()
            if trial.parameters["fold"] == PRODUCTION:
                assert trial.end == last
            if trial.parameters["fold"] == 2:
                # Labels of twelve hours and the next open, known before the fold.
                assert trial.end == begins - pd.Timedelta(hours=14)


class TestProperties:
    def test_the_same_run_appends_nothing_twice(
        self, world: World, tuned: pd.DataFrame, trials: list[Trial], tmp_path
    ) -> None:
        ledger = TrialLedger(tmp_path / "trials.jsonl")
        again = tuned_trials(
            world.forecasts.sample(frac=1.0, random_state=1),
            tuned,
            world.candles,
            LABEL,
            SOURCE,
        )
        added = ledger.append(trials)
        assert 0 < added <= len(trials)
        assert ledger.append(again) == 0
        assert len(comparable(ledger.read(), SOURCE, 12)) == added

    def test_another_brain_makes_another_configuration(
        self, world: World, tuned: pd.DataFrame, trials: list[Trial]
    ) -> None:
        other = world.forecasts.assign(probability=world.forecasts["probability"] / 2)
        moved = tuned_trials(other, tuned, world.candles, LABEL, SOURCE)
        assert {trial.key for trial in moved}.isdisjoint(trial.key for trial in trials)

    def test_no_infinity_reaches_the_file(self, trials: list[Trial]) -> None:
        written = [trial.model_dump(mode="json") for trial in trials]
        assert any(trial["parameters"]["floor_margin"] is None for trial in written)
        json.dumps(written, allow_nan=False)

    def test_candles_are_read_once_for_each_asset(
        self, world: World, tuned: pd.DataFrame
    ) -> None:
        read: list[str] = []

        def counted(asset: str) -> pd.DataFrame:
            read.append(asset)
            return world.candles[asset]()

        loaders = {asset: lambda asset=asset: counted(asset) for asset in ASSETS}
        tuned_trials(world.forecasts, tuned, loaders, LABEL, SOURCE)
        assert read == [*ASSETS]

    def test_an_asset_that_joined_late_has_fewer_studies(
        self, world: World, tuned: pd.DataFrame
    ) -> None:
        late = (tuned["asset"] == "ETH") & (tuned["fold"] == 2)
        is_known = (world.forecasts["asset"] == "BTC") | (world.forecasts["fold"] > 1)
        told = tuned_trials(
            world.forecasts[is_known], tuned[~late], world.candles, LABEL, SOURCE
        )
        assert len(told) == len(tuned) - TRIALS
        assert "ETH, fold 2" not in {trial.name for trial in told}

    def test_a_sample_of_one_day_has_no_sharpe_ratio(self, world: World) -> None:
        short = world.forecasts.head(4)
        study = pd.DataFrame(
            {
                "asset": "BTC",
                "fold": PRODUCTION,
                "rank_threshold": [0.0],
                "floor_margin": [np.nan],
                "probability_floor": [-np.inf],
                "signals": [2],
                "net_return": [0.01],
                "precision": [1.0],
                "recall": [1.0],
            }
        )
        (told,) = tuned_trials(short, study, world.candles, LABEL, SOURCE)
        assert told.results.daily_sharpe == 0
        assert told.results.n_days == 1


class TestReturns:
    """Trials of thresholds on expected returns: their own name, side and parameters."""

    @staticmethod
    def strengths(world: World, side: int = 1) -> pd.DataFrame:
        rows = world.forecasts
        return rows[["timestamp", "asset", "fold"]].assign(
            side=np.int8(side),
            default_threshold=0.003,
            strength=8 * (rows["rank"] - 0.5),
            forward_return=side * rows["forward_return"],
        )

    @staticmethod
    def found(rows: pd.DataFrame, folder) -> pd.DataFrame:
        search = FactorSearch(lowest_factor=0.5, highest_factor=3.0)
        return tune_returns(rows, SETTINGS, search, folder / "journal.log").trials

    def test_every_trial_is_there_under_its_own_name(self, world, trials, tmp_path):
        rows = self.strengths(world)
        study = self.found(rows, tmp_path)
        told = return_trials(rows, study, world.candles, LABEL, SOURCE)

        assert len(told) == len(study) == 2 * 3 * TRIALS
        assert {trial.name for trial in told} == {
            f"{asset} by return, {purpose}"
            for asset in ASSETS
            for purpose in ("production", "fold 2", "fold 3")
        }
        assert {trial.key for trial in told}.isdisjoint(trial.key for trial in trials)
        by_study = study.sort_values(["asset", "fold", "trial"])
        factors = [trial.parameters["return_factor"] for trial in told]
        assert factors == by_study["factor"].tolist()

    @pytest.mark.parametrize("side", [1, -1])
    def test_the_sharpe_ratio_is_that_of_its_own_trades(self, world, tmp_path, side):
        """A short trade loses what a long one gains, and pays the same fees."""
        rows = self.strengths(world, side)
        told = return_trials(
            rows, self.found(rows, tmp_path), world.candles, LABEL, SOURCE
        )
        own = rows.loc[rows["asset"] == "ETH"]
        candles = {"ETH": world.candles["ETH"]}
        free = LABEL.model_copy(update={"round_trip_cost": 0.0})
        books = [open_day_book(own, candles, label) for label in (LABEL, free)]
        scored = [trial for trial in told if trial.name == "ETH by return, production"]

        assert len(scored) == TRIALS
        for trial in scored:
            entered = own["strength"] >= trial.parameters["return_factor"]
            column = entered.to_numpy()[:, np.newaxis]
            net, gross = (book.daily_returns(column) for book in books)
            earned = side * gross - (gross - net)
            assert trial.results.daily_sharpe == pytest.approx(
                sharpe_ratios(earned)[0], rel=1e-9
            )
            assert trial.results.signals == entered.sum()

    def test_nothing_tuned_leaves_nothing(self, world, tmp_path):
        rows = self.strengths(world).assign(strength=0.0)
        study = self.found(rows, tmp_path)

        assert return_trials(rows, study, world.candles, LABEL, SOURCE) == []
