"""Five of the same numbers as one would write them first: pandas' rolling apply.

Every window of one asset is handed to a plain function that looks at it from scratch.
The stability warning is left out: it is a z-score of two of the others.
"""

import sys
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd

HURST_LAGS = np.array([1, 2, 4, 8, 16])


def hurst(log_price: np.ndarray) -> float:
    """Slope of log mean absolute move over log lag."""
    moves = [np.abs(log_price[lag:] - log_price[:-lag]).mean() for lag in HURST_LAGS]
    return float(np.polyfit(np.log(HURST_LAGS), np.log(moves), 1)[0])


def entropy(log_return: np.ndarray) -> float:
    """Normalised permutation entropy of order three."""
    windows = np.lib.stride_tricks.sliding_window_view(log_return, 3)
    patterns = np.argsort(windows, axis=1, kind="stable") @ np.array([9, 3, 1])
    share = np.unique(patterns, return_counts=True)[1] / len(patterns)
    return float(-(share * np.log(share)).sum() / np.log(factorial(3)))


def fractal_dimension(log_price: np.ndarray) -> float:
    """Two minus half the slope of the log variogram."""
    lags = HURST_LAGS[:3]
    power = [np.square(log_price[lag:] - log_price[:-lag]).mean() for lag in lags]
    return float(2 - np.polyfit(np.log(lags), np.log(power), 1)[0] / 2)


def theta(log_price: np.ndarray) -> float:
    """Speed of mean reversion from a regression of the move on the level."""
    return float(-np.log1p(np.polyfit(log_price[:-1], np.diff(log_price), 1)[0]))


def autocorrelation(log_return: np.ndarray) -> float:
    """Correlation of neighbouring returns."""
    return float(np.corrcoef(log_return[:-1], log_return[1:])[0, 1])


candles = pd.read_parquet(Path(sys.argv[1]) / "candles" / "BTC.parquet")
price = np.log(candles["close"])
change = price.diff()
with np.errstate(invalid="ignore"):
    pd.DataFrame(
        {
            "hurst": price.rolling(200).apply(hurst, raw=True),
            "entropy": change.rolling(200).apply(entropy, raw=True),
            "fdi": price.rolling(200).apply(fractal_dimension, raw=True),
            "theta": price.rolling(168).apply(theta, raw=True),
            "acf": change.rolling(168).apply(autocorrelation, raw=True),
        }
    )
