"""What every forecaster promises. A new one joins by a line in ``FORECASTERS``."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from learning import share_of_attainable, walk_beside_zero
from planted import planted_bars
from threadpoolctl import threadpool_limits

from fleet_kedro.models.forecasters.bars import AssetBars
from fleet_kedro.models.forecasters.base import Forecaster
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

FORECASTERS: dict[str, Callable[[], Forecaster]] = {
    "random_forest": lambda: RandomForestForecaster(RandomForestSettings()),
    "lightgbm": lambda: LightGBMForecaster(LightGBMSettings()),
    "xgboost": lambda: XGBoostForecaster(XGBoostSettings()),
}

LAST_TRAINING_BAR = 4000
EVERY = pytest.mark.parametrize("name", FORECASTERS)


@cache
def small_bars() -> AssetBars:
    return planted_bars(seed=3, r2=0.15, n_bars=5000).bars


def labelled(bars: AssetBars, start: int = 0, stop: int | None = None):
    rows = np.flatnonzero(bars.is_labelled)
    return rows[(rows >= start) & (rows < (stop or len(bars.close)))]


def training_rows():
    return labelled(small_bars(), stop=LAST_TRAINING_BAR + 1)


def later_rows():
    return labelled(small_bars(), start=LAST_TRAINING_BAR + 37)


@cache
def fitted(name: str) -> Forecaster:
    return FORECASTERS[name]().fit(small_bars(), training_rows())


def shaken(bars: AssetBars, chosen) -> AssetBars:
    """Other numbers in the chosen bars: signals, channels, prices, outcomes."""
    rng = np.random.default_rng(0)

    def noise(values):
        changed = values.copy()
        changed[chosen] = rng.lognormal(size=changed[chosen].shape)
        return changed

    return bars._replace(
        signals=noise(bars.signals),
        channels=noise(bars.channels),
        close=noise(bars.close),
        volatility=noise(bars.volatility),
        target=noise(bars.target),
    )


@EVERY
class TestFit:
    def test_bars_after_the_last_row_teach_nothing(self, name):
        rows = training_rows()
        other = shaken(small_bars(), slice(rows[-1] + 1, None))

        files = FORECASTERS[name]().fit(other, rows).to_files()

        assert files == fitted(name).to_files()

    def test_bars_among_the_rows_teach_something(self, name):
        rows = training_rows()
        other = shaken(small_bars(), slice(rows[1000], rows[-1] + 1))

        files = FORECASTERS[name]().fit(other, rows).to_files()

        assert files != fitted(name).to_files()

    def test_any_number_of_threads_gives_the_same_bytes(self, name):
        several = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                forecaster = FORECASTERS[name]().fit(small_bars(), training_rows())
            several.append(forecaster.to_files())

        assert several[0] == several[1] == fitted(name).to_files()

    def test_the_input_is_left_as_it_was(self, name):
        bars = planted_bars(seed=3, r2=0.15, n_bars=5000).bars

        FORECASTERS[name]().fit(bars, training_rows())

        for ours, expected in zip(bars, small_bars(), strict=True):
            np.testing.assert_array_equal(ours, expected)

    def test_progress_only_grows_and_comes_to_its_end(self, name):
        told = []
        FORECASTERS[name]().fit(
            small_bars(), training_rows(), lambda *heard: told.append(heard)
        )

        done = [heard[0] for heard in told]
        most = {heard[1] for heard in told}
        assert len(told) >= 3
        assert done == sorted(done)
        assert most == {done[-1]}

    def test_too_few_rows_are_refused(self, name):
        with pytest.raises(ValueError, match="leave"):
            FORECASTERS[name]().fit(small_bars(), training_rows()[:30])


@EVERY
class TestPredict:
    def test_a_row_is_forecast_alike_whatever_rows_stand_beside_it(self, name):
        rows = later_rows()
        together = fitted(name).predict(small_bars(), rows)

        assert np.isfinite(together).all()
        assert (together.std(axis=0) > 0).all()
        for picked in (slice(5, 6), slice(None, None, -1), slice(100, 400, 7)):
            alone = fitted(name).predict(small_bars(), rows[picked])
            np.testing.assert_array_equal(alone, together[picked])

    def test_no_rows_have_no_forecast(self, name):
        none = np.array([], dtype=np.int64)
        assert fitted(name).predict(small_bars(), none).shape == (0, 2)

    def test_later_bars_change_nothing(self, name):
        rows = later_rows()[:50]
        other = shaken(small_bars(), slice(rows[-1] + 1, None))

        np.testing.assert_array_equal(
            fitted(name).predict(other, rows), fitted(name).predict(small_bars(), rows)
        )

    def test_forecasts_are_in_units_of_volatility(self, name):
        bars, rows = small_bars(), later_rows()
        wilder = bars._replace(volatility=3 * bars.volatility)

        np.testing.assert_allclose(
            fitted(name).predict(wilder, rows),
            3 * fitted(name).predict(bars, rows),
            rtol=1e-12,
        )


@EVERY
class TestFiles:
    def test_what_is_loaded_says_and_writes_the_same(self, name):
        files = fitted(name).to_files()

        loaded = FORECASTERS[name]().load_files(files)

        np.testing.assert_array_equal(
            loaded.predict(small_bars(), later_rows()),
            fitted(name).predict(small_bars(), later_rows()),
        )
        assert loaded.to_files() == files
        assert loaded.n_parameters == fitted(name).n_parameters > 0

    def test_a_file_that_is_missing_empty_or_cut_is_refused(self, name):
        files = fitted(name).to_files()
        assert files
        for file, content in files.items():
            rest = {key: value for key, value in files.items() if key != file}
            for damaged in (
                rest,
                {**rest, file: b""},
                {**rest, file: content[: len(content) // 2]},
            ):
                with pytest.raises(ValueError, match=r"[a-z]"):
                    FORECASTERS[name]().load_files(damaged)


@EVERY
class TestSkill:
    @pytest.mark.parametrize("n_worlds", [1, pytest.param(6, marks=pytest.mark.slow)])
    def test_at_least_half_of_what_can_be_known_is_found(self, name, n_worlds):
        shares = [
            share_of_attainable(FORECASTERS[name](), seed) for seed in range(n_worlds)
        ]

        assert (np.mean(shares, axis=0) >= 0.5).all()

    @pytest.mark.parametrize("n_worlds", [1, pytest.param(6, marks=pytest.mark.slow)])
    def test_a_random_walk_is_forecast_as_zero_or_hardly_more(self, name, n_worlds):
        for seed in range(n_worlds):
            beside_zero = walk_beside_zero(FORECASTERS[name](), seed)

            assert (beside_zero < 1.005).all()
