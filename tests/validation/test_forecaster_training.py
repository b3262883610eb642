from typing import Any

import grimp
import numpy as np
import pandas as pd
import pytest

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.models.forecasters.bars import BarSettings
from fleet_kedro.models.forecasters.lightgbm_trees import LightGBMSettings
from fleet_kedro.models.forecasters.lstm import LSTMSettings
from fleet_kedro.models.forecasters.settings import (
    ForecasterSettings,
    make_forecaster,
)
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.forecast_walk import walk_forecaster
from fleet_kedro.validation.forecaster_training import (
    CODE,
    TrainingJob,
    TrainingWatcher,
    job_fingerprint,
    train_forecaster,
)

SETTINGS = ForecasterSettings(
    bars=BarSettings(
        signals=("signal",),
        channels=("channel",),
        longest_window_bars=2,
        horizon_bars=12,
    ),
    lightgbm=LightGBMSettings(n_trees=30, max_leaves=4, l2=1.0),
    seed=3,
)
WALK = WalkForward(
    folds=2, warmup_folds=1, horizon_bars=12, embargo_bars=24, mode="expanding"
)
BOOTSTRAP = BlockBootstrap(block_days=3, draws=100, level=0.9, seed=5)


class Counting(TrainingWatcher):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.fits = 0
        self.steps: list[tuple[int, int, int]] = []

    def on_fit(self) -> None:
        self.fits += 1

    def on_step(self, done: int, most: int, loss: float | None) -> None:
        del loss
        self.steps.append((self.fits, done, most))


@pytest.fixture(scope="module")
def bars(drawn_bars):
    return drawn_bars(seed=4, n_bars=3600, known=0.6)


@pytest.fixture(scope="module")
def job(bars):
    folds = WALK.split(bars.timestamp[0], bars.timestamp[-1])
    return TrainingJob(
        "BTC", "lightgbm", "drawn for a test", folds, SETTINGS, BOOTSTRAP
    )


@pytest.fixture(scope="module")
def watcher():
    return Counting()


@pytest.fixture(scope="module")
def trained(job, bars, watcher):
    return train_forecaster(job, bars, watcher)


def altered(**changes: Any) -> ForecasterSettings:
    return SETTINGS.model_copy(update=changes)


class TestFingerprint:
    def test_the_same_numbers_have_one_wherever_they_lie(self, job, bars):
        copied = bars._replace(
            **{
                name: part.copy()
                for name, part in bars._asdict().items()
                if isinstance(part, np.ndarray)
            }
        )
        assert job_fingerprint(job, copied) == job_fingerprint(job, bars)

    @pytest.mark.parametrize(
        "name", ["signals", "channels", "close", "volatility", "target", "is_usable"]
    )
    def test_it_changes_with_one_number(self, job, bars, name):
        part = getattr(bars, name).copy()
        part.flat[1000] = not part.flat[1000]

        assert job_fingerprint(job, bars._replace(**{name: part})) != (
            job_fingerprint(job, bars)
        )

    def test_it_changes_with_the_clock(self, job, bars):
        later = bars._replace(timestamp=bars.timestamp + pd.Timedelta(days=1))

        assert job_fingerprint(job, later) != job_fingerprint(job, bars)

    @pytest.mark.parametrize(
        "change",
        [
            {"asset": "ETH"},
            {"kind": "xgboost"},
            {"source": "other candles"},
            {"settings": altered(seed=4)},
            {"settings": altered(lightgbm=LightGBMSettings(n_trees=31))},
            {
                "settings": altered(
                    bars=SETTINGS.bars.model_copy(update={"volatility_bars": 100})
                )
            },
            {"bootstrap": BOOTSTRAP.model_copy(update={"draws": 101})},
        ],
    )
    def test_it_changes_with_the_job(self, job, bars, change):
        assert job_fingerprint(job._replace(**change), bars) != (
            job_fingerprint(job, bars)
        )

    def test_it_changes_with_the_folds(self, job, bars):
        assert job_fingerprint(job._replace(folds=job.folds[1:]), bars) != (
            job_fingerprint(job, bars)
        )

    def test_it_stays_when_another_forecaster_is_set_otherwise(self, job, bars):
        other = altered(lstm=LSTMSettings(width=3))

        assert job_fingerprint(job._replace(settings=other), bars) == (
            job_fingerprint(job, bars)
        )

    def test_it_counts_all_code_that_shapes_a_model(self):
        """What is left out is in the numbers already, or guarded by the store."""
        graph = grimp.build_graph("fleet_kedro")
        module = "fleet_kedro.validation.forecaster_training"
        used = graph.find_upstream_modules(module) | {module}
        counted = {
            name
            for name in used
            if any(name == code or name.startswith(f"{code}.") for code in CODE)
        }
        chapters = {name.split(".")[1] for name in used - counted}

        assert len(counted) > 10
        assert chapters == {"config", "labels", "market", "store"}


class TestTraining:
    def test_the_walk_is_that_of_a_forecaster_with_these_settings(
        self, trained, job, bars
    ):
        walk = walk_forecaster(
            lambda: make_forecaster("lightgbm", SETTINGS), bars, job.folds
        )

        pd.testing.assert_frame_equal(trained.walk, walk)
        assert walk["fold"].unique().tolist() == [0, 1, 2]
        assert (walk["forecast_1h"] != 0).any()

    def test_the_files_are_a_forecaster_of_every_labelled_row(self, trained, bars):
        rows = np.flatnonzero(bars.is_labelled)
        stored = make_forecaster("lightgbm", SETTINGS).load_files(trained.model.files)
        fitted = make_forecaster("lightgbm", SETTINGS).fit(bars, rows)

        assert (stored.predict(bars, rows) == fitted.predict(bars, rows)).all()
        assert trained.model.card.n_parameters == fitted.n_parameters > 0

    def test_the_card_tells_what_was_used(self, trained, job, bars):
        card = trained.model.card
        labelled = bars.timestamp[bars.is_labelled]

        assert (card.name, card.kind, card.assets) == (
            "btc-lightgbm",
            "lightgbm",
            ("BTC",),
        )
        assert card.data.source == "drawn for a test"
        assert card.data.rows == len(labelled)
        assert card.data.start == labelled[0].to_pydatetime()
        # The last outcome reaches the open that ends the 13th bar after its row.
        assert card.data.end == (labelled[-1] + pd.Timedelta(hours=13)).to_pydatetime()
        assert card.folds == 2
        assert card.fingerprint == job_fingerprint(job, bars)
        assert set(card.parameters) == {"bars", "seed", "lightgbm"}
        assert {"lightgbm", "numpy", "python", "torch"} < set(card.libraries)
        assert {file.name for file in card.files} == set(trained.model.files)

    def test_it_is_told_of_every_fit_and_every_step(self, trained, watcher):
        assert trained.walk.size
        assert watcher.fits == 4
        assert {fit for fit, *_ in watcher.steps} == {1, 2, 3, 4}
        assert all(0 < done <= most for _, done, most in watcher.steps)

    def test_a_second_training_gives_the_same_bytes(self, trained, job, bars):
        again = train_forecaster(job, bars)

        assert again.model.contents() == trained.model.contents()
        pd.testing.assert_frame_equal(again.walk, trained.walk)

    def test_a_young_asset_is_told_with_a_remedy(self, job, bars):
        young = bars._replace(is_usable=bars.is_usable & (np.arange(3600) >= 3500))
        with pytest.raises(ValueError, match=r"labelled rows are too few .* window"):
            train_forecaster(job, young)
