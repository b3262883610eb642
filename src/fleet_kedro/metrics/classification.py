"""How often a signal is right, and how often a blind one would be.

Every function reads plain arrays of one length, a row per candle that has a label.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

_SMALLEST_PROBABILITY = 1e-12


class Hits(NamedTuple):
    """The four counts from which precision, recall, base rate and lift follow."""

    rows: int
    positives: int
    signals: int
    hits: int

    @property
    def base_rate(self) -> float:
        """Share of positive rows: the precision of a signal that knows nothing."""
        return _ratio(self.positives, self.rows)

    @property
    def precision(self) -> float:
        """Share of signals that were right; NaN without a signal."""
        return _ratio(self.hits, self.signals)

    @property
    def recall(self) -> float:
        """Share of positive rows that were signalled; NaN without a positive row."""
        return _ratio(self.hits, self.positives)

    @property
    def lift(self) -> float:
        """Precision minus base rate, as a fraction (0.01 is one point)."""
        return self.precision - self.base_rate


def count_hits(
    is_signal: Bool[np.ndarray, " rows"], is_positive: Bool[np.ndarray, " rows"]
) -> Hits:
    """Count rows, positives, signals and signals that were right."""
    return Hits(
        rows=int(is_signal.size),
        positives=int(is_positive.sum()),
        signals=int(is_signal.sum()),
        hits=int((is_signal & is_positive).sum()),
    )


def log_loss(
    probability: Float[np.ndarray, " *rows"], is_positive: Bool[np.ndarray, " *rows"]
) -> Float[np.ndarray, " *rows"]:
    """Return ``-log p`` of what happened, row by row, in nats.

    Probabilities are clipped to ``[1e-12, 1 - 1e-12]`` so that the loss stays finite.
    """
    clipped = np.clip(probability, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return -np.where(is_positive, np.log(clipped), np.log1p(-clipped))


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else float("nan")
