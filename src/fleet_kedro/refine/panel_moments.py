"""Moments of one asset's lagged rows, per block of time, straight from base signals.

Lagged columns are lag-major: all signals at the first lag, then all at the next one. A
lagged row is never written down: first-order sums shift the mask and the label instead
of the matrix, and `fleet_kedro.refine.lagged_gram` shares products between lags.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from fleet_kedro.refine.lagged_gram import lagged_gram
from fleet_kedro.refine.moments import CHUNK_ROWS, LinkMoments, Moments
from fleet_kedro.refine.threads import one_blas_thread


@dataclass(frozen=True, eq=False)
class AssetRows:
    """The bars of one asset, oldest first, and which of them are rows to learn from.

    Attributes
    ----------
    signals
        Base signals. NaN wherever no used row looks.
    segment
        Number of the gap-free stretch of each bar.
    is_used
        Rows that may enter a sum: label known, every lag inside the segment, none of
        the values NaN.
    label
        Anything where ``is_used`` is false.
    """

    signals: Float32[np.ndarray, "bars signals"]
    segment: Int[np.ndarray, " bars"]
    is_used: Bool[np.ndarray, " bars"]
    label: Float[np.ndarray, " bars"]

    def check_lags(self, lags: Sequence[int]) -> None:
        """Refuse a used row with a lag outside its segment, a NaN or no label.

        Raises
        ------
        ValueError
            Names the first such row.
        """
        if list(lags) != sorted(set(lags)) or lags[0] < 0:
            msg = f"Lags must be increasing and not negative, not {tuple(lags)}."
            raise ValueError(msg)
        is_finite = np.isfinite(self.signals).all(axis=1)
        is_complete = np.isfinite(self.label)
        for lag in lags:
            is_complete[:lag] = False
            now, then = slice(lag, None), slice(0, len(is_finite) - lag)
            is_complete[now] &= is_finite[then]
            is_complete[now] &= self.segment[now] == self.segment[then]
        broken = np.flatnonzero(self.is_used & ~is_complete)
        if len(broken):
            msg = (
                f"Row {broken[0]} is marked as used, but its label or one of its lags "
                f"{tuple(lags)} is missing ({len(broken)} such rows)."
            )
            raise ValueError(msg)


def asset_moments(
    rows: AssetRows,
    block_of_row: Int[np.ndarray, " bars"],
    n_blocks: int,
    lags: Sequence[int],
) -> list[Moments]:
    """Moments of the lagged rows of each time block.

    Parameters
    ----------
    rows
        One asset.
    block_of_row
        ``0 .. n_blocks − 1``, or −1 for a row that enters no sum. A row belongs to the
        block of its own bar; its lags may reach back into the block before.
    n_blocks
        Length of the answer, so that assets with a shorter history still add up.
    lags
        Bars back, increasing.

    Returns
    -------
    One `Moments` a block over ``len(lags) * signals`` features. What a block holds
    depends on its own rows and their lags, to the last bit; the remaining bars are
    never looked at.
    """
    rows.check_lags(lags)
    n_features = len(lags) * rows.signals.shape[1]
    moments = [Moments.zero(n_features) for _ in range(n_blocks)]
    with one_blas_thread():
        for block, window, is_used in _windows(rows, block_of_row, n_blocks, max(lags)):
            is_needed = _needed(is_used, lags)
            signals = rows.signals[window]
            pivot = signals[is_used].mean(axis=0, dtype=np.float64).astype(np.float32)
            centred = np.where(is_needed[:, None], signals - pivot, np.float32(0))
            moments[block] = Moments.about(
                np.tile(pivot.astype(np.float64), len(lags)),
                _first_order(signals, is_used, rows.label[window], lags),
                lagged_gram(centred, is_used, lags),
            )
    return moments


def asset_link_moments(
    rows: AssetRows,
    block_of_row: Int[np.ndarray, " bars"],
    n_blocks: int,
    lags: Sequence[int],
) -> list[LinkMoments]:
    """First-order sums of the lagged rows of each time block, in float64.

    Parameters and conventions are those of `asset_moments`; the blocks may be finer.
    """
    rows.check_lags(lags)
    n_features = len(lags) * rows.signals.shape[1]
    moments = [LinkMoments.zero(n_features) for _ in range(n_blocks)]
    with one_blas_thread():
        for block, window, is_used in _windows(rows, block_of_row, n_blocks, max(lags)):
            moments[block] = _first_order(
                rows.signals[window], is_used, rows.label[window], lags
            )
    return moments


def _windows(
    rows: AssetRows,
    block_of_row: Int[np.ndarray, " bars"],
    n_blocks: int,
    longest_lag: int,
) -> Iterator[tuple[int, slice, Bool[np.ndarray, " window"]]]:
    """Each block that has rows, the bars that it touches, and its rows among them."""
    for block in range(n_blocks):
        is_used = rows.is_used & (block_of_row == block)
        used = np.flatnonzero(is_used)
        if len(used):
            window = slice(int(used[0]) - longest_lag, int(used[-1]) + 1)
            yield block, window, is_used[window]


def _first_order(
    signals: Float32[np.ndarray, "bars signals"],
    is_used: Bool[np.ndarray, " bars"],
    label: Float[np.ndarray, " bars"],
    lags: Sequence[int],
) -> LinkMoments:
    """``Σ x[t−a]`` and ``Σ x[t−a] y[t]`` as one product of the signals with weights.

    With ``s = t − a`` the sums are ``Σ_s x[s] m[s+a]`` and ``Σ_s x[s] m[s+a] y[s+a]``.
    """
    n_lags, n_signals = len(lags), signals.shape[1]
    used_label = np.where(is_used, label, 0.0)
    weights = np.column_stack(
        [_looking_back(is_used.astype(np.float64), lag) for lag in lags]
        + [_looking_back(used_label, lag) for lag in lags]
    )
    is_needed = _needed(is_used, lags)
    sums = np.zeros((2 * n_lags, n_signals))
    for start in range(0, len(signals), CHUNK_ROWS):
        at = slice(start, start + CHUNK_ROWS)
        chunk = np.where(is_needed[at, None], signals[at], 0).astype(np.float64)
        sums += weights[at].T @ chunk
    return LinkMoments(
        row_count=int(is_used.sum()),
        feature_sum=sums[:n_lags].ravel(),
        label_sum=float(used_label.sum()),
        label_square_sum=float(np.square(used_label).sum()),
        feature_label_sum=sums[n_lags:].ravel(),
    )


def _looking_back(
    value: Float[np.ndarray, " bars"], lag: int
) -> Float[np.ndarray, " bars"]:
    """``value[s + lag]`` at ``s``; zero past the end."""
    shifted = np.zeros_like(value)
    shifted[: len(value) - lag] = value[lag:]
    return shifted


def _needed(
    is_used: Bool[np.ndarray, " bars"], lags: Sequence[int]
) -> Bool[np.ndarray, " bars"]:
    """Bars that some used row looks back on."""
    weight = is_used.astype(np.float64)
    return np.any([_looking_back(weight, lag) > 0 for lag in lags], axis=0)
