"""The six numbers together, on one segment and on real candles."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.features.physics import (
    Physics,
    PhysicsFeatures,
    autocorrelation,
    elastic_features,
    physics_features,
)

CONFIG = Physics()
COLUMNS = [
    "physics_hurst",
    "physics_entropy",
    "physics_fdi",
    "physics_theta",
    "physics_acf",
    "physics_stability_warning",
]


def segment(n_bars: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    returns = np.random.default_rng(seed).standard_t(4, n_bars) * 0.005
    log_close = 10.0 + np.cumsum(returns)
    return log_close, with_unknown_first(log_close)


def with_unknown_first(log_close: np.ndarray) -> np.ndarray:
    return np.diff(log_close, prepend=np.nan)


def assert_same_bits(early: PhysicsFeatures, whole: PhysicsFeatures) -> None:
    for name, early_column, column in zip(COLUMNS, early, whole, strict=True):
        np.testing.assert_array_equal(early_column, column[: early_column.size], name)


class TestColumns:
    def test_names_are_those_of_the_panel(self):
        assert list(physics_features(*segment(300), CONFIG)._asdict()) == COLUMNS

    def test_each_column_starts_when_its_window_is_full(self):
        features = physics_features(*segment(1000), CONFIG)

        first_known = [int(np.flatnonzero(np.isfinite(f))[0]) for f in features]
        # Returns start one bar later than prices; the warning needs 504 of both.
        assert first_known == [199, 200, 199, 167, 168, 168 + 504]
        assert max(first_known) == CONFIG.warm_up_bars
        for column, first in zip(features, first_known, strict=True):
            assert np.isfinite(column[first:]).all()

    def test_windows_come_from_the_configuration(self):
        log_close, log_return = segment(600)
        config = Physics(acf_bars=50)

        features = physics_features(log_close, log_return, config)

        np.testing.assert_array_equal(
            features.physics_acf, autocorrelation(log_return, 50)
        )

    @pytest.mark.parametrize("n_bars", [0, 1, 2, 100])
    def test_a_short_segment_is_unknown(self, n_bars):
        log_close = segment(100)[0][:n_bars]
        log_return = segment(100)[1][:n_bars]

        columns = [
            *physics_features(log_close, log_return, CONFIG),
            *elastic_features(log_close, 12, CONFIG),
        ]

        assert len(columns) == 9
        for column in columns:
            assert column.size == n_bars
            assert np.isnan(column).all()


class TestCausality:
    @pytest.mark.parametrize("cut", [168, 201, 500, 673, 1199])
    def test_truncation_changes_no_bit(self, cut):
        log_close, log_return = segment(1200)

        whole = physics_features(log_close, log_return, CONFIG)
        early = physics_features(log_close[:cut], log_return[:cut], CONFIG)

        assert_same_bits(early, whole)

    def test_a_wild_future_changes_no_bit(self):
        log_close, _ = segment(1200)
        wild = np.concatenate([log_close[:900], log_close[900:] * 1e3])

        whole = physics_features(log_close, with_unknown_first(log_close), CONFIG)
        early = physics_features(wild, with_unknown_first(wild), CONFIG)

        assert_same_bits(PhysicsFeatures(*(f[:900] for f in early)), whole)


@pytest.mark.skipif(
    "FLEET_MARKET_DIR" not in os.environ,
    reason="FLEET_MARKET_DIR names no folder with real candles",
)
class TestRealCandles:
    @pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT"])
    def test_a_year_is_known_bounded_and_causal(self, symbol):
        folder = Path(os.environ["FLEET_MARKET_DIR"]) / "candles"
        candles = pd.read_parquet(folder / f"{symbol}-1h.parquet")
        log_close = np.log(candles["close"].to_numpy()[-8000:])
        log_return = with_unknown_first(log_close)

        features = physics_features(log_close, log_return, CONFIG)
        elastic = elastic_features(log_close, 12, CONFIG)

        settled = np.array([*features, *elastic])[:, CONFIG.warm_up_bars :]
        assert np.isfinite(settled).all()
        assert (np.abs(elastic.elastic_z[CONFIG.warm_up_bars :]) < 20).all()
        warning = features.physics_stability_warning[CONFIG.warm_up_bars :]
        assert set(np.unique(warning)) == {0.0, 1.0}
        assert warning.mean() < 0.3
        early = physics_features(log_close[:5001], log_return[:5001], CONFIG)
        assert_same_bits(early, features)


class TestErrors:
    def test_a_window_below_its_least(self):
        with pytest.raises(ValidationError, match="hurst_bars"):
            Physics(hurst_bars=16)

    def test_an_unknown_key(self):
        with pytest.raises(ValidationError, match="hurst_window"):
            Physics(hurst_window=200)
