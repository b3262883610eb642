"""Fractional differences: stationary, yet with as much memory as possible.

A plain difference of log price is stationary and has forgotten every level. A
difference of order ``d`` between 0 and 1 forgets part of it. After López de Prado,
*Advances in Financial Machine Learning* (2018), chapter 5: the fixed-width window of
section 5.5, the search for the smallest stationary order of section 5.6.

The convolution is split so that no bar ever meets its own future, not even in the
last bit of a Fourier transform: see ``_convolve``.
"""

import numpy as np
from jaxtyping import Float
from pydantic import Field
from scipy.fft import irfft, next_fast_len, rfft

from fleet_kedro.config import Config

# Bars in one Fourier block. It fixes which lags are summed directly and which in the
# frequency domain; 512 was the fastest of 128 ... 1024 for windows of 1,440 bars.
BLOCK_BARS = 512


class FractionalDifference(Config):
    """How far back a fractional difference looks, and when it counts as stationary."""

    weight_cutoff: float = Field(
        default=1e-5,
        gt=0,
        lt=1,
        description="The window ends before the first weight smaller than this.",
    )
    max_window_bars: int = Field(
        default=1440, ge=2, description="Longest window, the present bar included."
    )
    significance: float = Field(
        default=0.05, gt=0, lt=1, description="Level of the Dickey-Fuller test."
    )
    order_tolerance: float = Field(
        default=0.01, gt=0, lt=1, description="Bisection stops at this width."
    )
    adf_lags: int = Field(
        default=1, ge=0, description="Lagged differences in the Dickey-Fuller test."
    )
    min_adf_bars: int = Field(
        default=250, ge=30, description="Fewest differenced bars worth a test."
    )

    @property
    def min_search_bars(self) -> int:
        """Fewest bars from which an order can be chosen: one window and one test."""
        return self.max_window_bars - 1 + self.min_adf_bars


def fractional_weights(
    order: float, config: FractionalDifference
) -> Float[np.ndarray, " window"]:
    """Coefficients of ``(1 - B) ** order``, the present bar first.

    ``w[0] = 1`` and ``w[k] = w[k-1] (k - 1 - order) / k``. The window ends before the
    first ``|w[k]| < weight_cutoff``, at ``max_window_bars`` at the latest. Order 0 is
    ``[1]`` and order 1 is ``[1, -1]``.

    Raises
    ------
    ValueError
        If the order lies outside [0, 1].
    """
    if not 0.0 <= order <= 1.0:
        raise ValueError(f"order is {order}; a fractional order lies in [0, 1].")
    lag = np.arange(1, config.max_window_bars)
    weights = np.concatenate([[1.0], np.cumprod((lag - 1 - order) / lag)])
    too_small = np.flatnonzero(np.abs(weights) < config.weight_cutoff)
    return weights[: too_small[0]] if too_small.size else weights


def fractional_difference(
    values: Float[np.ndarray, " bars"], order: float, config: FractionalDifference
) -> Float[np.ndarray, " bars"]:
    """Difference one gap-free segment by a fractional order.

    ``out[t] = sum over k < window of w[k] values[t - k]``, in the unit of ``values``;
    NaN for the first ``window - 1`` bars. Within 1e-12 of the direct sum for log
    prices; exactly the plain difference at order 1 and exactly ``values`` at order 0.
    The value at ``t`` uses bars up to ``t`` and is the same, bit for bit, whatever
    follows ``t``.

    Parameters
    ----------
    values
        Finite values of one segment, oldest first; normally log close prices.
    order
        The ``d`` of the literature, in [0, 1].
    """
    weights = fractional_weights(order, config)
    out = np.full(values.size, np.nan)
    if values.size >= weights.size:
        out[weights.size - 1 :] = _convolve(values.astype(np.float64), weights)
    return out


def smallest_stationary_order(
    log_price: Float[np.ndarray, " bars"], config: FractionalDifference
) -> float:
    """Find by bisection the smallest order whose difference is stationary.

    Stationary means that an augmented Dickey-Fuller test with a constant and
    ``adf_lags`` lags rejects a unit root at ``significance``. The answer itself has
    passed that test, and the order ``order_tolerance`` below it has failed, except
    that 0 is returned for a series that needs no difference and 1 for one that even
    a plain difference leaves with a unit root. All orders are tested on the same
    bars, those from ``max_window_bars`` on.

    The order knows every bar that it is given: pass calibration bars only, which end
    before the first bar that is judged.

    Raises
    ------
    ValueError
        If there are too few bars for one window and one test.
    """
    if log_price.size < config.min_search_bars:
        raise ValueError(
            f"{log_price.size} bars are too few to choose an order: max_window_bars - "
            f"1 + min_adf_bars = {config.min_search_bars} are needed. Give a longer "
            "calibration window or lower max_window_bars."
        )
    fails, passes = 0.0, 1.0
    if _is_stationary(log_price, fails, config):
        return fails
    while passes - fails > config.order_tolerance:
        middle = (fails + passes) / 2.0
        if _is_stationary(log_price, middle, config):
            passes = middle
        else:
            fails = middle
    return passes


def _is_stationary(
    log_price: Float[np.ndarray, " bars"], order: float, config: FractionalDifference
) -> bool:
    """Whether the differenced series rejects a unit root."""
    # Takes a second to import, and whoever knows the orders never tests one.
    from statsmodels.tsa.stattools import adfuller

    differenced = fractional_difference(log_price, order, config)
    tested = differenced[config.max_window_bars - 1 :]
    if np.ptp(tested) == 0.0:  # a constant never wanders; the test cannot be computed
        return True
    test = adfuller(
        tested,
        maxlag=config.adf_lags,
        regression="c",
        autolag=None,
        result_object=True,
    )
    return bool(test.pvalue < config.significance)


def _convolve(
    values: Float[np.ndarray, " bars"], weights: Float[np.ndarray, " window"]
) -> Float[np.ndarray, " full"]:
    """Sum every full window: ``bars - window + 1`` values.

    A Fourier transform mixes all its inputs, so a transform that holds bars after
    ``t`` changes the round-off at ``t``. Blocks are therefore anchored at the start
    of the segment, and the transform of a block holds only bars **before** the
    block; lags inside the block are summed directly. Cost: O(bars log window) for
    the first part and O(bars x BLOCK_BARS) for the second.
    """
    history = weights.size - 1
    if history < BLOCK_BARS:
        return np.convolve(values, weights, "valid")
    # Long enough that the circular wrap stays out of the bars that are read.
    n_fft = next_fast_len(history + BLOCK_BARS, real=True)
    response = rfft(weights, n_fft)
    before_block = np.zeros(BLOCK_BARS - 1)
    out = np.empty(values.size)
    for start in range(history, values.size, BLOCK_BARS):
        past = values[start - history : start]
        block = values[start : start + BLOCK_BARS]
        far = irfft(rfft(past, n_fft) * response, n_fft)[history:]
        padded = np.concatenate([before_block, block])
        near = np.convolve(padded, weights[:BLOCK_BARS], "valid")
        out[start : start + block.size] = far[: block.size] + near
    return out[history:]
