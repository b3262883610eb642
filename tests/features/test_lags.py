import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.features.lags import (
    LAGS,
    complete_rows,
    lagged_names,
    lagged_rows,
    project_lagged,
)


@pytest.fixture(scope="module")
def signals() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


class TestKnownValues:
    def test_names_are_lag_major(self):
        names = lagged_names(["rsi_13", "adx_13"])
        assert names[:3] == ["rsi_13_lag0", "adx_13_lag0", "rsi_13_lag1"]
        assert names[-1] == "adx_13_lag8"
        assert len(names) == 12

    def test_a_row_holds_the_signals_of_the_rows_before(self):
        signals = np.arange(20.0)[:, None]
        np.testing.assert_array_equal(
            lagged_rows(signals, np.array([8, 19])),
            [[8.0, 7.0, 6.0, 5.0, 3.0, 0.0], [19.0, 18.0, 17.0, 16.0, 14.0, 11.0]],
        )

    def test_rows_are_complete_after_the_longest_lag_of_each_segment(self):
        segment = np.repeat([0, 1], [12, 10])
        complete = complete_rows(np.ones((22, 2)), segment)
        np.testing.assert_array_equal(np.flatnonzero(complete), [8, 9, 10, 11, 20, 21])

    def test_one_missing_value_costs_the_rows_that_look_at_it(self):
        signals = np.ones((30, 2))
        signals[15, 1] = np.nan
        incomplete = ~complete_rows(signals, np.zeros(30, dtype=int))
        np.testing.assert_array_equal(
            np.flatnonzero(incomplete), [*range(8), *(15 + np.array(LAGS))]
        )


class TestAgainstSlowReference:
    def test_gather_equals_a_loop(self, signals):
        rows = np.array([8, 30, 59, 11])
        for values, row in zip(lagged_rows(signals, rows), rows, strict=True):
            np.testing.assert_array_equal(
                values, np.concatenate([signals[row - lag] for lag in LAGS])
            )

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_projection_equals_the_lagged_matrix_times_it(self, signals, dtype):
        values = signals.astype(dtype)
        values[40, 2] = np.nan
        segment = np.repeat([0, 3], [25, 35])
        projection = np.random.default_rng(1).normal(size=(24, 3)).astype(dtype)
        latents = project_lagged(values, segment, projection)
        complete = complete_rows(values, segment)
        assert complete.sum() == 60 - 8 - 8 - 6
        expected = lagged_rows(values, np.flatnonzero(complete)) @ projection
        tolerance = 1e-5 if dtype is np.float32 else 1e-13
        np.testing.assert_allclose(
            latents[complete], expected, rtol=tolerance, atol=tolerance
        )
        assert np.isnan(latents[~complete]).all()
        assert latents.dtype == dtype


class TestProperties:
    @given(data=st.data(), n_bars=st.integers(1, 40))
    @settings(max_examples=50, deadline=None)
    def test_complete_means_finite_at_every_lag_in_one_segment(self, data, n_bars):
        gaps = data.draw(st.lists(st.integers(0, 1), min_size=n_bars, max_size=n_bars))
        known = data.draw(
            st.lists(st.sampled_from([1.0] * 9 + [np.nan]), min_size=n_bars)
        )
        segment = np.cumsum(gaps) // 3
        signals = np.array(known[:n_bars])[:, None]
        complete = complete_rows(signals, segment)
        for row in range(n_bars):
            past = [row - lag for lag in LAGS]
            expected = all(
                i >= 0 and segment[i] == segment[row] and np.isfinite(signals[i, 0])
                for i in past
            )
            assert complete[row] == expected

    def test_input_is_untouched(self, signals):
        values = signals.copy()
        values[3] = np.nan
        before = values.copy()
        project_lagged(values, np.zeros(60, dtype=int), np.ones((24, 2)))
        np.testing.assert_array_equal(values, before)


class TestErrors:
    def test_row_without_a_past(self, signals):
        with pytest.raises(ValueError, match="Row 7 has no value of 8 bars ago"):
            lagged_rows(signals, np.array([9, 7]))

    def test_projection_of_another_width(self, signals):
        with pytest.raises(ValueError, match="has 5 rows; 4 signals at 6 lags need 24"):
            project_lagged(signals, np.zeros(60, dtype=int), np.ones((5, 2)))
