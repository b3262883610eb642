"""The assets side by side: trailing statistics of each, ranked hour by hour.

A statistic is computed for each gap-free stretch of an asset, so it never spans a
segment border, and is laid into a matrix of hours by assets. One matrix is alive at a
time; what stays are its ranks and its mean.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_co_moments,
    rolling_max,
    rolling_mean,
    rolling_moments,
    rolling_root_mean_square,
    rolling_sum,
    shift,
)

# Volume of a window is ranked relative to that of a window this many times as long.
VOLUME_BASE = 3

RankKey = tuple[str, int]
Matrix = Float[np.ndarray, "hours assets"]


@dataclass(frozen=True, eq=False)
class Stretch:
    """One asset's candles without a gap: where they lie in the matrix, and what in it.

    ``log_return`` begins with NaN; ``others`` is the mean log return of all other
    assets at the same hours.
    """

    rows: Int[np.ndarray, " bars"]
    column: int
    log_close: Float[np.ndarray, " bars"]
    log_high: Float[np.ndarray, " bars"]
    volume: Float[np.ndarray, " bars"]

    @property
    def log_return(self) -> Series:
        """Log close minus the previous log close; the first is NaN."""
        return self.log_close - shift(self.log_close, 1)


Statistic = Callable[[Stretch, Series, int], Series]


def stretches(
    panel: pd.DataFrame, hours: pd.DatetimeIndex, assets: tuple[str, ...]
) -> Iterator[Stretch]:
    """Cut a clean panel, in any order of rows, into gap-free stretches."""
    for (asset, _), candles in panel.groupby(["asset", "segment"], sort=True):
        ordered = candles.sort_values("timestamp")
        yield Stretch(
            rows=hours.get_indexer(pd.DatetimeIndex(ordered["timestamp"])),
            column=assets.index(str(asset)),
            log_close=np.log(ordered["close"].to_numpy(np.float64)),
            log_high=np.log(ordered["high"].to_numpy(np.float64)),
            volume=ordered["volume"].to_numpy(np.float64),
        )


def returns_of_others(log_return: Matrix) -> Matrix:
    """Mean of the known log returns of all assets but one, for each one.

    0 at an hour when no other asset has a return.
    """
    is_known = ~np.isnan(log_return)
    own = np.where(is_known, log_return, 0.0)
    n_others = is_known.sum(axis=1)[:, None] - is_known
    return (sum_of_known(log_return)[:, None] - own) / np.maximum(n_others, 1)


def sum_of_known(values: Matrix) -> Float[np.ndarray, " hours"]:
    """Sum of each row's known values, added in column order; 0 where none is known."""
    total = np.zeros(len(values))
    for column in values.T:
        total += np.nan_to_num(column, nan=0.0)
    return total


def mean_of_known(values: Matrix) -> Float[np.ndarray, " hours"]:
    """Mean of each row's known values; 0 where none is known."""
    count = (~np.isnan(values)).sum(axis=1)
    return sum_of_known(values) / np.maximum(count, 1)


def percentile_ranks(values: Matrix) -> Float[np.ndarray, "hours assets"]:
    """Rank of each value among the known ones of its row, from -1 to 1, as float32.

    Ties share their mean rank; a value alone in its row is 0; NaN stays NaN.
    """
    table = pd.DataFrame(values)
    rank = table.rank(axis=1).to_numpy()
    steps = np.maximum(table.count(axis=1).to_numpy() - 1, 1)[:, None]
    alone = (table.count(axis=1).to_numpy() == 1)[:, None] & ~np.isnan(rank)
    return np.where(alone, 0.0, 2.0 * (rank - 1.0) / steps - 1.0).astype(np.float32)


def _trailing_return(stretch: Stretch, _: Series, window: int) -> Series:
    return rolling_sum(stretch.log_return, window)


def _volatility(stretch: Stretch, _: Series, window: int) -> Series:
    return rolling_root_mean_square(stretch.log_return, window)


def _relative_volume(stretch: Stretch, _: Series, window: int) -> Series:
    """Recent volume over its base; 1 where nothing has been traded in either."""
    base = rolling_mean(stretch.volume, VOLUME_BASE * window)
    return ratio_or(rolling_mean(stretch.volume, window), base, neutral=1.0)


def _below_peak(stretch: Stretch, _: Series, window: int) -> Series:
    return stretch.log_close - rolling_max(stretch.log_high, window)


def _skewness(stretch: Stretch, _: Series, window: int) -> Series:
    moments = rolling_moments(stretch.log_return, window)
    return ratio_or(moments.cubes, moments.squares**1.5)


def _beta(stretch: Stretch, others: Series, window: int) -> Series:
    joint = rolling_co_moments(stretch.log_return, others, window)
    return ratio_or(joint.products, joint.squares_y)


def _residual(stretch: Stretch, others: Series, window: int) -> Series:
    """Mean return that the others do not explain, over the deviation of all of it."""
    joint = rolling_co_moments(stretch.log_return, others, window)
    unexplained = joint.mean_x - joint.mean_y * ratio_or(
        joint.products, joint.squares_y
    )
    return ratio_or(unexplained, np.sqrt(joint.squares_x))


STATISTICS: Mapping[str, Statistic] = {
    "return": _trailing_return,
    "volatility": _volatility,
    "volume": _relative_volume,
    "peak": _below_peak,
    "skewness": _skewness,
    "beta": _beta,
    "residual": _residual,
}


def trailing_matrix(
    own: list[Stretch], others: Matrix, kind: str, window: int
) -> Matrix:
    """Lay one statistic of all stretches into hours by assets; NaN where unknown."""
    matrix = np.full(others.shape, np.nan)
    for stretch in own:
        place = stretch.rows, stretch.column
        matrix[place] = STATISTICS[kind](stretch, others[place], window)
    return matrix
