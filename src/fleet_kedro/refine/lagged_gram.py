"""The Gram matrix of lagged columns, without ever building the lagged columns.

Let ``x[s]`` be the base signals of bar ``s`` and ``m[t]`` be 1 for the rows in use. The
block of lag ``a`` against lag ``b >= a`` is, with ``s = t − a`` and ``d = b − a``::

    G[a, b] = Σ_t m[t] x[t−a] x[t−b]ᵀ = Σ_s m[s+a] x[s] x[s−d]ᵀ
            = Σ_s m[s] x[s] x[s−d]ᵀ  +  Σ_s (m[s+a] − m[s]) x[s] x[s−d]ᵀ

The first sum depends on the difference ``d`` alone. The second touches only the few
bars next to where a run of used rows begins or ends. Lags 0, 1, 2, 3, 5, 8 have nine
differences, so nine products stand in for the twenty-one of the direct way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from fleet_kedro.refine.moments import CHUNK_ROWS
from fleet_kedro.refine.threads import in_order


def lagged_gram(
    signals: Float32[np.ndarray, "bars signals"],
    is_used: Bool[np.ndarray, " bars"],
    lags: Sequence[int],
) -> Float[np.ndarray, "features features"]:
    """``Σ_t z[t] z[t]ᵀ`` over the used bars; ``z[t]`` stacks ``x[t − lag]``, lag-major.

    Parameters
    ----------
    signals
        One row a bar, oldest first. Every value must be finite; bars that no used row
        looks back on may hold anything finite, zero for choice.
    is_used
        The rows in the sum; none among the first ``max(lags)``.
    lags
        Bars back, increasing.

    Returns
    -------
    features = ``len(lags) * signals`` square, exactly symmetric. Products of at most
    1,024 rows are float32, their sum float64.
    """
    n_signals = signals.shape[1]
    differences = sorted({far - near for near in lags for far in lags if far >= near})
    used = np.flatnonzero(is_used)
    jobs = _jobs(0, used, np.ones(len(used), np.float32), differences)
    # Place 0 of the sums is what the lags share, place 1 + i the edges of lag i.
    for place, near in enumerate(lags):
        reach = [far - near for far in lags[place:]]
        jobs += _jobs(1 + place, *_edges(is_used, near), reach)
    sums = np.zeros((1 + len(lags), max(differences) + 1, n_signals, n_signals))
    products = in_order(lambda job: job.products(signals), jobs)
    for job, product in zip(jobs, products, strict=True):
        for difference, block in zip(job.differences, product, strict=True):
            sums[job.place, difference] += block
    return _assembled(sums, lags)


@dataclass(frozen=True, eq=False)
class _Job:
    """Signed products over one chunk of rows, for several differences."""

    place: int
    rows: Int[np.ndarray, " rows"]
    sign: Float32[np.ndarray, " rows"]
    differences: Sequence[int]

    def products(
        self, signals: Float32[np.ndarray, "bars signals"]
    ) -> list[Float32[np.ndarray, "signals signals"]]:
        """``Σ sign[s] x[s] x[s − d]ᵀ`` over the rows, for each difference ``d``."""
        present = (signals[self.rows] * self.sign[:, None]).T
        return [present @ signals[self.rows - d] for d in self.differences]


def _jobs(
    place: int,
    rows: Int[np.ndarray, " rows"],
    sign: Float32[np.ndarray, " rows"],
    differences: Sequence[int],
) -> list[_Job]:
    """Cut the rows into equal chunks of at most `CHUNK_ROWS`."""
    n_chunks = -(-len(rows) // CHUNK_ROWS)
    return [
        _Job(place, rows[chunk], sign[chunk], differences)
        for chunk in np.array_split(np.arange(len(rows)), max(n_chunks, 1))
        if len(chunk)
    ]


def _assembled(
    sums: Float[np.ndarray, "places differences signals signals"], lags: Sequence[int]
) -> Float[np.ndarray, "features features"]:
    """Lay out shared sums plus each lag's edges as one symmetric matrix."""
    n_lags, n_signals = len(lags), sums.shape[-1]
    gram = np.empty((n_lags, n_signals, n_lags, n_signals))

    def lay_out(i: int) -> None:
        for j, far in enumerate(lags[i:], start=i):
            difference = far - lags[i]
            block = sums[0, difference] + sums[1 + i, difference]
            gram[i, :, j, :] = 0.5 * (block + block.T) if i == j else block
            gram[j, :, i, :] = gram[i, :, j, :].T

    for _ in in_order(lay_out, range(n_lags)):
        pass  # each lag leaves its rows and columns behind
    return gram.reshape(n_lags * n_signals, -1)


def _edges(
    is_used: Bool[np.ndarray, " bars"], lag: int
) -> tuple[Int[np.ndarray, " rows"], Float32[np.ndarray, " rows"]]:
    """Bars where ``m[s + lag] − m[s]`` is not zero, and its value, +1 or −1."""
    shifted = np.zeros_like(is_used)
    shifted[: len(is_used) - lag] = is_used[lag:]
    change = shifted.astype(np.float32) - is_used
    rows = np.flatnonzero(change)
    return rows, change[rows]
