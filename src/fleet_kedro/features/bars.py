"""The gap-free candles of one asset, as arrays, beside what the market did meanwhile.

Every signal is a function of ``Bars``. Prices and volumes are kept in units near the
first close and the first volume of the segment: ratios are what signals are made of,
and library indicators that compare sums with fixed thresholds then see numbers near
one for every asset. The units are powers of two, by which a division is exact: two
prices that are equal, or two moves, stay equal, whichever candle came first.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped

from fleet_kedro.features.context import MarketContext, Surroundings, naive_utc
from fleet_kedro.features.rolling import Series, rolling_root_mean_square, shift
from fleet_kedro.market.schema import CANDLE

SCALE_BARS = 21
# One basis point an hour: below it, moves are ticks and not information.
VOLATILITY_FLOOR = 1e-4


@dataclass(frozen=True, eq=False)
class Bars:
    """Candles of one asset and one segment, oldest first, at most one bar apart.

    ``timestamp`` is the open time, naive UTC in microseconds; prices are in quote
    currency, volume in base currency. The derived arrays below are NaN only where a
    previous bar is needed and missing.
    """

    timestamp: Shaped[np.ndarray, " bars"]
    open: Float[np.ndarray, " bars"]
    high: Float[np.ndarray, " bars"]
    low: Float[np.ndarray, " bars"]
    close: Float[np.ndarray, " bars"]
    volume: Float[np.ndarray, " bars"]
    is_filled: Bool[np.ndarray, " bars"]
    surroundings: Surroundings
    _shared: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.close)

    @cached_property
    def price_unit(self) -> Series:
        """The power of two just below the first close of the segment."""
        return _power_of_two_below(self.close[:1])

    @cached_property
    def relative_open(self) -> Series:
        """Open in price units."""
        return self.open / self.price_unit

    @cached_property
    def relative_high(self) -> Series:
        """High in price units."""
        return self.high / self.price_unit

    @cached_property
    def relative_low(self) -> Series:
        """Low in price units."""
        return self.low / self.price_unit

    @cached_property
    def relative_close(self) -> Series:
        """Close in price units."""
        return self.close / self.price_unit

    @cached_property
    def relative_volume(self) -> Series:
        """Volume over a power of two near the segment's first; 0 before any trade."""
        traded = self.volume[self.volume > 0.0][:1]
        if not len(traded):
            return np.zeros(len(self))
        return self.volume / _power_of_two_below(traded)

    @cached_property
    def log_close(self) -> Series:
        """Natural logarithm of the relative close."""
        return np.log(self.relative_close)

    @cached_property
    def log_return(self) -> Series:
        """Log close minus the previous log close; the first is NaN."""
        return self.log_close - shift(self.log_close, 1)

    @cached_property
    def log_range(self) -> Series:
        """Logarithm of high over low; 0 for a flat candle."""
        return np.log(self.high / self.low)

    @cached_property
    def log_body(self) -> Series:
        """Logarithm of close over open."""
        return np.log(self.close / self.open)

    @cached_property
    def true_range(self) -> Series:
        """Relative range, widened to the previous close; the first is NaN."""
        previous = shift(self.relative_close, 1)
        return np.maximum(self.relative_high, previous) - np.minimum(
            self.relative_low, previous
        )

    @cached_property
    def typical_price(self) -> Series:
        """Mean of relative high, low and close."""
        return (self.relative_high + self.relative_low + self.relative_close) / 3.0

    def shared(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Compute what many signals of these bars need, the first time it is asked."""
        if key not in self._shared:
            self._shared[key] = compute()
        return self._shared[key]

    def volatility(self, window: int) -> Series:
        """Root mean square log return per bar over ``window`` bars, 21 at least.

        Never under one basis point, so that a quotient by it is always finite. This is
        the yardstick of every signal that is a move.
        """
        bars_back = max(window, SCALE_BARS)

        def floored() -> Series:
            measured = rolling_root_mean_square(self.log_return, bars_back)
            return np.maximum(measured, VOLATILITY_FLOOR)

        return np.asarray(self.shared(("volatility", bars_back), floored))


def scaled_warmup(window: int) -> int:
    """Rows before ``Bars.volatility(window)`` is finite."""
    return max(window, SCALE_BARS)


def segment_bars(
    candles: pd.DataFrame, context: MarketContext
) -> Iterator[tuple[int, Bars]]:
    """Yield (segment, bars) for each gap-free stretch of one asset's clean candles."""
    for segment, rows in candles.groupby("segment", sort=True):
        timestamp = naive_utc(rows["timestamp"])
        columns = {name: rows[name].to_numpy(np.float64) for name in CANDLE}
        yield (
            int(str(segment)),
            Bars(
                timestamp=timestamp,
                is_filled=rows["is_filled"].to_numpy(bool),
                surroundings=context.around(str(rows["asset"].iloc[0]), timestamp),
                **columns,
            ),
        )


def _power_of_two_below(value: Series) -> Series:
    """Return the greatest power of two that does not exceed a positive value."""
    _, exponent = np.frexp(value)
    return np.ldexp(1.0, exponent - 1)
