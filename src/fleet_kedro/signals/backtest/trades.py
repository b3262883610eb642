"""Fills paired into trades: from the first coin in to the last coin out."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from fleet_kedro.market.schema import BAR
from fleet_kedro.signals.backtest.book import Fill, Reason
from fleet_kedro.signals.backtest.ledger import Ledger

COLUMNS = [
    *("asset", "side", "entry_time", "entry_price", "exit_time", "exit_price"),
    *("reason", "quantity", "fees", "pnl", "trade_return"),
]


def trades_of(ledger: Ledger) -> pd.DataFrame:
    """Pair the fills of each asset, in the order in which trades ended.

    Returns
    -------
    pandas.DataFrame
        A row per trade: ``side`` is long or short; times are the open times of the
        candles in which it was entered and left (the close for the final sale), prices
        the means over all fills in and out, slippage included; ``quantity`` is what was
        taken in over its life, ``fees`` all its fees; ``pnl`` what it earned after
        fees, all in quote currency; ``trade_return`` is the pnl over what the coins
        taken in were worth; ``reason`` why it ended.
    """
    by_asset = sorted(ledger.fills, key=lambda fill: fill.asset)
    rows = [
        (fills[-1].hour, _trade(fills, ledger))
        for _, own in groupby(by_asset, key=lambda fill: fill.asset)
        for fills in _round_trips(own)
    ]
    rows.sort(key=lambda ended: ended[0])
    return pd.DataFrame([row for _, row in rows], columns=COLUMNS).astype(_DTYPES)


def _round_trips(own: Iterator[Fill]) -> Iterator[list[Fill]]:
    """Cut one asset's fills where nothing is held any more."""
    held, fills = 0.0, []
    for fill in own:
        held += fill.quantity
        fills.append(fill)
        # A position that is left is left exactly, as the book does it.
        if held == 0.0:
            yield fills
            held, fills = 0.0, []


def _trade(fills: Sequence[Fill], ledger: Ledger) -> dict[str, object]:
    side = np.sign(fills[0].quantity)
    inward = [fill for fill in fills if fill.quantity * side > 0]
    outward = [fill for fill in fills if fill.quantity * side < 0]
    fees = sum(fill.fee for fill in fills)
    gain = -sum(fill.quantity * fill.price for fill in fills)
    paid_in = sum(abs(fill.quantity) * fill.price for fill in inward)
    last = fills[-1]
    at_close = BAR if last.reason is Reason.END else pd.Timedelta(0)
    return {
        "asset": ledger.assets[last.asset],
        "side": "long" if side > 0 else "short",
        "entry_time": ledger.hours[fills[0].hour],
        "entry_price": _mean_price(inward),
        "exit_time": ledger.hours[last.hour] + at_close,
        "exit_price": _mean_price(outward),
        "reason": last.reason.word,
        "quantity": sum(abs(fill.quantity) for fill in inward),
        "fees": fees,
        "pnl": gain - fees,
        "trade_return": (gain - fees) / paid_in,
    }


def _mean_price(fills: Sequence[Fill]) -> float:
    coins = sum(abs(fill.quantity) for fill in fills)
    return sum(abs(fill.quantity) * fill.price for fill in fills) / coins


_MOMENT = "datetime64[us, UTC]"
_DTYPES = {
    **dict.fromkeys(("asset", "side", "reason"), "str"),
    **dict.fromkeys(("entry_time", "exit_time"), _MOMENT),
    **dict.fromkeys(
        ("entry_price", "exit_price", "quantity", "fees", "pnl", "trade_return"),
        "float64",
    ),
}
