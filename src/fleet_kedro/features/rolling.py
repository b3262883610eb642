"""Statistics of the last ``window`` values, put together from halves.

A window of 13 bars is merged from blocks of 1, 4 and 8 bars, and a block of 8 from two
blocks of 4: a statistic costs log2(window) passes over the array, and every block is
the same pair of halves wherever it stands. Three things follow that running totals do
not give: a value depends on the bars of its window and on nothing else, neither later
bars nor earlier ones; a NaN or a jump leaves no trace once it has left the window; and
a window of equal values has a mean that is exactly that value and a spread that is
exactly zero.

Means and central moments merge by the pairwise update of Chan, Golub and LeVeque
(1979, eq. 2.1), extended to the third and fourth order by Pébay (2008, section 3).
Signals and physics both stand on this file. Running sums from block to block (van Herk
1992) would be a little faster for one long window, but make the last bits of a value
depend on where its segment begins.
All functions give NaN until the window is full and wherever it holds a NaN.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Series = Float[np.ndarray, " bars"]
Parts = tuple[np.ndarray, ...]
Merge = Callable[[Parts, int, Parts, int], Parts]


class Moments(NamedTuple):
    """Mean and sums of the powers of the deviations from it, for each window."""

    mean: Series
    squares: Series
    cubes: Series
    fourths: Series


class CoMoments(NamedTuple):
    """Means and sums of products of deviations of two series, for each window."""

    mean_x: Series
    mean_y: Series
    products: Series
    squares_x: Series
    squares_y: Series


def shift(values: Series, bars: int) -> Series:
    """Value of ``bars`` bars ago; NaN for the first ``bars`` rows."""
    shifted = np.full(values.shape, np.nan)
    shifted[bars:] = values[: max(len(values) - bars, 0)]
    return shifted


def rolling_sum(values: Series, window: int) -> Series:
    """Sum of the last ``window`` values."""
    return _over_window((values,), _merge_sums, window)[0]


def rolling_mean(values: Series, window: int) -> Series:
    """Mean of the last ``window`` values; exactly the value where all are equal."""
    return _over_window((values,), _merge_means, window)[0]


def rolling_max(values: Series, window: int) -> Series:
    """Largest of the last ``window`` values."""
    return _over_window((values,), _merge_maxima, window)[0]


def rolling_min(values: Series, window: int) -> Series:
    """Smallest of the last ``window`` values."""
    return -rolling_max(-values, window)


def rolling_root_mean_square(values: Series, window: int) -> Series:
    """Root of the mean square of the last ``window`` values, about zero."""
    return np.asarray(np.sqrt(rolling_sum(values * values, window) / window))


def rolling_mean_and_squares(values: Series, window: int) -> tuple[Series, Series]:
    """Mean, and sum of the squared deviations from it."""
    mean, squares = _over_window(
        (values, _nothing(values)), _merge_means_and_squares, window
    )
    return mean, squares


def rolling_moments(values: Series, window: int) -> Moments:
    """Mean, and sums of the 2nd, 3rd and 4th powers of the deviations from it."""
    nothing = _nothing(values)
    return Moments(
        *_over_window((values, nothing, nothing, nothing), _merge_moments, window)
    )


def rolling_co_moments(x: Series, y: Series, window: int) -> CoMoments:
    """Means, sum of products and sums of squares of the deviations of two series."""
    nothing = _nothing(x + y)
    _, _, ahead_x, ahead_y, products, squares_x, squares_y = _over_window(
        (x, y, *(nothing,) * 5), _merge_co_moments, window
    )
    return CoMoments(x + ahead_x, y + ahead_y, products, squares_x, squares_y)


def rolling_correlation(x: Series, y: Series, window: int) -> Series:
    """Pearson correlation, in [-1, 1]; 0 where one of the two does not vary."""
    joint = rolling_co_moments(x, y, window)
    spread = np.sqrt(joint.squares_x) * np.sqrt(joint.squares_y)
    return np.asarray(np.clip(ratio_or(joint.products, spread), -1.0, 1.0))


def rolling_slope(values: Series, window: int) -> tuple[Series, Series]:
    """Least-squares slope against time, per bar, and its signed share of variance.

    The second is R² with the sign of the slope, in [-1, 1]; 0 for equal values.
    """
    if window < 2:  # noqa: PLR2004 - two points make a line
        raise ValueError(f"A window of {window} bars has no slope; use at least 2.")
    nothing = _nothing(values)
    _, with_time, squares = _over_window(
        (values, nothing, nothing), _merge_with_time, window
    )
    time_squares = window * (window * window - 1) / 12.0
    slope = with_time / time_squares
    share = ratio_or(np.abs(with_time) * with_time / time_squares, squares)
    return slope, np.asarray(np.clip(share, -1.0, 1.0))


def percentile_in_window(values: Series, window: int) -> Series:
    """Mean sign of the last value minus each of the ``window - 1`` before it.

    1 for the highest of the window, -1 for the lowest. One pass for each bar of the
    window, unlike everything else here: ranks do not merge.
    """
    balance = np.zeros(values.shape)
    for bars_ago in range(1, window):
        balance[bars_ago:] += np.sign(values[bars_ago:] - values[:-bars_ago])
    balance[: window - 1] = np.nan
    return balance / (window - 1)


def ratio_or(numerator: Series, denominator: Series, neutral: float = 0.0) -> Series:
    """Ratio, or ``neutral`` where the denominator is exactly zero; NaN stays NaN."""
    empty = denominator == 0.0
    ratio = numerator / np.where(empty, 1.0, denominator)
    return np.where(empty & ~np.isnan(numerator), neutral, ratio)


def _over_window(leaf: Parts, merge: Merge, window: int) -> Parts:
    """Merge single bars into blocks of 2, 4, 8 …, and those into the window."""
    if window < 1:
        raise ValueError(f"A window of {window} bars holds nothing; use at least 1.")
    block, size = leaf, 1
    total, covered = leaf, 0
    while True:
        if window & size:
            older = _moved_back(block, covered)
            total = merge(total, covered, older, size) if covered else older
            covered += size
        if covered == window:
            return total
        block = merge(block, size, _moved_back(block, size), size)
        size *= 2


def _moved_back(block: Parts, bars: int) -> Parts:
    """Shift a block to where it stood ``bars`` ago; NaN before it existed."""
    unknown = np.full(min(bars, len(block[0])), np.nan)
    known = len(block[0]) - len(unknown)
    return tuple(np.concatenate((unknown, part[:known])) for part in block)


def _nothing(values: Series) -> Series:
    """Zero spread of a single bar, NaN where the bar itself is NaN."""
    return np.where(np.isnan(values), np.nan, 0.0)


def _merge_sums(new: Parts, _: int, old: Parts, __: int) -> Parts:
    return (new[0] + old[0],)


def _merge_maxima(new: Parts, _: int, old: Parts, __: int) -> Parts:
    return (np.maximum(new[0], old[0]),)


def _merge_means(new: Parts, n_new: int, old: Parts, n_old: int) -> Parts:
    # Written as a step from the newer mean, so that equal means stay that number.
    return (new[0] + (old[0] - new[0]) * (n_old / (n_new + n_old)),)


def _merge_means_and_squares(new: Parts, n_new: int, old: Parts, n_old: int) -> Parts:
    total = n_new + n_old
    gap = old[0] - new[0]
    mean = new[0] + gap * (n_old / total)
    return mean, new[1] + old[1] + gap * gap * (n_new * n_old / total)


def _merge_moments(new: Parts, n_new: int, old: Parts, n_old: int) -> Parts:
    total = n_new + n_old
    gap = old[0] - new[0]
    gap2 = gap * gap
    both = n_new * n_old
    squares = new[1] + old[1] + gap2 * (both / total)
    cubes = (
        new[2]
        + old[2]
        + gap2 * gap * (both * (n_new - n_old) / total**2)
        + gap * (3.0 / total) * (n_new * old[1] - n_old * new[1])
    )
    fourths = (
        new[3]
        + old[3]
        + gap2 * gap2 * (both * (n_new**2 - both + n_old**2) / total**3)
        + gap2 * (6.0 / total**2) * (n_new**2 * old[1] + n_old**2 * new[1])
        + gap * (4.0 / total) * (n_new * old[2] - n_old * new[2])
    )
    return new[0] + gap * (n_old / total), squares, cubes, fourths


def _merge_co_moments(new: Parts, n_new: int, old: Parts, n_old: int) -> Parts:
    total = n_new + n_old
    share, weight = n_old / total, n_new * n_old / total
    # A mean is kept as its distance from the newest value of its block: log prices
    # stand far above their moves, and would pay for their level in digits.
    gap_x = (old[0] - new[0]) + (old[2] - new[2])
    gap_y = (old[1] - new[1]) + (old[3] - new[3])
    return (
        new[0],
        new[1],
        new[2] + gap_x * share,
        new[3] + gap_y * share,
        new[4] + old[4] + gap_x * gap_y * weight,
        new[5] + old[5] + gap_x * gap_x * weight,
        new[6] + old[6] + gap_y * gap_y * weight,
    )


def _merge_with_time(new: Parts, n_new: int, old: Parts, n_old: int) -> Parts:
    total = n_new + n_old
    gap = old[0] - new[0]
    # The centre of the older block lies half of both lengths before the newer one.
    gap_in_time = -total / 2.0
    weight = n_new * n_old / total
    return (
        new[0] + gap * (n_old / total),
        new[1] + old[1] + gap * (gap_in_time * weight),
        new[2] + old[2] + gap * gap * weight,
    )
