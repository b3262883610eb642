"""A return series against another: what the market and the BTC families share.

A series that stands still explains nothing: what would be divided by it is 0.
"""

import numpy as np

from fleet_kedro.features.bars import SCALE_BARS, VOLATILITY_FLOOR, Bars
from fleet_kedro.features.families.levels import log_level
from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_co_moments,
    rolling_correlation,
    rolling_max,
    rolling_mean,
    rolling_mean_and_squares,
    rolling_root_mean_square,
    rolling_sum,
    shift,
)

LONG_WINDOWS = 3
# Two equal paths differ by the rounding of their sums; nothing smaller is a spread.
ROUND_OFF = 1e-9


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


def level_of_volatility(other: Series, window: int) -> Series:
    """Log of the other's root mean square return over one percent."""
    return log_level(rolling_root_mean_square(other, window))


def change_of_volatility(other: Series, window: int) -> Series:
    """Log of its volatility over that of a window three times as long."""
    usual = level_of_volatility(other, LONG_WINDOWS * window)
    return level_of_volatility(other, window) - usual


def below_peak(other: Series, window: int) -> Series:
    """Distance of the other's path below the window's highest point, never positive."""
    path = np.cumsum(other)
    return (path - rolling_max(path, window)) / market_yardstick(other, window)


def spread_position(log_return: Series, other: Series, window: int) -> Series:
    """Path of one minus path of the other, against its mean and spread in the window.

    0 where the two paths do not part, round-off aside.
    """
    # The first return of a segment is unknown, so the two paths begin after it.
    path = np.full(len(log_return), np.nan)
    path[1:] = np.cumsum(log_return[1:] - other[1:])
    mean, squares = rolling_mean_and_squares(path, window)
    deviation = np.sqrt(squares / window)
    deviation = np.where(deviation < ROUND_OFF, 0.0, deviation)
    return ratio_or(path - mean, deviation)


def led_move(bars: Bars, leader: Series, window: int) -> Series:
    """Forecast of the next return by the leader's last one, over volatility.

    The slope is that of r[t] on leader[t-1] over the window.
    """
    slope = sensitivity(bars.log_return, shift(leader, 1), window)
    return slope * leader / bars.volatility(window)


def beta_asymmetry(log_return: Series, other: Series, window: int) -> Series:
    """Slope through the origin where the other falls minus slope where it rises."""

    def one_sided(side: Series) -> Series:
        products = rolling_sum(log_return * side, window)
        return ratio_or(products, rolling_sum(side * side, window))

    return one_sided(np.minimum(other, 0.0)) - one_sided(np.maximum(other, 0.0))


def coskewness(log_return: Series, other: Series, window: int) -> Series:
    """Mean of r m² over the deviation of r and the variance of m, about zero."""
    shared = rolling_mean(log_return * other * other, window)
    own = rolling_root_mean_square(log_return, window)
    variance = rolling_mean(other * other, window)
    return ratio_or(shared, own * variance)
