"""What a model may know about which asset a row belongs to.

``one_hot`` gives every asset a column of its own. ``learned`` gives it a place in a
plane: assets whose labels answer to the inputs in the same way lie close together. It
is a reduced-rank regression with one response per asset (Izenman 1975, "Reduced-rank
regression for the multivariate linear model", section 2), in closed form: no random
start, no training loop.
"""

from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.models.learnt import Learnt, Restorable
from fleet_kedro.refine.threads import one_blas_thread

EmbeddingKind = Literal["off", "one_hot", "learned"]


class AssetEmbedding(Restorable, BaseEstimator):
    """A code for each asset; zeros for an asset that was never seen.

    Parameters
    ----------
    kind
        ``off``: no code at all. ``one_hot``: a column per asset. ``learned``: with
        ``β_a`` the ridge coefficients of asset ``a``'s label on the z-scored inputs,
        ``(X'WX / Σw + λ I)⁻¹ X'W(y − ȳ) / Σw``, and ``B`` the matrix of rows
        ``β_a − mean β``, the code is the asset's row of the leading left singular
        vectors of ``B``, scaled to a mean square of one.
    dimensions
        Width of a learned code; one less than the number of assets at most.
    penalty
        ``λ``, beside inputs of unit variance.
    """

    kept: ClassVar = {"assets_": list, "codes_": Float64[np.ndarray, "assets width"]}

    def __init__(
        self,
        *,
        kind: EmbeddingKind = "one_hot",
        dimensions: int = 2,
        penalty: float = 1.0,
    ) -> None:
        self.kind = kind
        self.dimensions = dimensions
        self.penalty = penalty

    def fit(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Bool[np.ndarray, " rows"],
        asset: Shaped[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> "AssetEmbedding":
        """Learn the codes from training rows; ``X`` is read by ``learned`` only."""
        self.assets_ = np.unique(asset)
        if self.kind == "off":
            self.codes_ = np.zeros((len(self.assets_), 0))
        elif self.kind == "one_hot":
            self.codes_ = np.eye(len(self.assets_))
        else:
            with one_blas_thread():
                self.codes_ = self._places(X, y, asset, weight)
        return self

    def learnt(self) -> Learnt:
        """Return the assets' names and codes."""
        return super().learnt() | {"assets_": [str(name) for name in self.assets_]}

    def restore(self, learnt: Learnt) -> "AssetEmbedding":
        """Take over names and codes.

        Raises
        ------
        ValueError
            If they are none, or the names are not in order, as a look-up needs them.
        """
        super().restore(learnt)
        names = learnt["assets_"]
        if len(names) != len(self.codes_) or names != sorted({str(n) for n in names}):
            raise ValueError(f"{names} are not the names of {len(self.codes_)} assets.")
        self.assets_ = np.array(names, dtype=object)
        return self

    @property
    def width_(self) -> int:
        """Columns of a code."""
        check_is_fitted(self)
        return int(self.codes_.shape[1])

    def code(self, asset: Shaped[np.ndarray, " rows"]) -> Float[np.ndarray, "rows _"]:
        """Return the code of each row's asset."""
        check_is_fitted(self)
        place = np.searchsorted(self.assets_, asset).clip(max=len(self.assets_) - 1)
        is_known = self.assets_[place] == asset
        return np.where(is_known[:, np.newaxis], self.codes_[place], 0.0)

    def _places(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Bool[np.ndarray, " rows"],
        asset: Shaped[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> Float[np.ndarray, "assets _"]:
        deviation = X.std(axis=0, dtype=np.float64)
        inputs = (X - X.mean(axis=0, dtype=np.float64)) / np.where(
            deviation > 0, deviation, 1.0
        )
        answers = np.array(
            [
                self._answer(inputs[own], y[own].astype(np.float64), weight[own])
                for own in (asset == name for name in self.assets_)
            ]
        )
        width = min(self.dimensions, len(self.assets_) - 1)
        left, _, _ = np.linalg.svd(answers - answers.mean(axis=0), full_matrices=False)
        places = left[:, :width] * np.sqrt(len(self.assets_))
        # A singular vector has no sign of its own: the largest entry is made positive.
        largest = np.abs(places).argmax(axis=0)
        return places * np.sign(places[largest, np.arange(width)])

    def _answer(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> Float[np.ndarray, " columns"]:
        """Ridge coefficients of one asset; zeros when none of its rows weighs."""
        total = weight.sum()
        if total == 0:
            return np.zeros(X.shape[1])
        share = weight / total
        gram = (X.T * share) @ X + self.penalty * np.eye(X.shape[1])
        return np.asarray(np.linalg.solve(gram, X.T @ (share * (y - share @ y))))
