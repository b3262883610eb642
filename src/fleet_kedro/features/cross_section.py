"""What the assets are compared by: trailing statistics of each, on common hours.

A statistic is computed for each gap-free stretch of an asset, so it never spans a
segment border, and is laid into a matrix of hours by assets.
"""

from collections.abc import Callable, Mapping

import numpy as np

from fleet_kedro.features.market_returns import MarketReturns
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_co_moments,
    rolling_max,
    rolling_mean,
    rolling_moments,
    rolling_root_mean_square,
    rolling_sum,
)
from fleet_kedro.features.side_by_side import Matrix, SideBySide, Stretch

# Volume of a window is ranked relative to that of a window this many times as long.
VOLUME_BASE = 3

RankKey = tuple[str, int]
Statistic = Callable[[Stretch, MarketReturns, int], Series]


def trailing_matrix(
    together: SideBySide, returns: MarketReturns, kind: str, window: int
) -> Matrix:
    """Compute one statistic of all assets; NaN where it is unknown."""
    statistic = STATISTICS[kind]
    return together.matrix(lambda stretch: statistic(stretch, returns, window))


def _trailing_return(stretch: Stretch, _: MarketReturns, window: int) -> Series:
    return rolling_sum(stretch.log_return, window)


def _volatility(stretch: Stretch, _: MarketReturns, window: int) -> Series:
    return rolling_root_mean_square(stretch.log_return, window)


def _relative_volume(stretch: Stretch, _: MarketReturns, window: int) -> Series:
    """Recent volume over its base; 1 where nothing has been traded in either."""
    base = rolling_mean(stretch.volume, VOLUME_BASE * window)
    return ratio_or(rolling_mean(stretch.volume, window), base, neutral=1.0)


def _below_peak(stretch: Stretch, _: MarketReturns, window: int) -> Series:
    return stretch.log_close - rolling_max(stretch.log_high, window)


def _skewness(stretch: Stretch, _: MarketReturns, window: int) -> Series:
    moments = rolling_moments(stretch.log_return, window)
    return ratio_or(moments.cubes, moments.squares**1.5)


def _beta(stretch: Stretch, returns: MarketReturns, window: int) -> Series:
    others = returns.of_others(stretch.rows, stretch.column)
    joint = rolling_co_moments(stretch.log_return, others, window)
    return ratio_or(joint.products, joint.squares_y)


def _residual(stretch: Stretch, returns: MarketReturns, window: int) -> Series:
    """Mean return that the others do not explain, over the deviation of all of it."""
    others = returns.of_others(stretch.rows, stretch.column)
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
