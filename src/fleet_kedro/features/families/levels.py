"""Logarithms of levels and of ratios, held where nothing moves or nothing trades."""

import numpy as np

from fleet_kedro.features.bars import VOLATILITY_FLOOR
from fleet_kedro.features.context import LARGEST_RATIO
from fleet_kedro.features.rolling import Series, ratio_or

ONE_PERCENT = 0.01


def log_level(volatility: Series) -> Series:
    """Logarithm of volatility per bar over one percent, floored at a basis point."""
    return np.asarray(np.log(np.maximum(volatility, VOLATILITY_FLOOR) / ONE_PERCENT))


def log_ratio(recent: Series, usual: Series) -> Series:
    """Logarithm of a ratio of non-negative numbers, held within 1/100 and 100.

    0 where there is no usual value to compare with.
    """
    ratio = ratio_or(recent, usual, neutral=1.0)
    return np.asarray(np.log(np.clip(ratio, 1.0 / LARGEST_RATIO, LARGEST_RATIO)))
