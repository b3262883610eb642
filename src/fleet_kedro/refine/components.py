"""Principal components of each cluster, computed from the correlation matrix alone."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from fleet_kedro.refine.clusters import NO_CLUSTER

# A cumulative share of 0.95 must not fail for being 0.95 less one rounding error.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class ClusterComponents:
    """Components of unit variance; uncorrelated inside a cluster, not between clusters.

    Attributes
    ----------
    columns, weights
        For each cluster, its columns and one column of weights a component: component
        = standardised columns @ weights.
    cluster, component
        For each component, its cluster and its place in it, by variance.
    variance_share
        For each component, its share of its cluster's variance.
    correlation
        Correlations of all components with one another.
    """

    columns: tuple[Int[np.ndarray, " _"], ...]
    weights: tuple[Float[np.ndarray, "_ _"], ...]
    cluster: Int[np.ndarray, " components"]
    component: Int[np.ndarray, " components"]
    variance_share: Float[np.ndarray, " components"]
    correlation: Float[np.ndarray, "components components"]

    @property
    def leading(self) -> Int[np.ndarray, " clusters"]:
        """The component of largest variance of each cluster."""
        return np.flatnonzero(self.component == 0)

    def of_columns(
        self, values: Float[np.ndarray, "rows features"]
    ) -> Float[np.ndarray, "rows components"]:
        """Carry a linear quantity of standardised columns over to the components."""
        parts = zip(self.columns, self.weights, strict=True)
        return np.hstack([values[:, columns] @ weights for columns, weights in parts])

    def to_columns(
        self, mixing: Float[np.ndarray, "components latents"], n_features: int
    ) -> Float[np.ndarray, "features latents"]:
        """Weights on the standardised columns of mixtures of components."""
        projection = np.zeros((n_features, mixing.shape[1]))
        parts = zip(self.columns, self.weights, strict=True)
        for cluster, (columns, weights) in enumerate(parts):
            projection[columns] = weights @ mixing[self.cluster == cluster]
        return projection


def cluster_components(
    correlation: Float[np.ndarray, "features features"],
    labels: Int[np.ndarray, " features"],
    variance_kept: float,
) -> ClusterComponents:
    """Principal components of each cluster, as many as keep ``variance_kept`` of it.

    With ``R = V Λ Vᵀ`` the cluster's correlation block, component ``k`` is
    ``z @ v_k / √λ_k``: the same as an SVD of the standardised columns, without them.
    The sign makes the weight of largest size positive.
    """
    n_clusters = int(labels.max(initial=NO_CLUSTER)) + 1
    columns = tuple(np.flatnonzero(labels == number) for number in range(n_clusters))
    parts = [_principal(correlation[np.ix_(c, c)], variance_kept) for c in columns]
    weights = tuple(weights for weights, _ in parts)
    sizes = [part.shape[1] for part in weights]
    return ClusterComponents(
        columns=columns,
        weights=weights,
        cluster=np.repeat(np.arange(n_clusters), sizes),
        component=np.concatenate([np.arange(size) for size in sizes]),
        variance_share=np.concatenate([share for _, share in parts]),
        correlation=_between(correlation, columns, weights),
    )


def _principal(
    block: Float[np.ndarray, "members members"], variance_kept: float
) -> tuple[Float[np.ndarray, "members kept"], Float[np.ndarray, " kept"]]:
    """Weights to unit variance and variance shares, largest variance first."""
    variance, direction = np.linalg.eigh(block)
    variance, direction = variance[::-1], direction[:, ::-1]
    share = np.maximum(variance, 0.0) / len(block)
    n_kept = 1 + int(np.sum(np.cumsum(share) < variance_kept - _ROUNDING))
    # variance_kept = 1 must not turn directions that hold only rounding into latents.
    n_kept = min(n_kept, max(1, int(np.sum(share > _ROUNDING))))
    weights = direction[:, :n_kept] / np.sqrt(variance[:n_kept])
    largest = np.abs(weights).argmax(axis=0)
    return weights * np.sign(weights[largest, np.arange(n_kept)]), share[:n_kept]


def _between(
    correlation: Float[np.ndarray, "features features"],
    columns: tuple[np.ndarray, ...],
    weights: tuple[np.ndarray, ...],
) -> Float[np.ndarray, "components components"]:
    """``Wᵀ R W``, one cluster at a time since ``W`` is block diagonal."""
    against = np.hstack(
        [correlation[:, c] @ w for c, w in zip(columns, weights, strict=True)]
    )
    parts = zip(columns, weights, strict=True)
    return np.vstack([w.T @ against[c] for c, w in parts])
