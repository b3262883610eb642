"""Sums that add up, and what can be read off them."""

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from fleet_kedro.refine.moments import LinkMoments, Moments
from fleet_kedro.refine.threads import in_order


def some_rows(n_rows=300, n_features=5, dtype=np.float64):
    """Correlated columns of different level and spread, and a label."""
    rng = np.random.default_rng(7)
    mixing = rng.standard_normal((n_features, n_features))
    rows = rng.standard_normal((n_rows, n_features)) @ mixing
    rows = rows * np.logspace(-2, 2, n_features) + np.linspace(-3, 50, n_features)
    return rows.astype(dtype), rng.standard_normal(n_rows)


def assert_same(actual, expected, rtol=1e-9):
    """Compare every sum, relative to the size of its own kind."""
    assert actual.row_count == expected.row_count
    np.testing.assert_allclose(actual.label_sum, expected.label_sum, atol=1e-9)
    np.testing.assert_allclose(
        actual.label_square_sum, expected.label_square_sum, rtol=rtol
    )
    for name in ("feature_sum", "feature_label_sum", "feature_gram"):
        if hasattr(expected, name):
            value = getattr(expected, name)
            atol = rtol * max(1.0, np.abs(value).max())
            np.testing.assert_allclose(getattr(actual, name), value, atol=atol, rtol=0)


class TestKnownValues:
    def test_sums_of_two_rows_worked_by_hand(self):
        moments = Moments.of(np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([10.0, 1.0]))
        assert moments.row_count == 2
        assert moments.label_sum == 11.0
        assert moments.label_square_sum == 101.0
        np.testing.assert_array_equal(moments.feature_sum, [4.0, -2.0])
        np.testing.assert_array_equal(moments.feature_label_sum, [13.0, 16.0])
        np.testing.assert_allclose(moments.feature_gram, [[10.0, -10.0], [-10.0, 20.0]])

    def test_correlation_is_the_usual_one(self):
        rows, label = some_rows()
        moments = Moments.of(rows, label)
        expected = np.corrcoef(rows, rowvar=False)
        np.testing.assert_allclose(moments.correlation(), expected, atol=1e-12)
        np.testing.assert_allclose(moments.mean(), rows.mean(axis=0))
        np.testing.assert_allclose(moments.scale(), rows.std(axis=0))

    def test_a_constant_column_has_no_scale_and_no_correlation(self):
        rows, label = some_rows()
        rows[:, 2] = 0.1
        moments = Moments.of(rows, label)
        assert moments.scale()[2] == 0.0
        assert np.isnan(moments.correlation()[2]).all()
        assert np.isnan(moments.correlation()[:, 2]).all()
        assert np.isfinite(np.delete(moments.correlation()[0], 2)).all()

    def test_float32_rows_keep_six_digits_of_a_column_far_from_zero(self):
        rows, label = some_rows(4_000, dtype=np.float32)
        rows += np.float32(1_000.0) * rows.std(axis=0)
        expected = np.corrcoef(rows.astype(np.float64), rowvar=False)
        correlation = Moments.of(rows, label).correlation()
        np.testing.assert_allclose(correlation, expected, atol=1e-6)


class TestProperties:
    @given(cut=st.lists(st.integers(0, 300), min_size=1, max_size=4))
    @settings(max_examples=30, deadline=None)
    @pytest.mark.parametrize("kind", [Moments, LinkMoments])
    def test_parts_cut_anywhere_add_up_to_the_whole(self, kind, cut):
        rows, label = some_rows()
        edges = [0, *sorted(cut), 300]
        merged = kind.zero(rows.shape[1])
        for start, end in itertools.pairwise(edges):
            merged = merged + kind.of(rows[start:end], label[start:end])
        assert_same(merged, kind.of(rows, label))

    def test_the_order_of_parts_does_not_matter(self):
        rows, label = some_rows()
        parts = [Moments.of(rows[i::3], label[i::3]) for i in range(3)]
        there = parts[0] + parts[1] + parts[2]
        back = parts[2] + (parts[0] + parts[1])
        assert_same(there, back, rtol=1e-13)

    @pytest.mark.parametrize("kind", [Moments, LinkMoments])
    def test_standardising_sums_equals_summing_standardised_rows(self, kind):
        rows, label = some_rows()
        mean, scale = rows[:40].mean(axis=0), rows[:40].std(axis=0)
        actual = kind.of(rows, label).standardised(mean, scale)
        assert_same(actual, kind.of((rows - mean) / scale, label))

    def test_assets_scaled_each_by_itself_add_up_to_the_stacked_rows(self):
        rows, label = some_rows()
        pooled, stacked = Moments.zero(rows.shape[1]), []
        for part in (slice(0, 100), slice(100, 300)):
            moments = Moments.of(rows[part], label[part])
            own = moments.mean(), moments.scale()
            in_two_passes = pooled + moments.standardised(*own)
            pooled = pooled.plus_standardised(moments, *own)
            np.testing.assert_array_equal(
                pooled.feature_gram, in_two_passes.feature_gram
            )
            stacked.append(
                (rows[part] - rows[part].mean(axis=0)) / rows[part].std(axis=0)
            )
        assert_same(pooled, Moments.of(np.vstack(stacked), label))

    def test_sums_from_separate_processes_merge(self):
        rows, label = some_rows()
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            halves = [
                pool.submit(Moments.of, rows[part], label[part])
                for part in (slice(0, 150), slice(150, 300))
            ]
            merged = halves[0].result() + halves[1].result()
        assert_same(merged, Moments.of(rows, label))

    def test_threads_change_no_byte(self):
        rows, label = some_rows(5_000, 130, np.float32)
        results = []
        for n_threads in (1, 2):
            with threadpool_limits(n_threads, user_api="blas"):
                results.append(Moments.of(rows, label))
        one, two = results
        assert one.feature_gram.tobytes() == two.feature_gram.tobytes()
        assert one.feature_label_sum.tobytes() == two.feature_label_sum.tobytes()

    def test_jobs_come_back_in_their_order_on_any_number_of_threads(self):
        jobs = list(range(50))
        for n_threads in (1, 2, 7):
            assert list(in_order(lambda job: job**2, jobs, n_threads)) == [
                job**2 for job in jobs
            ]

    def test_rows_are_left_untouched(self):
        rows, label = some_rows()
        before = rows.copy()
        Moments.of(rows, label).standardised(rows.mean(axis=0), rows.std(axis=0))
        np.testing.assert_array_equal(rows, before)


class TestErrors:
    @pytest.mark.parametrize("where", ["feature", "label"])
    def test_nan_is_refused(self, where):
        rows, label = some_rows()
        (rows[:, 1] if where == "feature" else label)[5] = np.nan
        with pytest.raises(ValueError, match="hold NaN or infinity"):
            Moments.of(rows, label)

    @pytest.mark.parametrize("kind", [Moments, LinkMoments])
    @pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
    def test_a_scale_that_is_not_positive_is_refused(self, kind, bad):
        rows, label = some_rows()
        scale = np.ones(rows.shape[1])
        scale[3] = bad
        with pytest.raises(ValueError, match="column 3 has"):
            kind.of(rows, label).standardised(np.zeros(rows.shape[1]), scale)
