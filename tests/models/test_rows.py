"""Usable rows and pattern windows against their definitions, one bar at a time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.features.lags import LAGS
from fleet_kedro.models.mixture import PHYSICS_COLUMNS
from fleet_kedro.models.rows import (
    ELASTIC_COLUMNS,
    ENERGY_COLUMNS,
    PATTERN_SERIES,
    pattern_windows,
    read_features,
)

START = pd.Timestamp("2023-01-01", tz="UTC")
SIGNALS = ["slow", "fast"]
INPUTS = [*PHYSICS_COLUMNS, *ELASTIC_COLUMNS, *ENERGY_COLUMNS, PATTERN_SERIES]
PATTERN_BARS = 6


def feature_frame(
    n_bars: int, borders: list[int], blank: list[tuple[int, int]], filled: list[int]
) -> pd.DataFrame:
    """Random features; ``borders`` begin segments, ``blank`` (bar, column) are NaN."""
    rng = np.random.default_rng(n_bars)
    names = [*SIGNALS, *INPUTS]
    values = rng.normal(size=(n_bars, len(names))).astype(np.float32)
    for bar, column in blank:
        values[bar % n_bars, column % len(names)] = np.nan
    return pd.DataFrame(values, columns=names).assign(
        timestamp=pd.date_range(START, periods=n_bars, freq="h", unit="us"),
        asset="BTC",
        segment=np.searchsorted(sorted(borders), np.arange(n_bars), side="right"),
        is_filled=np.isin(np.arange(n_bars), [bar % n_bars for bar in filled]),
        forward_return=np.where(rng.random(n_bars) < 0.1, np.nan, 0.01),
    )


def usable_one_by_one(frame: pd.DataFrame, window_start: pd.Timestamp) -> list[bool]:
    """The definition: look at everything that the brain reads of a row."""
    segment, is_filled = frame["segment"].to_numpy(), frame["is_filled"].to_numpy()
    signals, inputs = frame[SIGNALS].to_numpy(), frame[INPUTS].to_numpy()
    pattern = frame[PATTERN_SERIES].to_numpy()
    answer = []
    for t, timestamp in enumerate(frame["timestamp"]):
        lagged = [t - lag for lag in LAGS]
        window = list(range(t - PATTERN_BARS + 1, t + 1))
        answer.append(
            min(*lagged, *window) >= 0
            and all(segment[s] == segment[t] for s in [*lagged, *window])
            and all(np.isfinite(signals[s]).all() for s in lagged)
            and np.isfinite(inputs[t]).all()
            and all(np.isfinite(pattern[s]) for s in window)
            and not is_filled[t]
            and timestamp >= window_start
        )
    return answer


class TestKnownValues:
    def test_a_frame_without_a_blemish_is_usable_once_its_windows_are_full(
        self,
    ) -> None:
        frame = feature_frame(40, [20], [], [])
        usable = read_features(frame, SIGNALS, START, PATTERN_BARS).is_usable
        expected = np.ones(40, dtype=bool)
        expected[: max(LAGS)] = expected[20 : 20 + max(LAGS)] = False
        np.testing.assert_array_equal(usable, expected)

    def test_a_long_pattern_waits_for_its_own_window(self) -> None:
        frame = feature_frame(40, [20], [], [])
        usable = read_features(frame, SIGNALS, START, 15).is_usable
        assert np.flatnonzero(usable).tolist() == [*range(14, 20), *range(34, 40)]

    def test_the_parts_are_the_columns_of_the_frame(self) -> None:
        frame = feature_frame(40, [], [], [])
        parts = read_features(frame, ["fast", "slow"], START, PATTERN_BARS)
        np.testing.assert_array_equal(parts.signals, frame[["fast", "slow"]])
        assert parts.signals.dtype == np.float32
        assert list(parts.inputs) == INPUTS
        np.testing.assert_array_equal(
            parts.forward_return, frame["forward_return"].to_numpy()
        )

    def test_a_row_without_a_label_can_still_be_forecast(self) -> None:
        frame = feature_frame(40, [], [], []).assign(forward_return=np.nan)
        assert read_features(frame, SIGNALS, START, PATTERN_BARS).is_usable.sum() == 32

    def test_pattern_windows_end_at_their_bar(self) -> None:
        windows = pattern_windows(np.arange(10.0), np.array([9, 2, 5]), 3)
        assert windows.tolist() == [[7, 8, 9], [0, 1, 2], [3, 4, 5]]
        assert windows.dtype == np.float32

    def test_a_series_shorter_than_a_window_has_none(self) -> None:
        nothing = np.array([], dtype=np.int64)
        assert pattern_windows(np.arange(3.0), nothing, 64).shape == (0, 64)
        frame = feature_frame(5, [], [], [])
        assert not read_features(frame, SIGNALS, START, 64).is_usable.any()


class TestAgainstSlowReference:
    @given(
        n_bars=st.integers(1, 60),
        borders=st.lists(st.integers(0, 60), max_size=3),
        blank=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 13)), max_size=4),
        filled=st.lists(st.integers(0, 60), max_size=3),
        first=st.integers(0, 30),
    )
    @settings(max_examples=40, deadline=None)
    def test_usable_rows_equal_the_definition(
        self,
        n_bars: int,
        borders: list[int],
        blank: list[tuple[int, int]],
        filled: list[int],
        first: int,
    ) -> None:
        frame = feature_frame(n_bars, borders, blank, filled)
        window_start = START + first * pd.Timedelta(hours=1)
        usable = read_features(frame, SIGNALS, window_start, PATTERN_BARS).is_usable
        assert usable.tolist() == usable_one_by_one(frame, window_start)


class TestProperties:
    def test_pattern_windows_of_usable_rows_stay_in_their_segment(self) -> None:
        frame = feature_frame(200, [50, 53, 120], [(80, 13), (150, 13)], [])
        parts = read_features(frame, SIGNALS, START, PATTERN_BARS)
        bar = np.flatnonzero(parts.is_usable)
        segments = pattern_windows(parts.segment.astype(np.float64), bar, PATTERN_BARS)
        assert len(bar) > 100
        assert (segments == parts.segment[bar][:, np.newaxis]).all()
        series = parts.inputs[PATTERN_SERIES].to_numpy()
        assert np.isfinite(pattern_windows(series, bar, PATTERN_BARS)).all()

    @pytest.mark.parametrize("cut", [1, 9, 60, 130])
    def test_later_bars_change_no_row(self, cut: int) -> None:
        frame = feature_frame(200, [50, 120], [(80, 13), (150, 2)], [70])
        whole = read_features(frame, SIGNALS, START, PATTERN_BARS).is_usable
        known = read_features(frame.iloc[:cut], SIGNALS, START, PATTERN_BARS).is_usable
        np.testing.assert_array_equal(known, whole[:cut])


class TestErrors:
    def test_a_window_that_would_begin_before_the_series(self) -> None:
        # A negative index would quietly read the end of the series: the future.
        with pytest.raises(ValueError, match="Bar 4 has no 6 values up to it"):
            pattern_windows(np.arange(50.0), np.array([20, 4]), 6)
