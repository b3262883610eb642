import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.signals.journal import StudyJournal
from fleet_kedro.signals.objective import (
    NO_FLOOR,
    Sample,
    Thresholds,
    appraise,
    sample_of,
)
from fleet_kedro.signals.study import best_trial
from fleet_kedro.signals.tuning import tune_asset

LONG = 150
WORKER = """
import sys
from pathlib import Path
import pandas as pd
from fleet_kedro.signals.journal import StudyJournal
from fleet_kedro.signals.objective import sample_of
from fleet_kedro.signals.tuning import TuningSettings, tune_asset

folder = Path(sys.argv[1])
settings = TuningSettings.model_validate_json((folder / "settings.json").read_text())
rows = pd.read_parquet(folder / "rows.parquet")
journal = StudyJournal(folder / "journal.log")
(folder / f"ready{sys.argv[2]}").touch()
while not (folder / "go").exists():
    pass
trials = tune_asset(sample_of(rows, settings.label), settings, journal, "BTC")
trials.to_parquet(folder / f"trials{sys.argv[2]}.parquet")
"""


def tune(sample, settings, folder, title="BTC"):
    return tune_asset(sample, settings, StudyJournal(folder / "journal.log"), title)


@pytest.fixture
def rows(draw):
    return draw(assets=("BTC",), folds=1, hours=600)


@pytest.fixture
def sample(rows, settings_with):
    return sample_of(rows, settings_with().label)


@pytest.fixture
def start_worker(tmp_path, rows, settings_with):
    """Start processes that tune the same study once they are all ready."""
    rows.to_parquet(tmp_path / "rows.parquet")
    chosen = settings_with(trials=LONG)
    (tmp_path / "settings.json").write_text(json.dumps(chosen.model_dump()))
    started = []

    def start(name: str) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", WORKER, str(tmp_path), name],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        started.append(worker)
        while not (tmp_path / f"ready{name}").exists():
            assert worker.poll() is None
            time.sleep(0.01)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def trials_in(journal: Path) -> int:
    return journal.read_bytes().count(b'"op_code":4,') if journal.exists() else 0


def drawn_by(journal: Path) -> Counter[str]:
    """Count the trials of each of the processes that drew any; there are two."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    counts = Counter(line["worker_id"] for line in lines if line["op_code"] == 4)
    assert len(counts) == 2
    return counts


class TestKnownValues:
    def test_the_first_trial_is_the_loosest(self, sample, settings_with, tmp_path):
        first = tune(sample, settings_with(trials=1), tmp_path).iloc[0]

        assert first["rank_threshold"] == 0.8
        assert first["probability_floor"] == NO_FLOOR
        assert np.isnan(first["floor_margin"])

    def test_every_trial_says_what_its_thresholds_come_to(
        self, sample, settings_with, tmp_path
    ):
        trials = tune(sample, settings_with(), tmp_path)

        assert trials["trial"].tolist() == list(range(16))
        assert trials["floor_margin"].notna().any()
        for row in trials.to_dict(orient="records"):
            thresholds = Thresholds(row["rank_threshold"], row["probability_floor"])
            again = appraise(sample, thresholds, 12, 20.0)._asdict()
            assert {name: row[name] for name in again} == pytest.approx(
                again, nan_ok=True
            )
            assert row["is_feasible"] == (row["recall"] >= 0.1)

    def test_a_floor_lies_above_the_base_rate_of_the_last_days(
        self, sample, settings_with, tmp_path
    ):
        trials = tune(sample, settings_with(base_rate_days=2), tmp_path)
        floored = trials.loc[trials["floor_margin"].notna()]
        base_rate = sample.is_positive[-48:].mean()

        assert base_rate != sample.is_positive.mean()
        assert len(floored) >= 1
        np.testing.assert_allclose(
            floored["probability_floor"], base_rate + floored["floor_margin"]
        )

    def test_the_best_is_feasible_and_the_first_of_equals(self):
        trials = pd.DataFrame(
            {
                "trial": [0, 1, 2, 3],
                "value": [0.1, 0.9, 0.3, 0.3],
                "is_feasible": [True, False, True, True],
            }
        )
        best = best_trial(trials)

        assert best is not None
        assert best["trial"] == 2
        assert best_trial(trials.assign(is_feasible=False)) is None

    def test_a_search_finds_where_the_money_is(self, settings_with, tmp_path):
        """Only ranks between 0.90 and 0.93 lose: the best threshold lies above."""
        rng = np.random.default_rng(0)
        rank = rng.random(4_000)
        net = np.where((rank > 0.9) & (rank < 0.93), -0.05, 0.0)
        net = np.where(rank >= 0.93, 0.03, net) + rng.normal(0, 1e-3, rank.size)
        sample = Sample(
            np.arange(4_000) * 12, rank, np.full(4_000, 0.5), net, rank >= 0.93
        )
        trials = tune(sample, settings_with(trials=60), tmp_path)
        best = best_trial(trials)

        assert best is not None
        assert 0.93 - 0.005 < best["rank_threshold"] < 0.99
        assert best["precision"] > 0.9
        later = trials["value"].iloc[30:].mean()
        assert later > trials["value"].iloc[:6].mean()


class TestResume:
    @pytest.mark.parametrize("cut", [1, 5, 6, 7, 15])
    def test_a_study_in_two_parts_is_the_study_in_one(
        self, sample, settings_with, tmp_path_factory, cut
    ):
        whole, parts = (tmp_path_factory.mktemp("study") for _ in range(2))
        tune(sample, settings_with(trials=cut), parts)
        both = tune(sample, settings_with(trials=16), parts)

        pd.testing.assert_frame_equal(both, tune(sample, settings_with(), whole))

    def test_fewer_trials_are_the_first_ones(self, sample, settings_with, tmp_path):
        whole = tune(sample, settings_with(), tmp_path)
        few = tune(sample, settings_with(trials=4), tmp_path)

        pd.testing.assert_frame_equal(few, whole.iloc[:4])

    def test_a_finished_study_runs_no_trial(self, sample, settings_with, tmp_path):
        tune(sample, settings_with(), tmp_path)
        before = (tmp_path / "journal.log").read_bytes()
        tune(sample, settings_with(), tmp_path)

        assert (tmp_path / "journal.log").read_bytes() == before

    def test_other_data_or_settings_take_up_no_old_study(
        self, sample, settings_with, tmp_path
    ):
        tune(sample, settings_with(), tmp_path)
        net_return = sample.net_return.copy()
        net_return[0] += 1e-12
        for changed, chosen in (
            (sample._replace(net_return=net_return), settings_with()),
            (sample, settings_with(seed=8)),
            (sample, settings_with(recall_floor=0.11)),
        ):
            before = trials_in(tmp_path / "journal.log")
            tune(changed, chosen, tmp_path)
            assert trials_in(tmp_path / "journal.log") == before + 16

    def test_a_kill_between_trials_changes_none(
        self, sample, settings_with, tmp_path, start_worker, tmp_path_factory
    ):
        journal = tmp_path / "journal.log"
        worker = start_worker("killed")
        (tmp_path / "go").touch()
        while trials_in(journal) < 20:
            assert worker.poll() is None
        worker.kill()
        worker.wait()
        done = trials_in(journal)
        whole = tune(
            sample, settings_with(trials=LONG), tmp_path_factory.mktemp("whole")
        )

        resumed = tune(sample, settings_with(trials=LONG), tmp_path)

        assert 20 <= done < LONG
        pd.testing.assert_frame_equal(resumed, whole)


class TestSharing:
    def test_two_processes_make_the_trials_of_one(
        self, sample, settings_with, tmp_path, start_worker, tmp_path_factory
    ):
        workers = [start_worker(name) for name in ("one", "two")]
        (tmp_path / "go").touch()
        codes = [worker.wait(timeout=120) for worker in workers]
        whole = tune(
            sample, settings_with(trials=LONG), tmp_path_factory.mktemp("whole")
        )

        assert codes == [0, 0]
        assert trials_in(tmp_path / "journal.log") == LONG
        assert min(drawn_by(tmp_path / "journal.log").values()) > LONG // 10
        for name in ("one", "two"):
            told = pd.read_parquet(tmp_path / f"trials{name}.parquet")
            pd.testing.assert_frame_equal(told, whole)


class TestErrors:
    def test_ranks_in_the_wrong_order(self, settings_with):
        with pytest.raises(ValidationError, match="nothing to search between"):
            settings_with(lowest_rank=0.99)

    def test_an_empty_sample(self, sample, settings_with, tmp_path):
        empty = Sample(*(values[:0] for values in sample))

        with pytest.raises(ValueError, match="DOGE: no forecast to tune on"):
            tune(empty, settings_with(), tmp_path, "DOGE")
