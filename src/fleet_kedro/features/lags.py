"""Lags: every signal as it was 0, 1, 2, 3, 5 and 8 bars ago, without storing any.

Columns are lag-major: all signals now, then all signals one bar ago, and so on. What is
stored are the signals; a lagged row is gathered when a model asks for it, and a linear
map of lagged rows never builds them at all.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

LAGS = (0, 1, 2, 3, 5, 8)
CHUNK_BARS = 2048


def lagged_names(signals: Sequence[str]) -> list[str]:
    """Names of the lagged columns, such as ``rsi_13_lag2``, in column order."""
    return [f"{name}_lag{lag}" for lag in LAGS for name in signals]


def lagged_rows(
    signals: Float[np.ndarray, "bars signals"], rows: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, "rows lagged"]:
    """Gather the lagged columns of some rows of one segment.

    Parameters
    ----------
    signals
        Base signals of one gap-free segment, oldest bar first.
    rows
        Positions in the segment, each at least ``max(LAGS)``.

    Raises
    ------
    ValueError
        If a row has no complete past in the segment.
    """
    if rows.size and rows.min() < max(LAGS):
        raise ValueError(
            f"Row {rows.min()} has no value of {max(LAGS)} bars ago in its segment; "
            "ask for rows that complete_rows marks."
        )
    lagged = signals[rows[:, None] - np.array(LAGS)]
    return lagged.reshape(rows.size, len(LAGS) * signals.shape[1])


def complete_rows(
    signals: Float[np.ndarray, "bars signals"], segment: Int[np.ndarray, " bars"]
) -> Bool[np.ndarray, " bars"]:
    """Mark the rows whose signals are finite at every lag within their segment.

    ``segment`` numbers the gap-free stretches of one asset; its rows are in time order.
    """
    finite = np.isfinite(signals).all(axis=1)
    complete = finite.copy()
    for lag in LAGS[1:]:
        complete[:lag] = False
        complete[lag:] &= finite[:-lag] & (segment[lag:] == segment[:-lag])
    return complete


def project_lagged(
    signals: Float[np.ndarray, "bars signals"],
    segment: Int[np.ndarray, " bars"],
    projection: Float[np.ndarray, "lagged latents"],
) -> Float[np.ndarray, "bars latents"]:
    """Multiply the lagged matrix by ``projection`` without building it.

    Equal to ``lagged_rows(...) @ projection`` up to rounding: the base signals are
    multiplied once by the six blocks of the projection side by side, and the products
    are shifted by their lag and added. Rows that are not complete are NaN. The result
    has the wider type of the two inputs.

    Raises
    ------
    ValueError
        If the projection does not have a row for every lagged column.
    """
    n_signals = signals.shape[1]
    n_latents = projection.shape[1]
    if projection.shape[0] != len(LAGS) * n_signals:
        raise ValueError(
            f"The projection has {projection.shape[0]} rows; {n_signals} signals at "
            f"{len(LAGS)} lags need {len(LAGS) * n_signals}."
        )
    complete = complete_rows(signals, segment)
    known = np.where(np.isfinite(signals), signals, 0.0)
    blocks = projection.reshape(len(LAGS), n_signals, n_latents)
    products = _product_in_chunks(known, np.concatenate(list(blocks), axis=1))
    latents = np.zeros((len(signals), n_latents), dtype=products.dtype)
    for position, lag in enumerate(LAGS):
        block = products[:, position * n_latents : (position + 1) * n_latents]
        latents[lag:] += block[: len(block) - lag]
    latents[~complete] = np.nan
    return latents


def _product_in_chunks(
    rows: Float[np.ndarray, "bars signals"],
    matrix: Float[np.ndarray, "signals columns"],
) -> Float[np.ndarray, "bars columns"]:
    """Multiply chunk by chunk, each as long as the other, the last filled with zeros.

    BLAS rounds a row differently in products of different height. In chunks of one
    height a row is rounded the same whatever follows it, to the last bit.
    """
    product = np.empty((len(rows), matrix.shape[1]), np.result_type(rows, matrix))
    chunk = np.zeros((CHUNK_BARS, rows.shape[1]), rows.dtype)
    for start in range(0, len(rows), CHUNK_BARS):
        height = len(rows[start : start + CHUNK_BARS])
        chunk[:height], chunk[height:] = rows[start : start + height], 0.0
        product[start : start + height] = (chunk @ matrix)[:height]
    return product
