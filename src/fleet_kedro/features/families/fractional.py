"""Fractional derivatives of log price, between the level and the return.

A difference of order d is a fractional sum of order 1 - d of the returns, so a window
of w returns is scale-free whatever the order: the part of the price that lies before
the window is left out, instead of being weighted as if it were zero.
"""

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.bars import Bars, scaled_warmup
from fleet_kedro.features.rolling import Series
from fleet_kedro.features.signal import Formula, formula

FAMILY = "fractional"


def fractional_memory(order: float, window: int) -> Float[np.ndarray, " window"]:
    """Weights of (1 - B)^(order - 1) on returns, the present one first.

    ``c[0] = 1``, ``c[k] = c[k-1] (k - order) / k``: running sums of the weights of
    ``(1 - B)^order``; all 1 for order 0 and a single 1 for order 1.
    """
    lag = np.arange(1, window)
    return np.concatenate([[1.0], np.cumprod((lag - order) / lag)])


def fractional_move(bars: Bars, window: int, order: float) -> Series:
    """Weighted sum of the last ``window`` returns over its own ordinary size."""
    memory = fractional_memory(order, window)
    moved = np.full(len(bars), np.nan)
    if len(bars) > window:
        moved[window:] = np.convolve(bars.log_return[1:], memory, "valid")
    return moved / (bars.volatility(window) * np.sqrt(np.sum(memory**2)))


def _of_order(hundredths: int) -> Formula:
    """Declare the derivative of one order, given in hundredths."""
    order = hundredths / 100.0

    def compute(bars: Bars, window: int) -> Series:
        return fractional_move(bars, window, order)

    compute.__name__ = f"fractional_{hundredths}"
    return formula(
        family=FAMILY,
        text=f"Σ c[k] r[t-k], k < w, / (vol √Σ c²), c of (1 - B)^({order:g} - 1)",
        unit="standard deviations",
        source="López de Prado 2018, ch. 5; Hosking 1981",
        warmup=scaled_warmup,
    )(compute)


fractional_25 = _of_order(25)
fractional_50 = _of_order(50)
fractional_75 = _of_order(75)
