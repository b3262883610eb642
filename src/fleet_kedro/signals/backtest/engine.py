r"""Trade decisions as they could have been traded, hour after hour.

In each hour, in this order:

1. **Halt.** An asset that begins a new segment had stopped trading. Whoever held it was
   stuck meanwhile; the position is closed at this open, the first tradable one.
2. **Gap.** A position whose stop lies beyond the open is closed at the open, which is
   worse than the stop. One whose target lies beyond it is closed there as well, which
   is better.
3. **Orders.** At the open, the equity is :math:`E = c + \sum_a q_a p_a` with cash
   ``c``, coins ``q`` and opening marks ``p``. A wanted weight ``w`` is followed where
   :math:`|w - q_a p_a / E|` exceeds the rebalance band, and an exit (``w = 0``) always.
   What makes positions smaller comes first; what makes them larger is then cut by one
   common factor, so that positions and their costs never exceed the equity. An asset
   that was closed in 1. or 2. is not traded again at the same open. An entry whose stop
   or target the open has already passed is not made.
4. **Stop and target**, against the high and low of the rest of the candle, also that of
   the entry. Where both are touched nobody knows which came first: the stop did.
5. **Close.** The equity is marked at the close.

Every fill pays the fee, and is worse than its price by the slippage, at a target too.
Where an asset cannot be traded (a filled candle, or none), it counts with its last
close and nothing is filled; a short halt inside a segment only delays orders and
stops. What is still held after the last hour is sold at its last close: for an asset
that was delisted this is generous, since nobody may want it any more.

With shorts the equity can be lost altogether. Everything is then closed at the next
opens, and nothing is traded any more.
"""

import numpy as np
from jaxtyping import Bool, Float

from fleet_kedro.signals.backtest.book import Book, Reason
from fleet_kedro.signals.backtest.decisions import Decisions, Orders, orders_at_open
from fleet_kedro.signals.backtest.ledger import Ledger
from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.backtest.rebalance import Increase, enlarge, reduce_towards
from fleet_kedro.signals.backtest.rules import TradingRules


def trade(market: Market, decisions: Decisions, rules: TradingRules) -> Ledger:
    """Follow decisions through the market.

    Raises
    ------
    ValueError
        If the decisions do not fit the market or ask for more than there is.
    """
    session = _Session(market, orders_at_open(market, decisions, rules), rules)
    cash = np.empty(len(market.hours))
    quantity = np.empty(market.shape)
    for hour in range(len(market.hours)):
        session.pass_hour(hour)
        cash[hour] = session.book.cash
        quantity[hour] = session.book.quantity
    # The last hour is marked as it was held, and its equity after the final sale.
    value: Float[np.ndarray, "hours assets"] = quantity * market.closing_marks
    equity: Float[np.ndarray, " hours"] = cash + value.sum(axis=1)
    session.sell_all()
    whole = np.where(equity > 0, equity, np.inf)[:, np.newaxis]
    exposure = value / whole
    equity[-1] = session.book.cash
    return Ledger(
        market.hours,
        market.assets,
        rules.capital,
        equity,
        exposure,
        tuple(session.book.fills),
    )


class _Session:
    """One strategy in one market; everything is laid out per hour beforehand."""

    def __init__(self, market: Market, orders: Orders, rules: TradingRules) -> None:
        self.book = Book(len(market.assets), rules)
        self._rules = rules
        self._orders = orders
        self._market = market
        self._mark = market.opening_marks
        self._last_mark = market.closing_marks[-1]
        # No comparison with these is ever true where an asset cannot be traded.
        can = market.is_tradable
        self._open = np.where(can, market.open, np.nan)
        self._low = np.where(can, market.low, np.inf)
        self._high = np.where(can, market.high, -np.inf)
        self._has_order = np.isfinite(orders.weight).any(axis=1)
        self._is_late = _is_late(orders, market.open)
        self._has_late_order = np.asarray(self._is_late.any(axis=1))
        self._has_start = np.asarray(market.is_start.any(axis=1))
        self._is_ruined = False

    def pass_hour(self, hour: int) -> None:
        """Let one candle pass."""
        closed = None
        if self.book.n_open:
            if self._rules.levels_follow:
                self._move_levels(hour)
            if self._has_start[hour] or self._touched(hour).any():
                closed = self._close_at_open(hour)
        if self._rules.allow_short:
            self._check_ruin(hour)
        if self._has_order[hour] and not self._is_ruined:
            self._follow_orders(hour, closed)
        if self.book.n_open:
            self._close_in_candle(hour)

    def sell_all(self) -> None:
        """Leave every position after the last hour, at its last close."""
        for asset in np.flatnonzero(self.book.quantity):
            price = float(self._last_mark[asset])
            self.book.close(len(self._mark) - 1, int(asset), price, Reason.END)

    def _move_levels(self, hour: int) -> None:
        stop, target = self._orders.new_stop[hour], self._orders.new_target[hour]
        for asset in np.flatnonzero(self.book.quantity):
            self.book.guard(int(asset), float(stop[asset]), float(target[asset]))

    def _touched(self, hour: int) -> Bool[np.ndarray, " assets"]:
        """Where the candle reaches a level; an open beyond one is in its range."""
        return (self._low[hour] <= self.book.floor) | (
            self._high[hour] >= self.book.ceiling
        )

    def _close_at_open(self, hour: int) -> Bool[np.ndarray, " assets"]:
        """Close after a halt, and where the open lies beyond a level."""
        book, price = self.book, self._open[hour]
        is_held = book.quantity != 0.0
        is_halt = is_held & self._market.is_start[hour]
        is_below, is_above = price <= book.floor, price >= book.ceiling
        is_gap = np.where(book.quantity > 0, is_below, is_above) & is_held
        is_target = np.where(book.quantity > 0, is_above, is_below) & is_held
        closed = is_halt | is_gap | is_target
        for asset in np.flatnonzero(closed):
            reason = Reason.GAP if is_gap[asset] else Reason.TARGET
            reason = Reason.HALT if is_halt[asset] else reason
            book.close(hour, int(asset), float(price[asset]), reason)
        return closed

    def _close_in_candle(self, hour: int) -> None:
        """Close where the rest of the candle reaches a level, the stop first."""
        book = self.book
        for asset in np.flatnonzero(self._touched(hour)):
            floor, ceiling = float(book.floor[asset]), float(book.ceiling[asset])
            is_long = book.quantity[asset] > 0
            at_floor = self._low[hour, asset] <= floor
            at_ceiling = self._high[hour, asset] >= ceiling
            if at_floor and (is_long or not at_ceiling):
                reason = Reason.STOP if is_long else Reason.TARGET
                book.close(hour, int(asset), floor, reason)
            else:
                reason = Reason.TARGET if is_long else Reason.STOP
                book.close(hour, int(asset), ceiling, reason)

    def _check_ruin(self, hour: int) -> None:
        book = self.book
        equity = book.cash + book.quantity @ self._mark[hour]
        self._is_ruined = self._is_ruined or equity <= 0.0
        if self._is_ruined:
            can_leave = (book.quantity != 0.0) & self._market.is_tradable[hour]
            for asset in np.flatnonzero(can_leave):
                price = float(self._open[hour, asset])
                book.close(hour, int(asset), price, Reason.RUIN)

    def _follow_orders(
        self, hour: int, closed: Bool[np.ndarray, " assets"] | None
    ) -> None:
        book, mark = self.book, self._mark[hour]
        wanted = self._wanted(hour, closed)
        value = book.quantity * mark
        equity = book.cash + value.sum()
        is_off = np.abs(wanted - value / equity) > self._rules.least_change
        is_off |= (wanted == 0.0) & (value != 0.0)
        if not is_off.any():
            return
        stop, target = self._orders.stop[hour], self._orders.target[hour]
        increases = []
        for asset in map(int, np.flatnonzero(is_off)):
            price, aim = float(mark[asset]), float(wanted[asset] * equity)
            missing = reduce_towards(book, hour, asset, price, aim)
            levels = float(stop[asset]), float(target[asset])
            if missing:
                increases.append(Increase(asset, missing, price, *levels))
        enlarge(book, hour, increases, mark, self._rules)

    def _wanted(
        self, hour: int, closed: Bool[np.ndarray, " assets"] | None
    ) -> Float[np.ndarray, " assets"]:
        """Return the weights to go for: those ordered, less what must not be done."""
        book, weight = self.book, self._orders.weight[hour]
        if closed is not None:
            weight = np.where(closed, np.nan, weight)
        if book.resting.any():
            side = book.resting * weight
            book.resting[side <= 0.0] = 0.0
            weight = np.where(side > 0.0, np.nan, weight)
        if self._has_late_order[hour]:
            is_entry = np.sign(weight) * np.sign(book.quantity) <= 0.0
            weight = np.where(self._is_late[hour] & is_entry, 0.0, weight)
        return weight


def _is_late(
    orders: Orders, price: Float[np.ndarray, "hours assets"]
) -> Bool[np.ndarray, "hours assets"]:
    """Where the open has already passed the stop or the target of an order."""
    stop, target = orders.stop, orders.target
    is_long = (orders.weight > 0) & ((price <= stop) | (price >= target))
    is_short = (orders.weight < 0) & ((price >= stop) | (price <= target))
    return is_long | is_short
