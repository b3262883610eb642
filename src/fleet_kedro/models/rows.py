"""The rows that the brain can learn from or forecast, without the wide matrix.

A row is *usable* when everything the brain reads of it is known: every signal at every
lag, the physics, the mean-reversion inputs and the whole pattern window, inside one
segment; when its candle is a real one; and when it lies in the window.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Int, Int64

from fleet_kedro.features.lags import complete_rows
from fleet_kedro.models.full_window import has_full_window
from fleet_kedro.models.mixture import PHYSICS_COLUMNS

ELASTIC_COLUMNS = (
    "elastic_expected_return",
    "elastic_return_volatility",
    "elastic_z",
)
ENERGY_COLUMNS = ("energy_volume", "energy_move")
CALENDAR_COLUMNS = ("hour_sine", "hour_cosine", "weekday_sine", "weekday_cosine")
PATTERN_SERIES = "log_price_fracdiff"


class AssetFeatures(NamedTuple):
    """One asset's feature frame, taken apart into arrays."""

    timestamp: pd.DatetimeIndex
    segment: Int[np.ndarray, " bars"]
    signals: Float32[np.ndarray, "bars signals"]
    inputs: pd.DataFrame
    forward_return: Float[np.ndarray, " bars"]
    is_usable: Bool[np.ndarray, " bars"]


def read_features(
    frame: pd.DataFrame,
    signal_names: list[str],
    window_start: pd.Timestamp,
    pattern_bars: int,
) -> AssetFeatures:
    """Take a feature frame apart and mark its usable rows."""
    signals = frame[signal_names].to_numpy(dtype=np.float32)
    segment = frame["segment"].to_numpy()
    inputs = frame.loc[
        :, [*PHYSICS_COLUMNS, *ELASTIC_COLUMNS, *ENERGY_COLUMNS, PATTERN_SERIES]
    ]
    timestamp = pd.DatetimeIndex(frame["timestamp"])
    pattern = inputs[PATTERN_SERIES].to_numpy()
    is_usable = (
        complete_rows(signals, segment)
        & np.isfinite(inputs.to_numpy()).all(axis=1)
        & has_full_window(np.isfinite(pattern), segment, pattern_bars)
        & ~frame["is_filled"].to_numpy()
        & np.asarray(timestamp >= window_start)
    )
    return AssetFeatures(
        timestamp,
        segment,
        signals,
        inputs,
        frame["forward_return"].to_numpy(),
        is_usable,
    )


def pattern_columns(n_bars: int) -> list[str]:
    """Name the columns of a pattern window, the oldest bar first."""
    return [f"pattern_{place:02d}" for place in range(n_bars)]


def surface_columns(signals: Sequence[str]) -> dict[str, str]:
    """Name the columns in which plain signals are read, by signal."""
    return {signal: f"signal_{signal}" for signal in signals}


def input_columns(pattern_bars: int) -> list[str]:
    """Name what experts and gate read beside latents and plain signals."""
    return [
        *PHYSICS_COLUMNS,
        *ELASTIC_COLUMNS,
        *CALENDAR_COLUMNS,
        *pattern_columns(pattern_bars),
    ]


def pattern_windows(
    series: Float[np.ndarray, " bars"], bar: Int64[np.ndarray, " rows"], n_bars: int
) -> Float32[np.ndarray, "rows n_bars"]:
    """Return the last ``n_bars`` values up to each bar, oldest first.

    Raises
    ------
    ValueError
        If a window would begin before the series.
    """
    if bar.size and bar.min() < n_bars - 1:
        raise ValueError(
            f"Bar {bar.min()} has no {n_bars} values up to it; ask for usable rows."
        )
    return series[bar[:, np.newaxis] + np.arange(1 - n_bars, 1)].astype(np.float32)
