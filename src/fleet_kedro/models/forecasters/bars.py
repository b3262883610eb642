"""One asset as the forecasters see it: what is known at each bar, and what comes.

Returns are learnt in units of the asset's own trailing volatility, so that a calm month
teaches as much as a wild one, and a forecast grows and shrinks with the market. What a
forecaster says is a log return again.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Int, Int64
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.labels.forward_return import forward_return
from fleet_kedro.models.full_window import has_full_window

N_HORIZONS = 2
"""Columns of every forecast: the next hour, and the label's horizon."""


class BarSettings(Config):
    """What a forecaster may read, and how far back."""

    signals: tuple[str, ...] = Field(
        strict=False,
        min_length=1,
        description="What trees read of the last bar, beside its channels.",
    )
    channels: tuple[str, ...] = Field(
        strict=False, min_length=1, description="What networks read of every bar."
    )
    longest_window_bars: int = Field(
        ge=1, description="Bars behind the longest window that is configured."
    )
    volatility_bars: int = Field(
        default=168,
        ge=2,
        description="Bars behind the unit in which returns are learnt.",
    )
    horizon_bars: int = Field(ge=2, description="The longer horizon, H.")


class AssetBars(NamedTuple):
    """Every bar of one asset, oldest first, and which of them may be used.

    Attributes
    ----------
    signals
        Plain signals and the bar's channels, known at its close; NaN until their
        windows fill.
    channels
        What sequences are made of, likewise; NaN is possible outside usable windows.
    close
        Price at the close of the bar, known with it.
    volatility
        Root mean square log return of an hour over the trailing window; the unit.
    target
        Log return from the next open to the open 1 and H bars after it; NaN where
        unknown, filled, or beyond the segment.
    is_usable
        Rows that can be forecast: signals finite, and the longest window of channels
        finite within the asset's segment; real candles with a positive volatility.
    """

    timestamp: pd.DatetimeIndex
    segment: Int[np.ndarray, " bars"]
    signals: Float32[np.ndarray, "bars signals"]
    channels: Float32[np.ndarray, "bars channels"]
    close: Float[np.ndarray, " bars"]
    volatility: Float[np.ndarray, " bars"]
    target: Float[np.ndarray, "bars 2"]
    horizons: tuple[int, int]
    is_usable: Bool[np.ndarray, " bars"]

    @property
    def is_labelled(self) -> Bool[np.ndarray, " bars"]:
        """Usable rows whose outcomes at both horizons are known."""
        return self.is_usable & np.isfinite(self.target).all(axis=1)

    def unit(self, rows: Int64[np.ndarray, " rows"]) -> Float[np.ndarray, "rows 2"]:
        """Return the volatility of each row over each horizon: ``σ √h``."""
        return self.volatility[rows, np.newaxis] * np.sqrt(self.horizons)

    def scaled_target(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 2"]:
        """Return the targets of labelled rows in their units."""
        return self.target[rows] / self.unit(rows)


def asset_bars(
    features: pd.DataFrame, candles: pd.DataFrame, settings: BarSettings
) -> AssetBars:
    """Lay one asset's feature table beside its candles.

    Parameters
    ----------
    features, candles
        The same bars in the same order.

    Raises
    ------
    ValueError
        If they are not the same bars.
    """
    if not features["timestamp"].equals(candles["timestamp"].reset_index(drop=True)):
        raise ValueError(
            f"{len(features)} rows of features do not stand on the same hours as "
            f"{len(candles)} candles: build the features from these candles again."
        )
    segment = candles["segment"].to_numpy()
    read_by_trees = list(dict.fromkeys([*settings.signals, *settings.channels]))
    signals = features[read_by_trees].to_numpy(dtype=np.float32)
    channels = features[list(settings.channels)].to_numpy(dtype=np.float32)
    horizons = (1, settings.horizon_bars)
    volatility, target = _by_segment(candles, segment, settings, horizons)
    is_known = np.isfinite(channels).all(axis=1)
    is_usable = (
        np.isfinite(signals).all(axis=1)
        & has_full_window(is_known, segment, settings.longest_window_bars)
        & (volatility > 0)
        & ~candles["is_filled"].to_numpy()
    )
    return AssetBars(
        pd.DatetimeIndex(features["timestamp"]),
        segment,
        signals,
        channels,
        candles["close"].to_numpy(dtype=np.float64),
        volatility,
        target,
        horizons,
        is_usable,
    )


def _by_segment(
    candles: pd.DataFrame,
    segment: Int[np.ndarray, " bars"],
    settings: BarSettings,
    horizons: Sequence[int],
) -> tuple[Float[np.ndarray, " bars"], Float[np.ndarray, "bars 2"]]:
    """Return volatility and targets; neither looks across a segment's border."""
    volatility = np.full(len(candles), np.nan)
    target = np.full((len(candles), len(horizons)), np.nan)
    opened = candles["open"].to_numpy(dtype=np.float64)
    log_close = np.log(candles["close"].to_numpy(dtype=np.float64))
    is_filled = candles["is_filled"].to_numpy()
    for number in np.unique(segment):
        rows = np.flatnonzero(segment == number)
        volatility[rows] = _volatility(log_close[rows], settings.volatility_bars)
        for column, horizon in enumerate(horizons):
            if len(rows) > horizon + 1:
                ahead = forward_return(opened[rows], is_filled[rows], horizon)
                target[rows, column] = np.log1p(ahead)
    return volatility, target


def _volatility(
    log_close: Float[np.ndarray, " bars"], window_bars: int
) -> Float[np.ndarray, " bars"]:
    """Root mean square hourly log return of the trailing window; NaN until full."""
    squared = np.square(np.diff(log_close, prepend=np.nan))
    mean = pd.Series(squared).rolling(window_bars).mean().to_numpy()
    return np.sqrt(np.maximum(mean, 0.0))
