"""Components from the correlation matrix against an SVD of the rows."""

import numpy as np
import pytest

from fleet_kedro.refine.components import cluster_components


def rows_and_labels(n_rows=400):
    """Three clusters of different width; one column is constant."""
    rng = np.random.default_rng(5)
    labels = np.array([0, 1, 0, 2, 1, -1, 1, 0, 2, 1])
    drivers = rng.standard_normal((n_rows, 3))
    rows = drivers[:, np.maximum(labels, 0)] + rng.standard_normal((n_rows, 10))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    rows[:, 5] = 0.0
    correlation = rows.T @ rows / n_rows
    correlation[5], correlation[:, 5] = np.nan, np.nan
    return rows, labels, correlation


class TestAgainstSlowReference:
    @pytest.mark.parametrize("variance_kept", [0.3, 0.8, 0.95, 1.0])
    def test_components_are_those_of_an_svd_of_the_rows(self, variance_kept):
        rows, labels, correlation = rows_and_labels()
        components = cluster_components(correlation, labels, variance_kept)
        values = components.of_columns(rows)
        for cluster in range(3):
            left, size, _ = np.linalg.svd(rows[:, labels == cluster])
            share = np.cumsum(size**2) / np.sum(size**2)
            n_kept = int(np.searchsorted(share, variance_kept - 1e-9)) + 1
            own = values[:, components.cluster == cluster]
            assert own.shape[1] == n_kept
            overlap = left[:, :n_kept].T @ own / np.sqrt(len(rows))
            np.testing.assert_allclose(np.abs(overlap), np.eye(n_kept), atol=1e-9)

    def test_their_correlations_are_those_of_their_values(self):
        rows, labels, correlation = rows_and_labels()
        components = cluster_components(correlation, labels, 0.95)
        values = components.of_columns(rows)
        np.testing.assert_allclose(
            components.correlation, np.corrcoef(values, rowvar=False), atol=1e-9
        )
        np.testing.assert_allclose(np.diag(components.correlation), 1.0)


class TestProperties:
    def test_weights_on_columns_give_the_same_values(self):
        rows, labels, correlation = rows_and_labels()
        components = cluster_components(correlation, labels, 0.95)
        n_components = len(components.cluster)
        mixing = np.random.default_rng(0).standard_normal((n_components, 2))
        weights = components.to_columns(mixing, n_features=10)
        assert not weights[5].any()
        np.testing.assert_allclose(
            rows @ weights, components.of_columns(rows) @ mixing, atol=1e-9
        )

    def test_identical_columns_leave_one_component_even_when_all_is_kept(self):
        labels = np.zeros(4, dtype=int)
        components = cluster_components(np.ones((4, 4)), labels, variance_kept=1.0)
        assert list(components.cluster) == [0]
        assert components.variance_share == pytest.approx([1.0])
        np.testing.assert_allclose(components.weights[0], np.full((4, 1), 0.25))

    def test_each_cluster_leads_with_its_largest_variance(self):
        _, labels, correlation = rows_and_labels()
        components = cluster_components(correlation, labels, 0.95)
        assert list(components.cluster[components.leading]) == [0, 1, 2]
        for cluster in range(3):
            share = components.variance_share[components.cluster == cluster]
            assert (np.diff(share) <= 0).all()
            assert share.sum() >= 0.95
