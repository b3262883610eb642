"""One return series against another, for the market and the BTC families alike."""

import numpy as np

from fleet_kedro.features.bars import SCALE_BARS, VOLATILITY_FLOOR, Bars
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_co_moments,
    rolling_correlation,
    rolling_root_mean_square,
)


def sensitivity(log_return: Series, other: Series, window: int) -> Series:
    """Least-squares slope of a return on another; 0 where the other is constant."""
    joint = rolling_co_moments(log_return, other, window)
    return ratio_or(joint.products, joint.squares_y)


def co_movement(log_return: Series, other: Series, window: int) -> Series:
    """Correlation of two returns; 0 where one of them is constant."""
    return rolling_correlation(log_return, other, window)


def residual_move(bars: Bars, other: Series, window: int) -> Series:
    """Sum of the returns minus beta times the other's, over volatility * √window."""
    joint = rolling_co_moments(bars.log_return, other, window)
    beta = ratio_or(joint.products, joint.squares_y)
    unexplained = (joint.mean_x - beta * joint.mean_y) * window
    return unexplained / (bars.volatility(window) * np.sqrt(window))


def market_yardstick(other: Series, window: int) -> Series:
    """Ordinary move of the other series over ``window`` bars, floored."""
    measured = rolling_root_mean_square(other, max(window, SCALE_BARS))
    return np.maximum(measured, VOLATILITY_FLOOR) * np.sqrt(window)
