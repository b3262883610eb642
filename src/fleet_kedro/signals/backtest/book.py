"""The account: cash, coins, the levels that guard them, and every fill."""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from fleet_kedro.signals.backtest.rules import TradingRules


class Reason(IntEnum):
    """Why something was bought or sold."""

    SIGNAL = 0
    """A decision asked for it."""
    STOP = 1
    """The candle reached the stop."""
    TARGET = 2
    """The candle reached the target, or opened beyond it."""
    GAP = 3
    """The candle opened beyond the stop."""
    HALT = 4
    """The asset had stopped trading; this is the first open after it."""
    RUIN = 5
    """The equity was gone."""
    END = 6
    """There are no more candles."""

    @property
    def word(self) -> str:
        """Return its name, as tables write it."""
        return self.name.lower()


class Fill(NamedTuple):
    """Coins that changed hands.

    ``quantity`` is negative for a sale; ``price`` has the slippage in it; ``fee`` is in
    quote currency.
    """

    hour: int
    asset: int
    quantity: float
    price: float
    fee: float
    reason: Reason


class Book:
    """Cash and positions, changed by fills alone.

    A long position is left at or below ``floor`` with a loss and at or above
    ``ceiling`` with a gain; a short one the other way round. Without a level these are
    infinite, as they are without a position.
    """

    def __init__(self, n_assets: int, rules: TradingRules) -> None:
        self.cash = rules.capital
        self.quantity = np.zeros(n_assets)
        self.floor = np.full(n_assets, -np.inf)
        self.ceiling = np.full(n_assets, np.inf)
        # Side of the position that a stop or a target closed, until a weight is wanted
        # that is not on this side.
        self.resting = np.zeros(n_assets)
        self.fills: list[Fill] = []
        self.n_open = 0
        self._rules = rules

    def fill(
        self, hour: int, asset: int, quantity: float, price: float, reason: Reason
    ) -> None:
        """Buy, or sell with a negative quantity, at a price of the candle.

        The price is made worse by the slippage, and the fee is paid on top.
        """
        was_open = self.quantity[asset] != 0.0
        slippage = self._rules.slippage
        paid = price * (1.0 + slippage if quantity > 0 else 1.0 - slippage)
        fee = self._rules.fee * abs(quantity) * paid
        self.cash -= quantity * paid + fee
        self.quantity[asset] += quantity
        self.n_open += int(self.quantity[asset] != 0.0) - int(was_open)
        self.fills.append(Fill(hour, asset, quantity, paid, fee, reason))

    def close(self, hour: int, asset: int, price: float, reason: Reason) -> None:
        """Leave a position altogether."""
        held = float(self.quantity[asset])
        # x − x is exactly zero, so nothing is left over.
        self.fill(hour, asset, -held, price, reason)
        self.floor[asset], self.ceiling[asset] = -np.inf, np.inf
        if self._rules.rests_after_exit and reason in _LEVELS:
            self.resting[asset] = np.sign(held)

    def guard(self, asset: int, stop: float, target: float) -> None:
        """Set the known levels of an open position; an unknown one stays as it is."""
        low, high = (stop, target) if self.quantity[asset] > 0 else (target, stop)
        if not math.isnan(low):
            self.floor[asset] = low
        if not math.isnan(high):
            self.ceiling[asset] = high


_LEVELS = (Reason.STOP, Reason.TARGET, Reason.GAP)
