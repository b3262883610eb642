"""Range: what happened the last times the market stood here.

The expert of sideways markets: it assumes no shape at all, only that similar states
have similar odds. Nearest neighbours in the sense of Cover and Hart (1967), section 2,
with a large neighbourhood because one outcome says next to nothing, and with the share
shrunk towards the base rate.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float32, Float64, Int
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.models.experts.base import BinaryExpert
from fleet_kedro.models.experts.standardise import KEPT_SCALE, WeightedScale
from fleet_kedro.models.learnt import Learnt

_QUERIES_AT_ONCE = 16  # 16 × 20,000 float32 scores stay in the cache


class RangeSettings(Config):
    """How many similar moments to ask, and how much to believe them."""

    neighbours: int = Field(
        default=400,
        ge=1,
        description="References asked; all of them if there are fewer.",
    )
    prior_rows: float = Field(
        default=200.0, ge=0, description="Rows that the base rate is worth."
    )
    max_reference_rows: int = Field(
        default=20_000,
        ge=1,
        description="References kept, evenly spaced over the rows.",
    )
    threads: int = Field(default=2, ge=1, description="No effect on the result.")


class RangeExpert(BinaryExpert):
    """Weighted share of positives among the nearest references, shrunk.

    With ``N(x)`` the references no farther from ``x`` than the k-th nearest one::

        p(x) = (Σ_{i ∈ N(x)} w_i y_i + s p̄) / (Σ_{i ∈ N(x)} w_i + s)

    where ``p̄`` is the weighted share of positives over all training rows and ``s`` is
    ``prior_rows``. Distances are Euclidean between z-scores, in float32. References
    tied with the k-th are all in ``N(x)``, so no order of rows decides between equals.

    Row order is taken as time order: the references are evenly spaced over it.
    """

    settings_type = RangeSettings
    kept: ClassVar = {
        "share_": float,
        "reference_": Float32[np.ndarray, "references columns"],
        "outcome_": Float64[np.ndarray, "references 2"],
        **KEPT_SCALE,
    }

    def __init__(
        self,
        *,
        neighbours: int = 400,
        prior_rows: float = 200.0,
        max_reference_rows: int = 20_000,
        threads: int = 2,
    ) -> None:
        self.neighbours = neighbours
        self.prior_rows = prior_rows
        self.max_reference_rows = max_reference_rows
        self.threads = threads

    def _learn(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> None:
        kept = _evenly_spaced(len(X), self.max_reference_rows)
        self.share_ = float(weight @ y / weight.sum())
        self.scale_ = WeightedScale.of(X, weight)
        self.reference_ = self.scale_.apply(X[kept]).astype(np.float32)
        self.outcome_ = np.column_stack([weight * y, weight])[kept]

    def _probability(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, " rows"]:
        positive, total = self._neighbourhood(X).T
        return (positive + self.prior_rows * self.share_) / (total + self.prior_rows)

    def _hand_on(self) -> Learnt:
        own = {name: getattr(self, name) for name in self.kept if "." not in name}
        return own | self.scale_.hand_on()

    def _take_over(self, learnt: Learnt) -> None:
        self.scale_ = WeightedScale.taken_over(learnt)
        self.share_ = learnt["share_"]
        self.reference_, self.outcome_ = learnt["reference_"], learnt["outcome_"]

    def _neighbourhood(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, "rows 2"]:
        """Sum ``w y`` and ``w`` over each row's neighbours."""
        n_blocks = -(-len(X) // _QUERIES_AT_ONCE)
        # Every block is full, the last one with zeros, because a product of another
        # shape may round differently: a row's answer must not depend on its company.
        query = np.zeros((n_blocks * _QUERIES_AT_ONCE, X.shape[1]), dtype=np.float32)
        query[: len(X)] = self.scale_.apply(X)
        # |r − x|² less the |x|² that all of a row's distances have in common.
        ahead = np.vstack([-2.0 * self.reference_.T, _squared_norm(self.reference_)])
        blocks = np.split(
            np.column_stack([query, np.ones_like(query[:, :1])]), n_blocks
        )
        with ThreadPoolExecutor(self.threads) as pool:
            sums = list(pool.map(lambda block: self._sums(block @ ahead), blocks))
        return np.concatenate(sums)[: len(X)]

    def _sums(
        self, score: Float[np.ndarray, "queries references"]
    ) -> Float[np.ndarray, "queries 2"]:
        """Sum the outcomes of every reference up to the k-th smallest score."""
        last = min(self.neighbours, score.shape[1]) - 1
        farthest = np.partition(score, last, axis=1)[:, last : last + 1]
        return (score <= farthest).astype(np.float64) @ self.outcome_


def _evenly_spaced(n_rows: int, n_kept: int) -> Int[np.ndarray, " kept"]:
    """Choose at most ``n_kept`` of ``n_rows`` positions, their gaps almost equal."""
    if n_rows <= n_kept:
        return np.arange(n_rows)
    return np.arange(n_kept) * n_rows // n_kept


def _squared_norm(
    vectors: Float[np.ndarray, "rows columns"],
) -> Float[np.ndarray, " rows"]:
    return np.einsum("rc,rc->r", vectors, vectors)
