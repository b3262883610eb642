"""Sums over a sliding window that never subtract what they have added.

The usual trick, ``cumsum[t] - cumsum[t - window]``, loses digits: a log price of 11.5
leaves few of them for a move of 0.0001. Here the segment is cut into blocks of one
window each, anchored at its start. A window then covers the end of one block and the
beginning of the next, and its sum is a running sum backwards plus a running sum
forwards (van Herk 1992 and Gil & Werman 1993, who did the same for minima).

Three properties follow. The cost is linear in the bars, whatever the window. The
value at ``t`` is the same, bit for bit, whatever follows ``t``. And it is NaN exactly
where the window is not full or holds a NaN: nothing lingers.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class PairMoments(NamedTuple):
    """Means and sums of centred products of two series over a sliding window."""

    mean_x: Float[np.ndarray, " bars"]
    mean_y: Float[np.ndarray, " bars"]
    sum_xx: Float[np.ndarray, " bars"]
    sum_xy: Float[np.ndarray, " bars"]
    sum_yy: Float[np.ndarray, " bars"]


def rolling_sum(
    values: Float[np.ndarray, " bars"], window_bars: int
) -> Float[np.ndarray, " bars"]:
    """Sum of ``values[t - window_bars + 1 .. t]``; NaN until the window is full."""
    blocks = _blocks(values, window_bars)
    return _join(blocks, blocks, values.size)


def rolling_moments(
    x: Float[np.ndarray, " bars"], y: Float[np.ndarray, " bars"], window_bars: int
) -> PairMoments:
    """Means, and sums of products about the means, of the last ``window_bars`` pairs.

    Every product is taken about a value that lies inside its own window, so the sums
    keep their digits at any level; a constant window gives exactly zero. NaN until
    the window is full.
    """
    own_x, next_x, level_x = _about_block_starts(x, window_bars)
    own_y, next_y, level_y = _about_block_starts(y, window_bars)
    n_bars = x.size
    sum_x = _join(own_x, next_x, n_bars)
    sum_y = _join(own_y, next_y, n_bars)
    return PairMoments(
        mean_x=level_x + sum_x / window_bars,
        mean_y=level_y + sum_y / window_bars,
        sum_xx=_join(own_x**2, next_x**2, n_bars) - sum_x**2 / window_bars,
        sum_xy=_join(own_x * own_y, next_x * next_y, n_bars)
        - sum_x * sum_y / window_bars,
        sum_yy=_join(own_y**2, next_y**2, n_bars) - sum_y**2 / window_bars,
    )


def delayed(
    values: Float[np.ndarray, " fewer"], n_bars: int
) -> Float[np.ndarray, " bars"]:
    """Put NaN in front until there are ``n_bars``: what was lost to a lag."""
    return np.concatenate([np.full(n_bars - values.size, np.nan), values])


def _blocks(
    values: Float[np.ndarray, " bars"], window_bars: int
) -> Float[np.ndarray, "blocks window"]:
    """Rows of one window each; zeros complete the last row and are never read."""
    if window_bars < 1:
        raise ValueError(f"window_bars is {window_bars}; a window holds a bar or more.")
    n_blocks = -(-values.size // window_bars)
    blocks = np.zeros((n_blocks, window_bars))
    blocks.reshape(-1)[: values.size] = values
    return blocks


def _about_block_starts(
    values: Float[np.ndarray, " bars"], window_bars: int
) -> tuple[
    Float[np.ndarray, "blocks window"],
    Float[np.ndarray, "blocks window"],
    Float[np.ndarray, " bars"],
]:
    """Measure each block from its own first value and from that of the next block.

    A window that ends in block ``k`` contains the first value of block ``k``: it is
    the level for both of its parts. The third array is that level, bar by bar.
    """
    blocks = _blocks(values, window_bars)
    first = blocks[:, :1]
    first_of_next = np.concatenate([first[1:], first[-1:]])
    level = np.repeat(first, window_bars)[: values.size]
    return blocks - first, blocks - first_of_next, level


def _join(
    ends: Float[np.ndarray, "blocks window"],
    starts: Float[np.ndarray, "blocks window"],
    n_bars: int,
) -> Float[np.ndarray, " bars"]:
    """Sum each window from the block where it ends and the one where it starts."""
    window_bars = ends.shape[1]
    out = np.full(n_bars, np.nan)
    if n_bars < window_bars:
        return out
    forwards = np.cumsum(ends, axis=1).reshape(-1)
    backwards = np.cumsum(starts[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    first_bar = np.arange(n_bars - window_bars + 1)
    one_block = first_bar % window_bars == 0
    earlier_part = np.where(one_block, 0.0, backwards[first_bar])
    out[window_bars - 1 :] = earlier_part + forwards[window_bars - 1 : n_bars]
    return out
