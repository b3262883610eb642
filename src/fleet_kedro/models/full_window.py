"""Which bars have a whole window of known values behind them."""

import numpy as np
from jaxtyping import Bool, Int


def has_full_window(
    is_known: Bool[np.ndarray, " bars"],
    segment: Int[np.ndarray, " bars"],
    n_bars: int,
) -> Bool[np.ndarray, " bars"]:
    """Mark the bars whose last ``n_bars`` are all known and lie in one segment.

    Parameters
    ----------
    is_known
        One asset's bars, oldest first.
    segment
        Numbers its gap-free stretches.
    """
    bar = np.arange(len(segment))
    is_start = np.diff(segment, prepend=segment[:1] - 1) != 0
    # The first bar that a window may hold: a segment's start, or after a hole.
    first = np.maximum.accumulate(
        np.where(is_known, np.where(is_start, bar, 0), bar + 1)
    )
    return bar - first + 1 >= n_bars
