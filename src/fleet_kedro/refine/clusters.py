"""Clusters of columns that move together, whatever their sign."""

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import ClusterNode, average, to_tree
from scipy.spatial.distance import squareform

NO_CLUSTER = -1


def cluster_columns(
    correlation: Float[np.ndarray, "features features"], max_cluster_size: int
) -> Int[np.ndarray, " features"]:
    """Group the columns into clusters of at most ``max_cluster_size``.

    Average linkage (Sokal and Michener 1958) on the distance ``1 − |ρ|`` gives a tree;
    from the root down, a branch that is small enough is a cluster and a larger one is
    split into its two parts. So a cluster is always a branch of the tree, never an
    arbitrary cut through one.

    Parameters
    ----------
    correlation
        Pearson correlations; NaN on the diagonal marks a constant column.
    max_cluster_size
        Most columns in one cluster.

    Returns
    -------
    The cluster of each column: 0 holds the first varying column, 1 the first column
    outside cluster 0, and so on. Constant columns belong to none and hold −1.
    """
    varying = np.flatnonzero(np.isfinite(np.diag(correlation)))
    labels = np.full(len(correlation), NO_CLUSTER)
    branches = _small_branches(correlation, varying, max_cluster_size)
    members = [np.sort(varying[branch]) for branch in branches]
    for number, columns in enumerate(sorted(members, key=lambda columns: columns[0])):
        labels[columns] = number
    return labels


def _small_branches(
    correlation: Float[np.ndarray, "features features"],
    varying: Int[np.ndarray, " varying"],
    max_cluster_size: int,
) -> list[list[int]]:
    """Positions, among the varying columns, of the leaves of each branch kept whole."""
    if len(varying) <= max_cluster_size:
        return [list(range(len(varying)))] if len(varying) else []
    distance = 1.0 - np.abs(correlation[np.ix_(varying, varying)])
    # Rounding may leave |ρ| a hair above one.
    np.clip(distance, 0.0, 1.0, out=distance)
    tree = to_tree(average(squareform(distance, checks=False)))
    branches: list[list[int]] = []
    pending: list[ClusterNode | None] = [tree]
    while pending:
        node = pending.pop()
        if node is None:
            continue
        if node.get_count() <= max_cluster_size:
            branches.append(node.pre_order(lambda leaf: leaf.id))
        else:
            pending += [node.get_left(), node.get_right()]
    return branches
