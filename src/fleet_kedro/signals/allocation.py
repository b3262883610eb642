r"""From scores to weights of the capital, under limits that always hold.

With the scores :math:`s_i` of the active assets, the exposure :math:`e` that the regime
allows, the cap :math:`C`, the floor :math:`F` and the least cash :math:`K`:

.. math::
    w_i = \min(\max(\lambda\, s_i / \textstyle\sum s,\; F),\; \max(e\,C, F)),
    \qquad \lambda = \max\{\lambda \le e : \textstyle\sum w_i \le e\,(1 - K)\}

In words: scores are normalised and scaled by the exposure, raised to the floor, cut at
the cap; where that leaves too little cash, those above the floor shrink in proportion.
What a cap cuts off stays cash: a limit to one asset is no reason to buy more of
another.

**When the floors do not fit.** With :math:`n F > e\,(1 - K)` the best
:math:`\lfloor e\,(1 - K) / F \rfloor` scores are kept and the others get nothing; of
equals the one that the fleet names first. Eleven assets at 10 % and 20 % cash: the best
eight at 10 % each. The floor itself is not scaled by the exposure, so fear leaves fewer
positions rather than crumbs.

Long only, a score below zero gets nothing: a SELL is an exit. With ``allows_short`` it
becomes a negative weight under the same limits, which then bound ``|w|``; cash is one
minus the sum of ``|w|`` in either case.
"""

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field, model_validator

from fleet_kedro.config import Config

_HALVINGS = 53
_ROUNDING = 1e-9


class AllocationLimits(Config):
    """Shares of the capital."""

    largest_weight: float = Field(default=0.45, gt=0, le=1)
    smallest_weight: float = Field(
        default=0.10, ge=0, le=1, description="Of an asset that is held at all."
    )
    least_cash: float = Field(default=0.20, ge=0, lt=1)
    allows_short: bool = False

    @model_validator(mode="after")
    def _fit_together(self) -> "AllocationLimits":
        if self.smallest_weight > self.largest_weight:
            raise ValueError(
                f"smallest_weight {self.smallest_weight} exceeds largest_weight "
                f"{self.largest_weight}: swap them."
            )
        if self.smallest_weight > 1 - self.least_cash:
            raise ValueError(
                f"smallest_weight {self.smallest_weight} does not fit beside "
                f"least_cash {self.least_cash}: lower one of them."
            )
        return self


def allocate(
    score: Float[np.ndarray, "moments assets"],
    exposure: Float[np.ndarray, " moments"],
    limits: AllocationLimits,
) -> Float[np.ndarray, "moments assets"]:
    """Return the target weights; the rest of the capital is cash.

    The common scale of a moment's scores does not matter. A score of zero, or one that
    is not finite, gets nothing.

    Parameters
    ----------
    exposure
        Factor on all that may be invested, 0 to 1.
    """
    size = _scaled_size(score, limits)
    budget = exposure * (1 - limits.least_cash)
    kept = _best(size, _places(budget, score.shape[1], limits))
    weight = _bounded(kept, exposure, budget, limits)
    return np.where(weight > 0, np.sign(score) * weight, 0.0)


def cash(
    weight: Float[np.ndarray, "moments assets"],
) -> Float[np.ndarray, " moments"]:
    """Return what is not at work: one minus the sum of ``|w|``."""
    return 1 - np.abs(weight).sum(axis=1)


def _scaled_size(
    score: Float[np.ndarray, "moments assets"], limits: AllocationLimits
) -> Float[np.ndarray, "moments assets"]:
    """Return what each score asks for, the largest of a moment being one."""
    size = np.abs(score) if limits.allows_short else np.maximum(score, 0.0)
    size = np.where(np.isfinite(score), size, 0.0)
    largest = size.max(axis=1, keepdims=True, initial=0.0)
    return np.divide(size, largest, out=np.zeros_like(size), where=largest > 0)


def _places(
    budget: Float[np.ndarray, " moments"], n_assets: int, limits: AllocationLimits
) -> Int[np.ndarray, " moments"]:
    """Return how many smallest positions the budget holds."""
    if limits.smallest_weight == 0:
        return np.full(budget.shape, n_assets)
    # The budget may be a hair under what it is in decimals: 0.8 / 0.1 are eight places.
    return np.floor(budget / limits.smallest_weight + _ROUNDING).astype(np.int64)


def _best(
    size: Float[np.ndarray, "moments assets"], places: Int[np.ndarray, " moments"]
) -> Float[np.ndarray, "moments assets"]:
    """Keep as many of the largest as there are places; of equals the first."""
    order = np.argsort(-size, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    return np.where(rank < places[:, np.newaxis], size, 0.0)


def _bounded(
    size: Float[np.ndarray, "moments assets"],
    exposure: Float[np.ndarray, " moments"],
    budget: Float[np.ndarray, " moments"],
    limits: AllocationLimits,
) -> Float[np.ndarray, "moments assets"]:
    """Return the weights with the largest admissible λ; see the module."""
    total = size.sum(axis=1, keepdims=True)
    share = np.divide(size, total, out=np.zeros_like(size), where=total > 0)
    floor = np.where(share > 0, limits.smallest_weight, 0.0)
    cap = np.maximum(exposure * limits.largest_weight, limits.smallest_weight)
    raised = np.maximum(exposure[:, np.newaxis] * share, floor)
    weight = np.minimum(raised, cap[:, np.newaxis])
    is_over = weight.sum(axis=1) > budget
    weight[is_over] = _within_budget(
        share[is_over], floor[is_over], cap[is_over], exposure[is_over], budget[is_over]
    )
    return weight


def _within_budget(
    share: Float[np.ndarray, "moments assets"],
    floor: Float[np.ndarray, "moments assets"],
    cap: Float[np.ndarray, " moments"],
    exposure: Float[np.ndarray, " moments"],
    budget: Float[np.ndarray, " moments"],
) -> Float[np.ndarray, "moments assets"]:
    """Halve λ down from the exposure; its lower end always fits the budget."""
    low, high = np.zeros_like(exposure), exposure
    most = cap[:, np.newaxis]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        weight = np.minimum(np.maximum(middle[:, np.newaxis] * share, floor), most)
        fits = weight.sum(axis=1) <= budget
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.minimum(np.maximum(low[:, np.newaxis] * share, floor), most)
