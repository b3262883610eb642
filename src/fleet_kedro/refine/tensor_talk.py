"""Tensor talk: a cluster keeps what its neighbours cannot say, where that is steadier.

Two clusters often share a driver, such as the market's direction, whose link with the
label comes and goes. Taking the neighbours' leading components out of a candidate may
leave a part that is weaker but holds its sign.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from fleet_kedro.refine.components import ClusterComponents
from fleet_kedro.refine.stability import BlockLinks, LinkScore

# A residual with less of the variance than this is mostly the neighbours' rounding and
# noise, blown up to unit variance.
_MIN_RESIDUAL_VARIANCE = 0.05


@dataclass(frozen=True, eq=False)
class Candidates:
    """Mixtures of components, unit variance each, from which the latents are chosen.

    Attributes
    ----------
    mixing
        Column ``i`` holds the weights of candidate ``i`` on the components.
    score
        Link with the label over the time blocks.
    strength
        Strength of that link.
    is_residual
        Whether the neighbours were taken out.
    """

    mixing: Float[np.ndarray, "components candidates"]
    score: LinkScore
    strength: Float[np.ndarray, " candidates"]
    is_residual: Bool[np.ndarray, " candidates"]


def talk(
    components: ClusterComponents, links: BlockLinks, n_neighbours: int
) -> Candidates:
    """Replace each component by its residual on the neighbours where that is steadier.

    The neighbours of a cluster are the ``n_neighbours`` clusters whose leading
    components correlate most, in size, with its own. The residual of a component is
    what least squares on their leading components leaves, at unit variance. It takes
    the component's place when its sign agrees over at least as large a share of the
    time blocks, its strength is higher, and it holds at least 5 % of the variance.

    Parameters
    ----------
    components
        Components of all clusters.
    links
        Their links with the label, a block a row.
    n_neighbours
        Clusters that each cluster listens to; 0 leaves everything as it is.
    """
    residual = _residuals(components, n_neighbours)
    plain_score = LinkScore.of(links)
    residual_links = BlockLinks(links.link @ residual, links.share)
    residual_score = LinkScore.of(residual_links)
    usual = float(np.median(plain_score.deviation))
    is_steadier = (
        (residual_score.agreement >= plain_score.agreement)
        & (residual_score.strength(usual) > plain_score.strength(usual))
        & residual.any(axis=0)
    )
    chosen = BlockLinks(
        np.where(is_steadier, residual_links.link, links.link), links.share
    )
    score = LinkScore.of(chosen)
    return Candidates(
        mixing=np.where(is_steadier, residual, np.eye(len(residual))),
        score=score,
        strength=score.strength(usual),
        is_residual=is_steadier,
    )


def _residuals(
    components: ClusterComponents, n_neighbours: int
) -> Float[np.ndarray, "components components"]:
    """Weights of each component's residual; a column of zeros where none is left."""
    correlation = components.correlation
    mixing = np.zeros_like(correlation)
    for cluster, nearest in enumerate(_nearest(components, n_neighbours)):
        own = np.flatnonzero(components.cluster == cluster)
        shared = correlation[np.ix_(nearest, own)]
        # Leading components of two halves of one tight group may nearly coincide; the
        # pseudo-inverse then uses what they have in common once.
        among = correlation[np.ix_(nearest, nearest)]
        slope = np.linalg.pinv(among, rcond=1e-6, hermitian=True) @ shared
        left = 1.0 - np.sum(slope * shared, axis=0)
        has_rest = left >= _MIN_RESIDUAL_VARIANCE
        scale = np.where(has_rest, 1.0 / np.sqrt(np.where(has_rest, left, 1.0)), 0.0)
        mixing[own, own] = scale
        mixing[np.ix_(nearest, own)] = -slope * scale
    return mixing


def _nearest(
    components: ClusterComponents, n_neighbours: int
) -> list[Int[np.ndarray, " neighbours"]]:
    """Leading components of each cluster's nearest clusters, nearest first."""
    leading = components.leading
    closeness = np.abs(components.correlation[np.ix_(leading, leading)])
    np.fill_diagonal(closeness, -1.0)
    order = np.argsort(-closeness, axis=1, kind="stable")
    n_nearest = min(n_neighbours, len(leading) - 1)
    return [leading[row[:n_nearest]] for row in order]
