"""Sums over rows that are enough to standardise, correlate, compress and select.

Every later step of the refiner is algebra on these sums. Sums of disjoint sets of rows
add up, so blocks of time, assets and processes can be read once, in any grouping, and
a window that grows only adds what is new.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from fleet_kedro.refine.threads import in_order

CHUNK_ROWS = 1_024
_BAND_ROWS = 64
_SMALLEST_RELATIVE_SPREAD = 1e-6


@dataclass(frozen=True, eq=False)
class LinkMoments:
    """First-order sums of one time block: what the link with the label needs.

    Attributes
    ----------
    row_count
        Rows in the sums.
    feature_sum
        ``Σ x``, one value a feature.
    label_sum, label_square_sum
        ``Σ y`` and ``Σ y²``.
    feature_label_sum
        ``Σ x y``, one value a feature.
    """

    row_count: int
    feature_sum: Float[np.ndarray, " features"]
    label_sum: float
    label_square_sum: float
    feature_label_sum: Float[np.ndarray, " features"]

    @classmethod
    def zero(cls, n_features: int) -> "LinkMoments":
        """Return the sums over no row."""
        return cls(0, np.zeros(n_features), 0.0, 0.0, np.zeros(n_features))

    @classmethod
    def of(
        cls,
        features: Float[np.ndarray, "rows features"],
        label: Float[np.ndarray, " rows"],
    ) -> "LinkMoments":
        """Sum over the rows in float64. NaN is not allowed: leave such rows out."""
        label = label.astype(np.float64)
        feature_sum = np.zeros(features.shape[1])
        feature_label_sum = np.zeros(features.shape[1])
        for rows in _chunks(len(label), CHUNK_ROWS):
            chunk = features[rows].astype(np.float64)
            feature_sum += chunk.sum(axis=0)
            # Not a BLAS product, so that threads cannot change the order of additions.
            feature_label_sum += np.einsum("r,rf->f", label[rows], chunk)
        return cls(
            row_count=len(label),
            feature_sum=feature_sum,
            label_sum=float(label.sum()),
            label_square_sum=float(np.square(label).sum()),
            feature_label_sum=feature_label_sum,
        )

    def __add__(self, other: "LinkMoments") -> "LinkMoments":
        """Sum over the rows of both; they must share no row."""
        return LinkMoments(
            row_count=self.row_count + other.row_count,
            feature_sum=self.feature_sum + other.feature_sum,
            label_sum=self.label_sum + other.label_sum,
            label_square_sum=self.label_square_sum + other.label_square_sum,
            feature_label_sum=self.feature_label_sum + other.feature_label_sum,
        )

    def standardised(
        self,
        mean: Float[np.ndarray, " features"],
        scale: Float[np.ndarray, " features"],
    ) -> "LinkMoments":
        """Return the sums that ``z = (x − mean) / scale`` would have given.

        Exact but for float64 rounding; the label stays as it is.
        """
        _check_scale(scale)
        return LinkMoments(
            row_count=self.row_count,
            feature_sum=(self.feature_sum - self.row_count * mean) / scale,
            label_sum=self.label_sum,
            label_square_sum=self.label_square_sum,
            feature_label_sum=(self.feature_label_sum - self.label_sum * mean) / scale,
        )


@dataclass(frozen=True, eq=False)
class Moments:
    """The sums of `LinkMoments` and the Gram matrix of the features.

    Attributes
    ----------
    link
        The first-order sums over the same rows.
    feature_gram
        ``Σ x xᵀ``, symmetric, float64 (62 MB for 2,778 features).

    Notes
    -----
    Products are computed in the precision of the rows, about a pivot near their mean,
    and added up in float64. float32 rows give correlations right to better than 1e-6,
    float64 rows to about 1e-14.
    """

    link: LinkMoments
    feature_gram: Float[np.ndarray, "features features"]

    @classmethod
    def zero(cls, n_features: int) -> "Moments":
        """Return the sums over no row."""
        gram = np.zeros((n_features, n_features))
        return cls(LinkMoments.zero(n_features), gram)

    @classmethod
    def of(
        cls,
        features: Float[np.ndarray, "rows features"],
        label: Float[np.ndarray, " rows"],
    ) -> "Moments":
        """Sum over the rows. NaN is not allowed: leave such rows out."""
        link = LinkMoments.of(features, label)
        if not np.isfinite([link.feature_sum, link.feature_label_sum]).all():
            msg = "Features or label hold NaN or infinity; leave those rows out."
            raise ValueError(msg)
        pivot = (link.feature_sum / max(link.row_count, 1)).astype(features.dtype)
        gram = np.zeros((features.shape[1], features.shape[1]))
        chunks = list(_chunks(link.row_count, CHUNK_ROWS))
        for product in in_order(lambda rows: _gram(features[rows] - pivot), chunks):
            gram += product
        return cls.about(pivot.astype(np.float64), link, gram)

    @classmethod
    def about(
        cls,
        pivot: Float[np.ndarray, " features"],
        link: LinkMoments,
        gram_about_pivot: Float[np.ndarray, "features features"],
    ) -> "Moments":
        """Moments from first-order sums of ``x`` and the Gram matrix of ``x − pivot``.

        A pivot near the mean keeps float32 products accurate for a column whose level
        is large against its spread; the choice changes nothing but rounding.
        """
        centred_sum = link.feature_sum - link.row_count * pivot
        half = centred_sum + 0.5 * link.row_count * pivot
        return cls(link, _rank_two_update(gram_about_pivot, pivot, half))

    @property
    def row_count(self) -> int:
        """Rows in the sums."""
        return self.link.row_count

    @property
    def feature_sum(self) -> Float[np.ndarray, " features"]:
        """``Σ x``."""
        return self.link.feature_sum

    @property
    def feature_label_sum(self) -> Float[np.ndarray, " features"]:
        """``Σ x y``."""
        return self.link.feature_label_sum

    @property
    def label_sum(self) -> float:
        """``Σ y``."""
        return self.link.label_sum

    @property
    def label_square_sum(self) -> float:
        """``Σ y²``."""
        return self.link.label_square_sum

    def __add__(self, other: "Moments") -> "Moments":
        """Sum over the rows of both; they must share no row."""
        total = np.empty_like(self.feature_gram)

        def add(rows: slice) -> None:
            np.add(self.feature_gram[rows], other.feature_gram[rows], out=total[rows])

        _in_bands(add, len(total))
        return Moments(self.link + other.link, total)

    def plus_standardised(
        self,
        other: "Moments",
        mean: Float[np.ndarray, " features"],
        scale: Float[np.ndarray, " features"],
    ) -> "Moments":
        """``self + other.standardised(mean, scale)``, in one pass over both."""
        half = 0.5 * other.row_count * mean - other.feature_sum
        return Moments(
            self.link + other.link.standardised(mean, scale),
            _rank_two_update(other.feature_gram, mean, half, scale, self.feature_gram),
        )

    def standardised(
        self,
        mean: Float[np.ndarray, " features"],
        scale: Float[np.ndarray, " features"],
    ) -> "Moments":
        """Return the sums that ``z = (x − mean) / scale`` would have given.

        ``Σ z zᵀ = (G − m sᵀ − s mᵀ + n m mᵀ) / (scale scaleᵀ)`` with ``G = Σ x xᵀ``,
        ``s = Σ x`` and ``m`` the mean handed in, whether or not it is the mean of
        these very rows.
        """
        half = 0.5 * self.row_count * mean - self.feature_sum
        return Moments(
            self.link.standardised(mean, scale),
            _rank_two_update(self.feature_gram, mean, half, scale),
        )

    def mean(self) -> Float[np.ndarray, " features"]:
        """Mean of each feature; zero where there is no row."""
        return self.feature_sum / max(self.row_count, 1)

    def scale(self) -> Float[np.ndarray, " features"]:
        """Return standard deviations (by n); exactly zero for a constant column.

        A column counts as constant when its spread is below 1e-6 of its root mean
        square, where rounding is all that is left of it.
        """
        mean_square = np.diag(self.feature_gram) / max(self.row_count, 1)
        variance = mean_square - self.mean() ** 2
        is_constant = variance <= _SMALLEST_RELATIVE_SPREAD**2 * mean_square
        return np.sqrt(np.where(is_constant, 0.0, variance))

    def correlation(self) -> Float[np.ndarray, "features features"]:
        """Pearson correlations; NaN in the rows and columns of constant features."""
        scale = self.scale()
        varying = np.where(scale > 0, scale, 1.0)
        half = -0.5 * self.feature_sum
        gram = _rank_two_update(self.feature_gram, self.mean(), half, varying)
        gram /= max(self.row_count, 1)
        gram[scale == 0] = np.nan
        gram[:, scale == 0] = np.nan
        np.fill_diagonal(gram, np.where(scale > 0, 1.0, np.nan))
        return gram


def _chunks(n_rows: int, size: int) -> Iterator[slice]:
    """Consecutive slices that cover ``n_rows`` rows."""
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def _gram(
    rows: Float[np.ndarray, "rows features"],
) -> Float[np.ndarray, "features features"]:
    """``Σ x xᵀ`` in the precision of the rows.

    numpy hands a matrix times its own transpose to the rank-k update of BLAS, which
    computes one triangle only: half the work, and exactly symmetric.
    """
    return rows.T @ rows


def _rank_two_update(
    gram: Float[np.ndarray, "features features"],
    left: Float[np.ndarray, " features"],
    right: Float[np.ndarray, " features"],
    scale: Float[np.ndarray, " features"] | None = None,
    plus: Float[np.ndarray, "features features"] | None = None,
) -> Float[np.ndarray, "features features"]:
    """``(gram + left rightᵀ + right leftᵀ) / (scale scaleᵀ) + plus``, as a new matrix.

    A band of rows at a time stays in the cache; whole-matrix temporaries would be
    written to memory four times over.
    """
    inverse = np.ones(len(left)) if scale is None else 1.0 / _check_scale(scale)
    updated = np.empty_like(gram)

    def update(rows: slice) -> None:
        band = np.multiply.outer(left[rows], right)
        band += np.multiply.outer(right[rows], left)
        band += gram[rows]
        # The two factors are multiplied first, so that (i, j) and (j, i) round alike.
        np.multiply(band, np.multiply.outer(inverse[rows], inverse), out=updated[rows])
        if plus is not None:
            updated[rows] += plus[rows]

    _in_bands(update, len(left))
    return updated


def _in_bands(work: Callable[[slice], None], n_rows: int) -> None:
    """Let threads work on bands of rows; each job leaves its own behind."""
    for _ in in_order(work, list(_chunks(n_rows, _BAND_ROWS))):
        pass


def _check_scale(scale: Float[np.ndarray, " features"]) -> np.ndarray:
    """Refuse a scale that is zero, negative or NaN."""
    if not (scale > 0).all():
        column = int(np.flatnonzero(~(scale > 0))[0])
        msg = f"Scale must be positive; column {column} has {scale[column]}."
        raise ValueError(msg)
    return scale
