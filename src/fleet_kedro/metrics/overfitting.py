"""How often choosing the best configuration chooses luck.

Combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu,
"The probability of backtest overfitting" (Journal of Computational Finance 20(4),
2017), section 3. Time is cut into ``S`` blocks. Every choice of ``S/2`` blocks is once
the half in which a winner is chosen, and its complement the half in which it is judged.
The result is a verdict on the choosing, not on the strategy that was chosen.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from fleet_kedro.metrics.sharpe import sharpe_from_sums

_FEWEST_CONFIGURATIONS = 2
_FEWEST_BLOCKS = 2
_MOST_BLOCKS = 20  # 184,756 splits; four more blocks would be fifteen times as many
_FEWEST_DAYS_PER_BLOCK = 2
_ROUNDING = 1e-12


class OverfittingResult(NamedTuple):
    """Where each split's in-sample winner ended up out of sample.

    ``logits`` holds ``λ = log(ω / (1 − ω))`` of each split. ``ω = rank / (N + 1)`` is
    the winner's relative rank among ``N`` configurations: rank 1 is the worst, ``N``
    the best. Zero is the median; ``−log N`` and ``log N`` are the ends.
    """

    logits: Float[np.ndarray, " splits"]
    n_configurations: int

    @property
    def probability(self) -> float:
        """Probability of backtest overfitting: share of splits with ``λ <= 0``.

        A winner that is merely median counts as overfitted. So pure noise has an
        expectation of 1/2 for an even number of configurations, and of 1/2 + 1/(2 N)
        for an odd one.
        """
        return float(np.mean(self.logits <= 0))

    @property
    def n_splits(self) -> int:
        """Number of splits: ``S`` over ``S/2``."""
        return int(self.logits.size)

    @property
    def median_logit(self) -> float:
        """Median of ``λ``; positive when the usual winner stays above the median."""
        return float(np.median(self.logits))

    @property
    def logit_quartiles(self) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile of ``λ``."""
        lower, median, upper = np.quantile(self.logits, [0.25, 0.5, 0.75])
        return float(lower), float(median), float(upper)


def probability_of_backtest_overfitting(
    daily_returns: Float[np.ndarray, "days configurations"], n_blocks: int = 16
) -> OverfittingResult:
    """Choose on every half of the blocks, judge on the other half, compare ranks.

    Configurations are compared by their daily Sharpe ratio, which is 0 where returns
    do not vary.

    Parameters
    ----------
    daily_returns
        A row per day in time order, a column per configuration that was tried, all of
        them and not only the good ones. Fractions; NaN is refused, a day without trades
        is 0. A row is the profit and loss of that day: trades that are booked whole at
        their entry would reach from one block into the next.
    n_blocks
        ``S``, even. Lengths differ by a day where the days do not divide evenly; no
        day is dropped.

    Notes
    -----
    Out of sample, tied configurations share the mean of their ranks. In sample, of
    several tied winners the one that does worst out of sample is taken. The result thus
    never depends on the order of the columns, and ties never flatter it.
    """
    _check(daily_returns, n_blocks)
    in_sample = _sharpe_of_halves(daily_returns.astype(np.float64), n_blocks)
    # Halves are in lexicographic order, in which the complement of the first is the
    # last, of the second the last but one, and so on.
    out_of_sample = in_sample[::-1]
    best = in_sample.max(axis=1, keepdims=True)
    is_winner = _is_tied(in_sample, best)
    judged = np.where(is_winner, out_of_sample, np.inf).min(axis=1, keepdims=True)
    rank = _rank_among(out_of_sample, judged)
    n_configurations = daily_returns.shape[1]
    # ω / (1 − ω) without the division by N + 1, so that the median is exactly zero.
    return OverfittingResult(
        np.log(rank / (n_configurations + 1 - rank)), n_configurations
    )


def _check(
    daily_returns: Float[np.ndarray, "days configurations"], n_blocks: int
) -> None:
    n_days, n_configurations = daily_returns.shape
    if n_configurations < _FEWEST_CONFIGURATIONS:
        raise ValueError(
            f"A choice needs at least {_FEWEST_CONFIGURATIONS} configurations; there "
            f"are {n_configurations}."
        )
    if n_blocks % 2 or not _FEWEST_BLOCKS <= n_blocks <= _MOST_BLOCKS:
        raise ValueError(
            f"n_blocks is {n_blocks}; it must be even, from {_FEWEST_BLOCKS} to "
            f"{_MOST_BLOCKS}."
        )
    if n_days < _FEWEST_DAYS_PER_BLOCK * n_blocks:
        raise ValueError(
            f"{n_days} days are too few for {n_blocks} blocks; give at least "
            f"{_FEWEST_DAYS_PER_BLOCK} days a block, "
            f"{_FEWEST_DAYS_PER_BLOCK * n_blocks} in all, or use fewer blocks."
        )
    n_unknown = int((~np.isfinite(daily_returns)).sum())
    if n_unknown:
        raise ValueError(
            f"daily_returns hold {n_unknown} values that are NaN or infinite; a day "
            "without trades is 0."
        )


def _sharpe_of_halves(
    daily_returns: Float[np.ndarray, "days configurations"], n_blocks: int
) -> Float[np.ndarray, "splits configurations"]:
    """Return the Sharpe ratio of every configuration in every half of the blocks."""
    blocks = np.array_split(daily_returns, n_blocks)
    block_days = np.array([[float(len(block))] for block in blocks])
    block_totals = np.array([block.sum(axis=0) for block in blocks])
    block_squares = np.array([(block**2).sum(axis=0) for block in blocks])
    contains = _halves(n_blocks)
    return sharpe_from_sums(
        _sum_over_halves(contains, block_days),
        _sum_over_halves(contains, block_totals),
        _sum_over_halves(contains, block_squares),
    )


def _sum_over_halves(
    contains: Float[np.ndarray, "splits blocks"],
    block_sums: Float[np.ndarray, "blocks columns"],
) -> Float[np.ndarray, "splits columns"]:
    """Add up the blocks of each half: a matrix product.

    ``einsum`` adds in the same order on any number of threads, ``@`` may not.
    """
    return np.einsum("sb,bc->sc", contains, block_sums)


def _halves(n_blocks: int) -> Float[np.ndarray, "splits blocks"]:
    """Return 1 where a half contains a block, else 0; halves in lexicographic order."""
    chosen = np.array(list(combinations(range(n_blocks), n_blocks // 2)))
    contains = np.zeros((len(chosen), n_blocks))
    np.put_along_axis(contains, chosen, 1.0, axis=1)
    return contains


def _rank_among(
    sharpe: Float[np.ndarray, "splits configurations"],
    judged: Float[np.ndarray, "splits 1"],
) -> Float[np.ndarray, " splits"]:
    """Return the rank of the judged Sharpe ratio in its row, 1 the lowest.

    The judged one is among the tied, so ``below + (tied + 1) / 2`` is their mean rank.
    """
    is_tied = _is_tied(sharpe, judged)
    below = ((sharpe < judged) & ~is_tied).sum(axis=1)
    return below + (is_tied.sum(axis=1) + 1) / 2


def _is_tied(
    sharpe: Float[np.ndarray, "splits configurations"],
    other: Float[np.ndarray, "splits 1"],
) -> Bool[np.ndarray, "splits configurations"]:
    """Say where two Sharpe ratios differ by no more than rounding."""
    return np.abs(sharpe - other) <= _ROUNDING * np.maximum(1.0, np.abs(other))
