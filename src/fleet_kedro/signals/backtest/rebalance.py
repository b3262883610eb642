r"""From the weight that is wanted to the coins that change hands at an open.

What makes positions smaller is done first, since it frees money. What makes them larger
shares the money that there is: with the missing value :math:`m_a` of each asset at its
open, the outlay per unit of it :math:`1 + \kappa` and the free equity :math:`F` (the
equity less all positions in absolute value), every purchase is cut to the share

.. math:: \min(1, F / \textstyle\sum_a (1 + \kappa_a) |m_a|)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from fleet_kedro.signals.backtest.book import Book, Reason
from fleet_kedro.signals.backtest.rules import TradingRules


class Increase(NamedTuple):
    """Value that a position lacks at the open, negative for a short; and its levels."""

    asset: int
    missing: float
    price: float
    stop: float
    target: float


def reduce_towards(
    book: Book, hour: int, asset: int, price: float, aim: float
) -> float:
    """Sell what is too much of a position; return the value that it lacks.

    ``aim`` is the value to go for at the open price. On the way to the other side the
    position is closed, and the whole aim is missing.
    """
    value = float(book.quantity[asset]) * price
    if aim * value <= 0.0:
        if value:
            book.close(hour, asset, price, Reason.SIGNAL)
        return aim
    if abs(aim) > abs(value):
        return aim - value
    book.fill(hour, asset, (aim - value) / price, price, Reason.SIGNAL)
    return 0.0


def enlarge(
    book: Book,
    hour: int,
    increases: Sequence[Increase],
    mark: Float[np.ndarray, " assets"],
    rules: TradingRules,
) -> None:
    """Enlarge positions by what they lack, or by as much as there is money for."""
    positions = book.quantity * mark
    equity = book.cash + positions.sum()
    free = equity - np.abs(positions).sum()
    needed = sum(_outlay(increase.missing, rules) for increase in increases)
    share = min(1.0, max(0.0, float(free) / needed)) if needed else 0.0
    for increase in increases:
        value = share * increase.missing
        if abs(value) <= rules.smallest_order * equity:
            continue
        is_entry = book.quantity[increase.asset] == 0.0
        quantity = value / increase.price
        book.fill(hour, increase.asset, quantity, increase.price, Reason.SIGNAL)
        if is_entry:
            book.guard(increase.asset, increase.stop, increase.target)


def _outlay(missing: float, rules: TradingRules) -> float:
    """Return what a larger position takes from the free equity, costs included.

    A purchase takes its price with slippage and fee. A short sale binds as much equity
    as it is worth, and what it brings in less than that, or pays as a fee, is gone.
    """
    slippage, fee = rules.slippage, rules.fee
    if missing > 0:
        return missing * (1.0 + slippage) * (1.0 + fee)
    return -missing * (1.0 + slippage + fee * (1.0 - slippage))
