"""Support and resistance: prices at which the market turned more than once.

A *pivot high* is a bar whose high is above those of the ``pivot_bars`` bars before it
and not below those of the ``pivot_bars`` bars after it; a *pivot low* likewise. So a
pivot in bar ``i`` is known at the close of bar ``i + pivot_bars``, never before. Within
the last ``lookback_bars`` bars, pivots of both kinds are sorted by price and gathered
from below: a level takes in every pivot that lies at most ``width_ranges`` typical
ranges above its lowest one, the next pivot opens the next level. The typical range is
the mean of ``ln(high / low)`` over ``range_bars`` bars. A level stands at the mean log
price of its pivots, its touches; one with fewer than ``least_touches`` is none. Support
is the highest level at or under the close, resistance the lowest above it.

Row ``t`` knows bars ``t - memory_bars + 1 .. t`` and nothing else: what comes later
does not move a level, and neither does how long a history one keeps.

Everything is laid out with a row per hour. A hole stays a hole: no pivot spans one,
while levels from before it remain, as a price is remembered through an outage.

Sources: Osler 2000, "Support for resistance" (levels as clusters of past turns and
their touches); the pivot is the fractal of Williams 1995, ch. 7, with a free width.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field, model_validator

from fleet_kedro.config import Config


class LevelSettings(Config):
    """What a level is, and how long it is remembered."""

    is_used: bool = Field(default=True, description="False: no levels, no stops.")
    pivot_bars: int = Field(
        default=12, ge=1, description="Bars on each side of a pivot that it tops."
    )
    lookback_bars: int = Field(default=720, ge=3, description="Bars pivots come from.")
    range_bars: int = Field(default=168, ge=1, description="Bars of a typical range.")
    width_ranges: float = Field(
        default=1.0, gt=0, description="Width of a level, in typical ranges of a bar."
    )
    least_touches: int = Field(default=2, ge=1, description="Pivots of a level.")

    @model_validator(mode="after")
    def _holds_a_pivot(self) -> "LevelSettings":
        if self.lookback_bars < 2 * self.pivot_bars + 1:
            raise ValueError(
                f"lookback_bars {self.lookback_bars} holds no pivot: it takes "
                f"{2 * self.pivot_bars + 1} bars with pivot_bars {self.pivot_bars}."
            )
        return self

    @property
    def memory_bars(self) -> int:
        """Bars that a row depends on, itself included."""
        return max(self.lookback_bars, self.range_bars)


class PriceLevels(NamedTuple):
    """The nearest levels at the close of each bar.

    Attributes
    ----------
    support, resistance
        Prices; NaN where there is no such level.
    support_touches, resistance_touches
        Pivots behind each, 0 where there is none: its strength.
    typical_range
        Mean of ``ln(high / low)``; NaN until half of its bars are known.
    """

    support: Float[np.ndarray, "moments assets"]
    resistance: Float[np.ndarray, "moments assets"]
    support_touches: Int64[np.ndarray, "moments assets"]
    resistance_touches: Int64[np.ndarray, "moments assets"]
    typical_range: Float[np.ndarray, "moments assets"]

    def row(self, moment: int) -> "PriceLevels":
        """Return the levels of one moment, as arrays of one row."""
        chosen = range(len(self.support))[moment]
        return PriceLevels(*(values[chosen : chosen + 1] for values in self))


def price_levels(
    high: Float[np.ndarray, "moments assets"],
    low: Float[np.ndarray, "moments assets"],
    close: Float[np.ndarray, "moments assets"],
    settings: LevelSettings,
) -> PriceLevels:
    """Find the levels of every asset at every closed bar.

    Parameters
    ----------
    high, low, close
        A row per hour without exception; NaN where there is no real candle.
    """
    log_high, log_low = np.log(high), np.log(low)
    typical = _typical_range(log_high - log_low, settings.range_bars)
    found = [
        _nearest(
            _pivots_in_reach(log_high[:, column], log_low[:, column], settings),
            np.log(close[:, column]),
            settings.width_ranges * typical[:, column],
            settings.least_touches,
        )
        for column in range(close.shape[1])
    ]
    stacked = [np.column_stack(columns) for columns in zip(*found, strict=True)]
    support, resistance, below, above = stacked
    return PriceLevels(
        np.exp(support),
        np.exp(resistance),
        below.astype(np.int64),
        above.astype(np.int64),
        typical,
    )


def _typical_range(
    log_range: Float[np.ndarray, "moments assets"], window_bars: int
) -> Float[np.ndarray, "moments assets"]:
    least = -(-window_bars // 2)
    rolling = pd.DataFrame(log_range).rolling(window_bars, min_periods=least)
    return np.maximum(rolling.mean().to_numpy(), 0.0)


def _pivots_in_reach(
    log_high: Float[np.ndarray, " bars"],
    log_low: Float[np.ndarray, " bars"],
    settings: LevelSettings,
) -> Float[np.ndarray, "places bars"]:
    """Return each bar's known pivots, rising; infinity fills up, at least one row."""
    span = settings.pivot_bars
    highs, lows = _tops(log_high, span), _tops(-log_low, span)
    bar = np.concatenate([highs, lows])
    price = np.concatenate([log_high[highs], log_low[lows]])
    in_time = np.argsort(bar, kind="stable")
    bar, price = bar[in_time], np.append(price[in_time], np.inf)
    now = np.arange(len(log_high))
    first = np.searchsorted(bar, now - settings.lookback_bars + 1 + span)
    behind_last = np.searchsorted(bar, now - span, side="right")
    most = int((behind_last - first).max(initial=0))
    place = first[:, np.newaxis] + np.arange(most + 1)
    place = np.where(place < behind_last[:, np.newaxis], place, len(bar))
    return np.ascontiguousarray(np.sort(price[place], axis=1).T)


def _tops(
    log_price: Float[np.ndarray, " bars"], span: int
) -> Int64[np.ndarray, " pivots"]:
    """Return the bars that are above ``span`` bars before and not below those after."""
    if len(log_price) <= 2 * span:
        return np.empty(0, dtype=np.int64)
    window = sliding_window_view(log_price, 2 * span + 1)
    centre = window[:, span]
    is_top = (centre > window[:, :span].max(axis=1)) & (
        centre >= window[:, span + 1 :].max(axis=1)
    )
    return span + np.flatnonzero(is_top)


def _nearest(
    pivots: Float[np.ndarray, "places bars"],
    log_close: Float[np.ndarray, " bars"],
    width: Float[np.ndarray, " bars"],
    least_touches: int,
) -> tuple[
    Float[np.ndarray, " bars"],
    Float[np.ndarray, " bars"],
    Float[np.ndarray, " bars"],
    Float[np.ndarray, " bars"],
]:
    """Gather pivots into levels, all bars at once; keep the nearest on either side.

    Returns support, resistance (log prices, NaN for none) and the touches of each.
    """
    bottom = np.full_like(log_close, -np.inf)
    total, touches = np.zeros_like(log_close), np.zeros_like(log_close)
    support, resistance = (np.full_like(log_close, np.nan) for _ in range(2))
    below, above = np.zeros_like(log_close), np.zeros_like(log_close)
    for pivot in pivots:
        # The infinity behind the last pivot completes the last level.
        opens = pivot > bottom + width
        is_level = opens & (touches >= least_touches)
        level = total / np.maximum(touches, 1)
        is_below = is_level & (level <= log_close)
        is_above = is_level & (level > log_close) & np.isnan(resistance)
        support, below = (
            np.where(is_below, level, support),
            np.where(is_below, touches, below),
        )
        resistance, above = (
            np.where(is_above, level, resistance),
            np.where(is_above, touches, above),
        )
        bottom = np.where(opens, pivot, bottom)
        total = np.where(opens, pivot, total + pivot)
        touches = np.where(opens, 1.0, touches + 1)
    return support, resistance, below, above
