"""Candles of all assets side by side, and at which opens one could trade."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from fleet_kedro.market.schema import BAR, PRICES


class Market(NamedTuple):
    """Aligned candles: a row per hour without gaps in the clock, a column per asset.

    Attributes
    ----------
    hours
        Open times (UTC), every hour from the first candle to the last.
    assets
        Canonical names, in alphabetical order.
    open, high, low, close
        Prices in quote currency; NaN where the panel has no row. A filled candle keeps
        its flat price, at which nobody traded.
    is_tradable
        True for a real candle; false for a filled or missing one.
    is_start
        True for the first real candle of a segment, the first one of all included.
        What was decided before it was decided without this market: it lapses there.
    """

    hours: pd.DatetimeIndex
    assets: tuple[str, ...]
    open: Float[np.ndarray, "hours assets"]
    high: Float[np.ndarray, "hours assets"]
    low: Float[np.ndarray, "hours assets"]
    close: Float[np.ndarray, "hours assets"]
    is_tradable: Bool[np.ndarray, "hours assets"]
    is_start: Bool[np.ndarray, "hours assets"]

    @property
    def shape(self) -> tuple[int, int]:
        """Hours and assets."""
        return len(self.hours), len(self.assets)

    def between(self, first: int, behind_last: int) -> "Market":
        """Return the hours from row ``first`` on, up to ``behind_last``, it excluded.

        For whoever begins to trade there, the first real candle is a start.
        """
        rows = slice(first, behind_last)
        can = self.is_tradable[rows]
        is_first = can & (np.cumsum(can, axis=0) == 1)
        return self._replace(
            hours=self.hours[rows],
            **{name: getattr(self, name)[rows] for name in PRICES},
            is_tradable=can,
            is_start=self.is_start[rows] | is_first,
        )

    @property
    def closing_marks(self) -> Float[np.ndarray, "hours assets"]:
        """Return what a coin counts for at each close: the last close that there was.

        0 before the first candle, when nobody can hold any.
        """
        return _last_known(self.close)

    @property
    def opening_marks(self) -> Float[np.ndarray, "hours assets"]:
        """Return what a coin counts for at each open: its open, else the last close."""
        before = np.zeros_like(self.close)
        before[1:] = self.closing_marks[:-1]
        return np.where(self.is_tradable, self.open, before)


def market_of(candles: pd.DataFrame) -> Market:
    """Lay a clean panel out side by side.

    Parameters
    ----------
    candles
        A ``CleanCandles`` frame; its assets may begin and end at different hours.

    Raises
    ------
    ValueError
        If there is no candle.
    """
    if candles.empty:
        raise ValueError("There are no candles to trade on; give a clean panel.")
    first, last = candles["timestamp"].min(), candles["timestamp"].max()
    hours = pd.date_range(first, last, freq=BAR, unit="us")
    column, assets = pd.factorize(candles["asset"], sort=True)
    place = ((candles["timestamp"] - first) // BAR).to_numpy(), column

    def spread(name: str) -> Float[np.ndarray, "hours assets"]:
        wide = np.full((len(hours), len(assets)), np.nan)
        wide[place] = candles[name].to_numpy(dtype=np.float64)
        return wide

    # Neither true nor false where there is no row.
    is_tradable = spread("is_filled") == 0.0
    return Market(
        hours=hours,
        assets=tuple(map(str, assets)),
        **{name: spread(name) for name in PRICES},
        is_tradable=is_tradable,
        is_start=_starts(spread("segment"), is_tradable),
    )


def last_row_where(flag: Bool[np.ndarray, "hours assets"]) -> np.ndarray:
    """Return, at each hour, the latest row up to it that is flagged; −1 for none."""
    row = np.arange(len(flag))[:, np.newaxis]
    return np.maximum.accumulate(np.where(flag, row, -1), axis=0)


def _starts(
    segment: Float[np.ndarray, "hours assets"],
    is_tradable: Bool[np.ndarray, "hours assets"],
) -> Bool[np.ndarray, "hours assets"]:
    """Mark real candles whose segment is not that of the real candle before."""
    before = np.full(segment.shape, -1.0)
    last = last_row_where(is_tradable)[:-1]
    columns = np.arange(segment.shape[1])
    before[1:] = np.where(last >= 0, segment[last, columns], -1.0)
    return np.asarray(is_tradable & (segment != before))


def _last_known(
    price: Float[np.ndarray, "hours assets"],
) -> Float[np.ndarray, "hours assets"]:
    last = last_row_where(np.isfinite(price))
    columns = np.arange(price.shape[1])
    return np.asarray(np.where(last >= 0, price[last, columns], 0.0))
