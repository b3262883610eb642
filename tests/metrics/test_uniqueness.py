import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.metrics.uniqueness import average_uniqueness, effective_signals

BARS = st.lists(st.integers(0, 120), min_size=1, max_size=40)


def slow_uniqueness(bars: list[int], horizon: int) -> np.ndarray:
    """Ask every label for every bar of its life how many others live through it."""

    def lives(bar: int, at: int) -> bool:
        return bar + 1 <= at <= bar + horizon

    return np.array(
        [
            np.mean(
                [
                    1 / sum(lives(other, at) for other in bars)
                    for at in range(bar + 1, bar + horizon + 1)
                ]
            )
            for bar in bars
        ]
    )


class TestKnownValues:
    def test_two_labels_that_share_a_bar(self) -> None:
        # Bars 1-2 and 2-3: each lives alone through one and shares the other.
        np.testing.assert_allclose(average_uniqueness(np.array([0, 1]), 2), 0.75)

    def test_equal_labels_share_everything(self) -> None:
        np.testing.assert_allclose(average_uniqueness(np.array([7, 7, 7]), 12), 1 / 3)

    def test_labels_that_only_touch_are_unique(self) -> None:
        np.testing.assert_allclose(average_uniqueness(np.array([0, 12, 24]), 12), 1)

    def test_as_many_signals_in_a_row_as_bars_count_nearly_two(self) -> None:
        told = average_uniqueness(np.arange(12), 12).sum()
        assert told == pytest.approx(2 - 1 / 12)

    def test_each_asset_counts_alone(self) -> None:
        hours = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us") + pd.Timedelta(
            hours=1
        ) * np.array([0, 0, 1, 1, 40, 40])
        rows = pd.DataFrame(
            {"timestamp": hours, "asset": ["B", "A", "B", "A", "B", "C"]}
        )
        signal = np.array([True, True, True, False, True, False])
        told = effective_signals(rows, signal, horizon_bars=2)
        assert told.to_dict() == pytest.approx({"A": 1.0, "B": 2.5, "C": 0.0})


class TestAgainstSlowReference:
    @given(bars=BARS, horizon=st.integers(1, 30))
    def test_equals_the_definition(self, bars: list[int], horizon: int) -> None:
        told = average_uniqueness(np.array(bars), horizon)
        np.testing.assert_allclose(told, slow_uniqueness(bars, horizon), rtol=1e-9)


class TestProperties:
    @given(bars=BARS, horizon=st.integers(1, 30))
    def test_the_sum_is_the_time_covered_over_the_horizon(
        self, bars: list[int], horizon: int
    ) -> None:
        covered = {bar + ahead for bar in bars for ahead in range(1, horizon + 1)}
        told = average_uniqueness(np.array(bars), horizon).sum()
        assert told == pytest.approx(len(covered) / horizon)
        assert told <= len(bars) + 1e-9

    @given(bars=BARS, horizon=st.integers(1, 30), shift=st.integers(-500_000, 500_000))
    def test_only_distances_matter(
        self, bars: list[int], horizon: int, shift: int
    ) -> None:
        told = average_uniqueness(np.array(bars) + shift, horizon)
        np.testing.assert_array_equal(told, average_uniqueness(np.array(bars), horizon))

    def test_no_label_has_no_uniqueness(self) -> None:
        assert average_uniqueness(np.empty(0, dtype=np.int64), 12).size == 0
