"""Four-hour and daily bars, made of hourly ones and visible only once closed.

Bars are anchored in UTC: 00:00, 04:00, … and midnight. The bar 00:00-04:00 closes with
the hourly candle that opens at 03:00; from that row on, until the row that closes the
next one, it is the last closed bar. A bar that a segment begins in the middle of is
never whole and so never seen.
"""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.context import Surroundings
from fleet_kedro.features.rolling import Series

Key = TypeVar("Key")
_ONE_HOUR = np.timedelta64(1, "h")


def closed_bars(bars: Bars, hours: int) -> Bars:
    """Aggregate the hourly bars of one segment into whole bars of ``hours`` hours.

    Returns and surroundings: returns are summed, cross-sectional means averaged,
    states (dominance, ranks, shares and levels) taken at the close.
    """
    coarse: Bars = bars.shared(("closed", hours), lambda: _aggregate(bars, hours))
    return coarse


def on_base_bars(
    values: Float[np.ndarray, " closed"], bars: Bars, hours: int
) -> Series:
    """Repeat each closed bar's value from the row that closes it to the next close.

    NaN before the first close.
    """
    start = _first_whole_bar(bars.timestamp, hours)
    rows = np.arange(len(bars.timestamp))
    last_closed = (rows - start + 1) // hours - 1
    known = last_closed >= 0
    on_base = np.full(len(rows), np.nan)
    on_base[known] = values[last_closed[known]]
    return on_base


def _aggregate(bars: Bars, hours: int) -> Bars:
    start = _first_whole_bar(bars.timestamp, hours)
    count = max(len(bars.timestamp) - start, 0) // hours
    rows = slice(start, start + count * hours)

    def grouped(values: np.ndarray) -> np.ndarray:
        return values[rows].reshape(count, hours)

    def at_close(states: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
        return {key: grouped(state)[:, -1] for key, state in states.items()}

    around = bars.surroundings
    return Bars(
        timestamp=grouped(bars.timestamp)[:, 0],
        open=grouped(bars.open)[:, 0],
        high=grouped(bars.high).max(axis=1),
        low=grouped(bars.low).min(axis=1),
        close=grouped(bars.close)[:, -1],
        volume=grouped(bars.volume).sum(axis=1),
        is_filled=np.asarray(grouped(bars.is_filled).all(axis=1)),
        surroundings=Surroundings(
            market_log_return=grouped(around.market_log_return).sum(axis=1),
            btc_log_return=grouped(around.btc_log_return).sum(axis=1),
            dispersion=grouped(around.dispersion).mean(axis=1),
            breadth=grouped(around.breadth).mean(axis=1),
            btc_dominance_pct=grouped(around.btc_dominance_pct)[:, -1],
            usdt_dominance_pct=grouped(around.usdt_dominance_pct)[:, -1],
            ranks=at_close(around.ranks),
            rising=at_close(around.rising),
            attention=at_close(around.attention),
        ),
    )


def _first_whole_bar(timestamp: np.ndarray, hours: int) -> int:
    """Rows before the first one that opens a bar of ``hours`` hours."""
    if len(timestamp) == 0:
        return 0
    hour = (timestamp[0] - np.datetime64(0, "us")) // _ONE_HOUR
    return int(-hour % hours)
