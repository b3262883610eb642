"""What a strategy says at each close, and the orders that follow from it.

A decision in row ``t`` is known at the close of bar ``t``, and can be followed at the
open of bar ``t + 1`` at the earliest. Where the asset cannot be traded then, the order
waits for its next real candle. A later opinion replaces it meanwhile, and the start of
a new segment cancels it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from fleet_kedro.signals.backtest.market import Market, last_row_where
from fleet_kedro.signals.backtest.rules import TradingRules

_ROUNDING = 1e-9


class Decisions(NamedTuple):
    """Weights and levels as decided at each close.

    Attributes
    ----------
    weight
        Share of the equity to hold in the asset: 0 exits, negative is short, NaN leaves
        things as they are. In absolute value a row adds up to at most 1.
    stop_price, target_price
        Where to leave a position with a loss and with a gain, in quote currency; NaN
        for none. For a long position the stop lies below, for a short one above.
    """

    weight: Float[np.ndarray, "hours assets"]
    stop_price: Float[np.ndarray, "hours assets"]
    target_price: Float[np.ndarray, "hours assets"]

    @classmethod
    def of_weights(cls, weight: Float[np.ndarray, "hours assets"]) -> "Decisions":
        """Return decisions without any stop or target."""
        nowhere = np.full(weight.shape, np.nan)
        return cls(weight, nowhere, nowhere)


class Orders(NamedTuple):
    """What is to be done at each open; NaN for nothing.

    The three are those of the same decision. ``new_stop`` and ``new_target`` are the
    levels of the close just before, whether or not it wants another weight.
    """

    weight: Float[np.ndarray, "hours assets"]
    stop: Float[np.ndarray, "hours assets"]
    target: Float[np.ndarray, "hours assets"]
    new_stop: Float[np.ndarray, "hours assets"]
    new_target: Float[np.ndarray, "hours assets"]


def orders_at_open(market: Market, decisions: Decisions, rules: TradingRules) -> Orders:
    """Turn decisions into orders at the opens at which they can be followed.

    Raises
    ------
    ValueError
        If a decision has another shape than the market, an infinite value, or asks
        for more than the whole equity.
    """
    _check(market, decisions)
    weight = decisions.weight
    wanted = weight if rules.allow_short else np.maximum(weight, 0.0)
    decided = _following(last_row_where(np.isfinite(weight)), -1)
    traded = _following(last_row_where(market.is_tradable), -1)
    # Decided at the close of the last real candle or later, so nobody has acted on it.
    is_due = (decided >= 0) & (decided >= traded)
    is_due &= market.is_tradable & ~market.is_start
    columns = np.arange(weight.shape[1])

    def as_decided(
        values: Float[np.ndarray, "hours assets"],
    ) -> Float[np.ndarray, "hours assets"]:
        return np.where(is_due, values[decided, columns], np.nan)

    return Orders(
        as_decided(wanted),
        as_decided(decisions.stop_price),
        as_decided(decisions.target_price),
        _following(decisions.stop_price, np.nan),
        _following(decisions.target_price, np.nan),
    )


def _check(market: Market, decisions: Decisions) -> None:
    for name, values in decisions._asdict().items():
        if values.shape != market.shape:
            raise ValueError(
                f"{name} has the shape {values.shape}, the market {market.shape}: give "
                "a row per hour and a column per asset."
            )
        if np.isinf(values).any():
            raise ValueError(f"A {name} is infinite; NaN stands for none.")
    gross = np.nansum(np.abs(decisions.weight), axis=1)
    if gross.max(initial=0.0) > 1.0 + _ROUNDING:
        hour = int(np.argmax(gross))
        raise ValueError(
            f"The weights of {market.hours[hour]} add up to {gross[hour]:.4f} of the "
            "equity; nobody lends, so 1 is the most."
        )


def _following(values: np.ndarray, first: int | float) -> np.ndarray:
    """Move rows one hour on: what the close of a bar says, at the next open."""
    moved = np.empty_like(values)
    moved[0] = first
    moved[1:] = values[:-1]
    return moved
