"""Permutation entropy: how evenly the short patterns of the returns occur.

Bandt & Pompe (2002), *Permutation entropy: a natural complexity measure for time
series*, Physical Review Letters 88, 174102, with delay 1.
"""

import itertools
import math

import numpy as np
from jaxtyping import Float, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import xlogy


def permutation_entropy(
    log_return: Float[np.ndarray, " bars"], window_bars: int = 200, order: int = 3
) -> Float[np.ndarray, " bars"]:
    """Shannon entropy of ordinal patterns, over its greatest value: in [0, 1].

    A pattern is the order of ``order`` consecutive returns; a window of
    ``window_bars`` returns holds ``window_bars - order + 1`` of them. The entropy is
    divided by ``log(order!)``: near 1 for noise, 0 for a monotone series. Equal
    returns rank by time, the earlier one as the smaller, so a flat stretch counts as
    rising: the same input always gives the same pattern, and candles that do not
    move lower the entropy.

    The value at ``t`` uses returns ``t - window_bars + 1 .. t``; NaN until the window
    is full and where it holds a NaN. Counts are whole numbers, so nothing drifts.
    """
    if window_bars < order:
        raise ValueError(
            f"window_bars is {window_bars}; a pattern of order {order} does not fit."
        )
    out = np.full(log_return.size, np.nan)
    if log_return.size < window_bars:
        return out
    n_patterns = window_bars - order + 1
    n_kinds = math.factorial(order)
    patterns = _ordinal_patterns(log_return, order)
    count_log_count = xlogy(np.arange(n_patterns + 1), np.arange(n_patterns + 1))
    known = np.zeros(log_return.size - window_bars + 1, dtype=np.int64)
    total = np.zeros(known.size)
    for kind in range(n_kinds):
        counts = _rolling_count(patterns == kind, n_patterns)
        known += counts
        total += count_log_count[counts]
    entropy = (math.log(n_patterns) - total / n_patterns) / math.log(n_kinds)
    # One pattern alone may leave minus the last bit.
    bounded = np.clip(entropy, 0.0, 1.0)
    out[window_bars - 1 :] = np.where(known == n_patterns, bounded, np.nan)
    return out


def _ordinal_patterns(
    values: Float[np.ndarray, " bars"], order: int
) -> Int[np.ndarray, " patterns"]:
    """Give the number of the pattern that starts at each bar; -1 where it holds NaN."""
    windows = sliding_window_view(values, order)
    ranking = np.argsort(windows, axis=1, kind="stable")
    place_value = order ** np.arange(order)
    number_of = np.full(order**order, -1)
    for number, permutation in enumerate(itertools.permutations(range(order))):
        number_of[np.dot(permutation, place_value)] = number
    has_nan = np.isnan(windows).any(axis=1)
    return np.where(has_nan, -1, number_of[ranking @ place_value])


def _rolling_count(is_kind: np.ndarray, n_patterns: int) -> Int[np.ndarray, " windows"]:
    """How many of the last ``n_patterns`` patterns are of one kind."""
    running = np.concatenate([[0], np.cumsum(is_kind)])
    return running[n_patterns:] - running[:-n_patterns]
