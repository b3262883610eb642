"""Clusters: who belongs together, how many at most, and in what order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.refine.clusters import NO_CLUSTER, cluster_columns


def grouped(groups, seed=0, n_rows=500):
    """Correlations of columns that follow one driver a group, with either sign."""
    rng = np.random.default_rng(seed)
    drivers = rng.standard_normal((n_rows, max(groups) + 1))
    sign = rng.choice([-1.0, 1.0], len(groups))
    rows = drivers[:, groups] * sign + 0.3 * rng.standard_normal((n_rows, len(groups)))
    return np.corrcoef(rows, rowvar=False)


class TestKnownValues:
    def test_groups_are_found_whatever_their_sign_and_order(self):
        groups = [0, 1, 0, 2, 1, 2, 0, 1]
        labels = cluster_columns(grouped(groups), max_cluster_size=3)
        np.testing.assert_array_equal(labels, groups)

    def test_a_constant_column_belongs_to_no_cluster(self):
        correlation = grouped([0, 0, 1, 1])
        correlation[1], correlation[:, 1] = np.nan, np.nan
        labels = cluster_columns(correlation, max_cluster_size=2)
        np.testing.assert_array_equal(labels, [0, NO_CLUSTER, 1, 1])

    def test_few_columns_are_one_cluster(self):
        labels = cluster_columns(grouped([0, 1, 2]), max_cluster_size=64)
        np.testing.assert_array_equal(labels, [0, 0, 0])

    def test_columns_that_never_vary_give_no_cluster(self):
        labels = cluster_columns(np.full((3, 3), np.nan), max_cluster_size=2)
        np.testing.assert_array_equal(labels, [NO_CLUSTER] * 3)


class TestProperties:
    @given(
        groups=st.lists(st.integers(0, 4), min_size=2, max_size=40),
        size=st.integers(1, 12),
    )
    @settings(max_examples=40, deadline=None)
    def test_sizes_are_bounded_and_labels_follow_the_first_column(self, groups, size):
        labels = cluster_columns(grouped(groups), max_cluster_size=size)
        assert np.bincount(labels).max() <= size
        first = [int(np.flatnonzero(labels == k)[0]) for k in range(labels.max() + 1)]
        assert first == sorted(first)
        assert set(labels) == set(range(labels.max() + 1))

    @pytest.mark.parametrize("seed", range(3))
    def test_moving_columns_moves_their_clusters_along(self, seed):
        correlation = grouped([0, 1, 2, 3] * 5, seed)
        order = np.random.default_rng(seed).permutation(20)
        moved = cluster_columns(correlation[np.ix_(order, order)], 5)
        together = cluster_columns(correlation, 5)[order]
        np.testing.assert_array_equal(
            moved[:, None] == moved, together[:, None] == together
        )
