"""What candles, a dominance series and a planted truth look like, column by column.

A candle is keyed by its open time. Row ``t`` is known at ``t + BAR``, and the first
price at which anybody can act on it is the open of row ``t + 1``.
"""

import pandas as pd
import pandera.pandas as pa
from pandera.dtypes import Int32
from pandera.engines.pandas_engine import DateTime
from pandera.typing.pandas import Series

BAR = pd.Timedelta(hours=1)
TIMESTAMP_DTYPE = "datetime64[us, UTC]"
PRICES = ["open", "high", "low", "close"]
CANDLE = [*PRICES, "volume"]


class _Keyed(pa.DataFrameModel):
    """A long frame whose time stamps are UTC, in microseconds."""

    timestamp: Series[DateTime] = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})

    class Config:
        """No unknown column, no conversion on the way."""

        strict = True
        ordered = True


class RawCandles(_Keyed):
    """One asset's candles as found, in canonical units: any dirt is still in them."""

    symbol: Series[str]
    open: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    close: Series[float] = pa.Field(nullable=True)
    volume: Series[float] = pa.Field(nullable=True)


class _Ohlcv(_Keyed):
    """Prices in quote currency, volume in base currency."""

    open: Series[float] = pa.Field(gt=0)
    high: Series[float] = pa.Field(gt=0)
    low: Series[float] = pa.Field(gt=0)
    close: Series[float] = pa.Field(gt=0)
    volume: Series[float] = pa.Field(ge=0)


class CleanCandles(_Ohlcv):
    """The panel: one row per (timestamp, asset), sorted by both.

    ``symbol`` is what the exchange called the asset at that time; ``is_filled`` marks
    a flat, zero-volume candle that bridges a short gap; ``segment`` counts, from zero
    for each asset, the stretches that no gap interrupts.
    """

    asset: Series[str]
    symbol: Series[str]
    is_filled: Series[bool]
    segment: Series[Int32] = pa.Field(ge=0)

    @pa.dataframe_check(error="rows must be unique and sorted by timestamp, asset")
    def is_sorted_and_unique(cls, panel: pd.DataFrame) -> bool:
        """One row per key, in order."""
        keys = pd.MultiIndex.from_frame(panel[["timestamp", "asset"]])
        return bool(keys.is_monotonic_increasing and keys.is_unique)

    @pa.dataframe_check(error="high and low must enclose open and close")
    def encloses_its_body(cls, panel: pd.DataFrame) -> pd.Series:
        """No price outside its own range."""
        body = panel[["open", "close"]]
        return (panel["high"] >= body.max(axis=1)) & (panel["low"] <= body.min(axis=1))


class Dominance(_Keyed):
    """Daily share of the total market, known from ``available_at`` on, never before."""

    series: Series[str]
    dominance_pct: Series[float] = pa.Field(ge=0, le=100)
    source: Series[str]
    available_at: Series[DateTime] = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})


class PlantedTruth(_Keyed):
    """What the synthetic market knows about each row; empty for a real market.

    ``probability`` is the Bayes-optimal chance that the label of the row is positive.
    """

    asset: Series[str]
    probability: Series[float] = pa.Field(ge=0, le=1)
    regime: Series[str]


class QualityReport(pa.DataFrameModel):
    """What was found and what was done about it, a row per asset."""

    asset: Series[str] = pa.Field(unique=True)
    first: Series[DateTime] = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})
    last: Series[DateTime] = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})
    rows: Series[int] = pa.Field(ge=1)
    gaps: Series[int] = pa.Field(ge=0)
    longest_gap_hours: Series[int] = pa.Field(ge=0)
    filled: Series[int] = pa.Field(ge=0)
    segments: Series[int] = pa.Field(ge=1)
    duplicates_dropped: Series[int] = pa.Field(ge=0)
    off_grid_dropped: Series[int] = pa.Field(ge=0)
    invalid_dropped: Series[int] = pa.Field(ge=0)
    zero_volume: Series[int] = pa.Field(ge=0)
    lowest_price: Series[float] = pa.Field(gt=0)
    highest_price: Series[float] = pa.Field(gt=0)
    high_low_ratio: Series[float] = pa.Field(ge=1)

    class Config:
        """No unknown column, no conversion on the way."""

        strict = True
        ordered = True
