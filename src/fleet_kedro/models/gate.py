"""The gating network: which expert to trust, given the physics and the asset.

Jacobs, Jordan, Nowlan and Hinton (1991) let a gate weigh experts by softmax; here the
gate is a multinomial logistic regression that predicts the *oracle*, the expert whose
out-of-sample forecast of a row had the lowest log-loss.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.metrics.classification import log_loss
from fleet_kedro.models.batches import in_equal_batches
from fleet_kedro.refine.threads import one_blas_thread


def oracle(
    expert_probability: Float[np.ndarray, "rows experts"],
    is_positive: Bool[np.ndarray, " rows"],
) -> Int[np.ndarray, " rows"]:
    """Return, row by row, the expert with the lowest log-loss; the first on a tie.

    The forecasts must be out of sample: an expert judged on rows that it was trained
    on wins by memory.
    """
    is_positive_of_each = np.broadcast_to(
        is_positive[:, np.newaxis], expert_probability.shape
    )
    return log_loss(expert_probability, is_positive_of_each).argmin(axis=1)


class GatingNetwork(BaseEstimator):
    """Softmax weights of the experts from scaled physics and the asset's one-hot.

    Parameters
    ----------
    use_asset_embedding
        Whether the asset's one-hot code joins the physics.
    flags
        Columns of the physics that are 0/1 and pass unscaled.
    penalty
        Strength of the L2 penalty, per row.
    """

    def __init__(
        self,
        *,
        use_asset_embedding: bool = True,
        flags: Sequence[int] = (),
        penalty: float = 1e-3,
    ) -> None:
        self.use_asset_embedding = use_asset_embedding
        self.flags = flags
        self.penalty = penalty

    def fit(
        self,
        physics: Float[np.ndarray, "rows features"],
        asset: Shaped[np.ndarray, " rows"],
        best_expert: Int[np.ndarray, " rows"],
        n_experts: int,
    ) -> "GatingNetwork":
        """Learn which expert tends to be best where."""
        self.n_experts_ = n_experts
        self.mean_ = physics.mean(axis=0, dtype=np.float64)
        deviation = physics.std(axis=0, dtype=np.float64)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        self.mean_[list(self.flags)], self.scale_[list(self.flags)] = 0.0, 1.0
        self.assets_ = np.unique(asset) if self.use_asset_embedding else asset[:0]
        self.seen_ = np.unique(best_expert)
        if self.seen_.size > 1:
            classifier = LogisticRegression(
                C=1 / (self.penalty * len(physics)), max_iter=500, tol=1e-6
            )
            with one_blas_thread():
                self.classifier_ = classifier.fit(
                    self._inputs(physics, asset), best_expert
                )
        return self

    @property
    def n_inputs_(self) -> int:
        """Width of the gate's input: physics plus one-hot."""
        check_is_fitted(self)
        return len(self.mean_) + len(self.assets_)

    def weights(
        self,
        physics: Float[np.ndarray, "rows features"],
        asset: Shaped[np.ndarray, " rows"],
    ) -> Float[np.ndarray, "rows experts"]:
        """Return non-negative weights that sum to one in each row.

        An asset that was never seen gets a row of zeros for its one-hot code. An expert
        that never was the best one gets weight zero.
        """
        check_is_fitted(self)
        weights = np.zeros((len(physics), self.n_experts_))
        if self.seen_.size == 1:
            weights[:, self.seen_[0]] = 1.0
        else:
            with one_blas_thread():
                weights[:, self.seen_] = in_equal_batches(
                    self.classifier_.predict_proba, self._inputs(physics, asset)
                )
        return weights

    def _inputs(
        self,
        physics: Float[np.ndarray, "rows features"],
        asset: Shaped[np.ndarray, " rows"],
    ) -> Float[np.ndarray, "rows inputs"]:
        scaled = (physics - self.mean_) / self.scale_
        one_hot = asset[:, np.newaxis] == self.assets_[np.newaxis, :]
        return np.hstack([scaled, one_hot.astype(np.float64)])
