"""Tensor-Flex: thousands of lagged columns into a few latents, from sums alone.

The steps, each algebra on `Moments` and on one `LinkMoments` a time block:

1. correlations of the columns, and clusters of columns that move together
   (`fleet_kedro.refine.clusters`);
2. principal components of each cluster (`fleet_kedro.refine.components`);
3. each component's link with the label in each time block
   (`fleet_kedro.refine.stability`);
4. residuals on the neighbouring clusters, where they are steadier
   (`fleet_kedro.refine.tensor_talk`);
5. the strongest candidates that keep their sign and differ from one another
   (`fleet_kedro.refine.selection`).

All five are linear in the columns, so they compose into one matrix and an offset.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from fleet_kedro.refine.clusters import cluster_columns
from fleet_kedro.refine.components import ClusterComponents, cluster_components
from fleet_kedro.refine.moments import LinkMoments, Moments
from fleet_kedro.refine.selection import select_latents
from fleet_kedro.refine.stability import BlockLinks
from fleet_kedro.refine.tensor_talk import Candidates, talk
from fleet_kedro.refine.threads import one_blas_thread

# A share of exactly 3/4 must not fail for being 0.75 less one rounding error.
_ROUNDING = 1e-9


class TensorFlexRefiner(TransformerMixin, BaseEstimator):
    """Reduce columns to the latents whose link with the label is strong and steady.

    Parameters
    ----------
    n_latents
        Most latents to keep.
    max_cluster_size
        Most columns in a cluster.
    variance_kept
        Share of each cluster's variance that its components must hold, in (0, 1].
    n_neighbours
        Clusters whose leading components are taken out of a candidate where that makes
        it steadier; 0 switches the exchange off.
    min_agreement
        A latent is stable when its link has the sign of its mean link in blocks that
        hold at least this share of the rows.
    max_latent_correlation
        A candidate closer than this, in size, to a latent already chosen is a copy.
    n_time_blocks
        Equal, consecutive blocks that `fit` cuts the rows into when it is given none.

    Attributes
    ----------
    projection_ : (features, latents)
        Weights on the columns as they come in.
    offset_ : (latents,)
        What is added, so that each latent has mean 0 and variance 1 on the rows of the
        fit.
    n_latents_
        How many there are: `n_latents`, or all distinct candidates when those are
        fewer.
    latent_names_
        ``latent_00`` and so on, best first.
    latents_ : DataFrame
        One row a latent: ``cluster`` and ``component`` that it comes from, ``link``
        (mean over the blocks, never negative: it fixes the sign of the latent),
        ``agreement``, ``strength``, ``is_stable``, ``is_residual``.
    cluster_labels_ : (features,)
        Cluster of each column; −1 for a constant one, which has no weight.
    mean_, scale_ : (features,)
        Mean and standard deviation of the columns on the rows of the fit.

    Notes
    -----
    With the link ``r_b`` of a candidate in block ``b`` and the blocks' shares of the
    rows (see `fleet_kedro.refine.stability`), ``strength = √n |mean r_b| / (sd r_b +
    s)``, where ``s`` is the median of ``sd r_b`` over all candidates. Stable candidates
    are taken first, by falling strength; if they are too few the rest follow, by
    falling strength, with ``is_stable`` false. A candidate whose link is strong but
    changes sign has a small mean and a large deviation: it comes last on both counts.

    The same sums give the same bytes. Rows of all assets may be pooled, each
    standardised by its own asset's statistics (`Moments.standardised`).
    """

    def __init__(
        self,
        *,
        n_latents: int = 25,
        max_cluster_size: int = 64,
        variance_kept: float = 0.95,
        n_neighbours: int = 3,
        min_agreement: float = 0.75,
        max_latent_correlation: float = 0.95,
        n_time_blocks: int = 8,
    ) -> None:
        self.n_latents = n_latents
        self.max_cluster_size = max_cluster_size
        self.variance_kept = variance_kept
        self.n_neighbours = n_neighbours
        self.min_agreement = min_agreement
        self.max_latent_correlation = max_latent_correlation
        self.n_time_blocks = n_time_blocks

    def fit(
        self, X: object, y: object, *, time_block: object = None
    ) -> "TensorFlexRefiner":
        """Fit on rows in memory: make the sums and hand them to `fit_moments`.

        Parameters
        ----------
        X
            Rows of columns, oldest first when ``time_block`` is None.
        y
            The label: a return, or 0 and 1.
        time_block
            The time block of each row; any values, each distinct one a block.
        """
        rows, label = validate_data(
            self,
            X,
            y,
            dtype=[np.float64, np.float32],
            y_numeric=True,
            ensure_min_samples=2,
        )
        label = label.astype(np.float64)
        block_of_row = _block_numbers(time_block, len(label), self.n_time_blocks)
        links = [
            LinkMoments.of(rows[block_of_row == block], label[block_of_row == block])
            for block in range(block_of_row.max() + 1)
        ]
        return self.fit_moments(Moments.of(rows, label), links)

    def fit_moments(
        self, moments: Moments, links: Sequence[LinkMoments]
    ) -> "TensorFlexRefiner":
        """Fit on sums.

        Parameters
        ----------
        moments
            Over all training rows.
        links
            Over the training rows of each time block.

        Raises
        ------
        ValueError
            When all columns are constant, or fewer than two blocks have a label that
            varies.
        """
        self._check_parameters()
        correlation = moments.correlation()
        labels = cluster_columns(correlation, self.max_cluster_size)
        if labels.max(initial=-1) < 0:
            msg = f"All {len(labels)} columns are constant; there is nothing to refine."
            raise ValueError(msg)
        self.n_features_in_ = len(labels)
        self.cluster_labels_ = labels
        self.mean_, self.scale_ = moments.mean(), moments.scale()
        with one_blas_thread():
            components = cluster_components(correlation, labels, self.variance_kept)
            component_links = self._links(components, links)
            candidates = talk(components, component_links, self.n_neighbours)
            return self._keep_best(candidates, components)

    def transform(self, X: object) -> np.ndarray:
        """``X @ projection_ + offset_``, in the precision of ``X``."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        projection = self.projection_.astype(rows.dtype)
        with one_blas_thread():
            return rows @ projection + self.offset_.astype(rows.dtype)

    def loadings(
        self, feature_names: Sequence[str], families: Sequence[str]
    ) -> pd.DataFrame:
        """Tell which families feed which latent.

        Returns
        -------
        One row for each latent and family that feeds it: ``latent``, ``family``,
        ``share`` (of the sum of squared weights on the standardised columns; one for
        all families of a latent together) and ``strongest_feature`` of the family,
        latent by latent, largest share first.
        """
        check_is_fitted(self)
        weight = (self.projection_ * self.scale_[:, None]) ** 2
        table = pd.DataFrame(
            {
                "latent": np.repeat(self.latent_names_, self.n_features_in_),
                "family": np.tile(np.asarray(families, dtype=object), self.n_latents_),
                "share": (weight / weight.sum(axis=0)).T.ravel(),
                "strongest_feature": np.tile(
                    np.asarray(feature_names, dtype=object), self.n_latents_
                ),
            }
        )
        strongest_first = table[table["share"] > 0].sort_values(
            ["latent", "share"], ascending=[True, False], kind="stable"
        )
        return (
            strongest_first.groupby(["latent", "family"], sort=False)
            .agg(
                share=("share", "sum"), strongest_feature=("strongest_feature", "first")
            )
            .reset_index()
            .sort_values(["latent", "share"], ascending=[True, False], kind="stable")
            .reset_index(drop=True)
        )

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the latents, whatever the columns are called."""
        check_is_fitted(self)
        del input_features
        return np.asarray(self.latent_names_, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Needs a label; float32 stays float32."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _links(
        self, components: ClusterComponents, links: Sequence[LinkMoments]
    ) -> BlockLinks:
        """Links of the components with the label in each time block."""
        scale = np.where(self.scale_ > 0, self.scale_, 1.0)
        of_columns = BlockLinks.of(
            [block.standardised(self.mean_, scale) for block in links]
        )
        return BlockLinks(components.of_columns(of_columns.link), of_columns.share)

    def _keep_best(
        self, candidates: Candidates, components: ClusterComponents
    ) -> "TensorFlexRefiner":
        """Choose the latents and compose everything into one affine map."""
        score = candidates.score
        is_stable = score.agreement >= self.min_agreement - _ROUNDING
        chosen = select_latents(
            candidates,
            is_stable,
            components.correlation,
            self.n_latents,
            self.max_latent_correlation,
        )
        sign = np.where(score.mean[chosen] < 0, -1.0, 1.0)
        weights = components.to_columns(
            candidates.mixing[:, chosen] * sign, self.n_features_in_
        )
        self.projection_ = (
            weights / np.where(self.scale_ > 0, self.scale_, 1.0)[:, None]
        )
        self.offset_ = -self.mean_ @ self.projection_
        self.n_latents_ = len(chosen)
        self.latent_names_ = [f"latent_{place:02d}" for place in range(len(chosen))]
        self.latents_ = pd.DataFrame(
            {
                "latent": self.latent_names_,
                "cluster": components.cluster[chosen],
                "component": components.component[chosen],
                "link": np.abs(score.mean[chosen]),
                "agreement": score.agreement[chosen],
                "strength": candidates.strength[chosen],
                "is_stable": is_stable[chosen],
                "is_residual": candidates.is_residual[chosen],
            }
        )
        return self

    def _check_parameters(self) -> None:
        """Refuse a parameter out of its range, by name."""
        at_least = {
            "n_latents": 1,
            "max_cluster_size": 1,
            "n_neighbours": 0,
            "n_time_blocks": 2,
        }
        for name, least in at_least.items():
            if getattr(self, name) < least:
                msg = f"{name} is {getattr(self, name)}; it must be at least {least}."
                raise ValueError(msg)
        for name in ("variance_kept", "min_agreement", "max_latent_correlation"):
            if not 0 < getattr(self, name) <= 1:
                msg = f"{name} is {getattr(self, name)}; it must be in (0, 1]."
                raise ValueError(msg)


def _block_numbers(
    time_block: object, n_rows: int, n_time_blocks: int
) -> Int[np.ndarray, " rows"]:
    """Return each row's block, from zero; equal, consecutive ones if none are given."""
    if time_block is None:
        n_blocks = min(n_time_blocks, n_rows // 2)
        return np.arange(n_rows) * max(n_blocks, 1) // n_rows
    given = column_or_1d(time_block)
    check_consistent_length(given, np.empty(n_rows))
    return np.unique(given, return_inverse=True)[1]
