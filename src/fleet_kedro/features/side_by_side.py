"""The candles of all assets on common hours, without what no comparison needs.

The assets are read one after the other. What stays of a candle is its close, its high
and its volume, in stretches without a gap; nothing is repeated hour by hour that a
stretch can say once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from fleet_kedro.features.rolling import Series, shift
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.market.gaps import BAR_MICROSECONDS, missing_hours

Matrix = Float[np.ndarray, "hours assets"]


@dataclass(frozen=True, eq=False)
class Stretch:
    """One asset's candles without a gap, oldest first, and where they lie in a matrix.

    ``log_return`` begins with NaN.
    """

    rows: slice
    column: int
    log_close: Float[np.ndarray, " bars"]
    log_high: Float[np.ndarray, " bars"]
    volume: Float[np.ndarray, " bars"]

    @property
    def log_return(self) -> Series:
        """Log close minus the previous log close; the first is NaN."""
        return self.log_close - shift(self.log_close, 1)


@dataclass(frozen=True, eq=False)
class SideBySide:
    """All stretches of all assets.

    Attributes
    ----------
    hours
        Open times of the hours at which any asset has a candle.
    assets
        In alphabetical order, whatever the order of the input.
    """

    hours: pd.DatetimeIndex
    assets: tuple[str, ...]
    stretches: Sequence[Stretch]

    @classmethod
    def of(cls, candles: CandleLoaders) -> "SideBySide":
        """Read clean candles, of each asset in any order of rows."""
        assets = tuple(sorted(candles))
        found = [
            stretch
            for column, asset in enumerate(assets)
            for stretch in _stretches(asset, column, candles[asset]())
        ]
        hours = _common_hours([stretch.rows for stretch in found])
        first_rows = np.searchsorted(hours, [stretch.rows.start for stretch in found])
        moved = [
            replace(stretch, rows=slice(int(row), int(row) + len(stretch.log_close)))
            for row, stretch in zip(first_rows, found, strict=True)
        ]
        stamps = (hours * BAR_MICROSECONDS).astype("datetime64[us]")
        return cls(pd.DatetimeIndex(stamps).tz_localize("UTC"), assets, moved)

    def matrix(self, compute: Callable[[Stretch], Series]) -> Matrix:
        """Lay a number per candle into hours by assets; NaN where there is no candle.

        The columns lie one after the other in memory: each is filled and read alone.
        """
        laid_out = np.full((len(self.hours), len(self.assets)), np.nan, order="F")
        for stretch in self.stretches:
            laid_out[stretch.rows, stretch.column] = compute(stretch)
        return laid_out


def _stretches(asset: str, column: int, candles: pd.DataFrame) -> Iterator[Stretch]:
    """Cut one asset's candles where a gap is; rows are counted from the epoch."""
    for segment, part in candles.groupby("segment", sort=True):
        ordered = part.sort_values("timestamp")
        if missing_hours(ordered["timestamp"]).any():
            raise ValueError(
                f"Segment {segment} of {asset} does not hold one candle an hour; clean "
                "its candles first."
            )
        first = ordered["timestamp"].astype("int64").iloc[0] // BAR_MICROSECONDS
        yield Stretch(
            rows=slice(int(first), int(first) + len(ordered)),
            column=column,
            log_close=np.log(ordered["close"].to_numpy(np.float64)),
            log_high=np.log(ordered["high"].to_numpy(np.float64)),
            # A view would keep the whole frame alive.
            volume=ordered["volume"].to_numpy(np.float64, copy=True),
        )


def _common_hours(spans: Sequence[slice]) -> Int[np.ndarray, " hours"]:
    """Return the numbers that lie in any of the spans, in order."""
    first = min(span.start for span in spans)
    is_covered = np.zeros(max(span.stop for span in spans) - first, dtype=bool)
    for span in spans:
        is_covered[span.start - first : span.stop - first] = True
    return first + np.flatnonzero(is_covered)
