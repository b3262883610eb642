"""What the definitions of signals are written down with, one bar at a time."""

import numpy as np

W = 13


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def last(values: np.ndarray, t: int, window: int = W) -> np.ndarray:
    return values[t - window + 1 : t + 1]
