r"""What signals earn day by day, so that a Sharpe ratio sees days as they were.

A signal in row ``t`` of an asset buys at ``open[t + 1]`` and sells at
``open[t + 1 + H]``. Each of ``A`` assets owns an equal slice of the capital, and each
hour owns ``1/H`` of its asset's slice, since that many trades can be open at once. The
exposure in an asset is thus the share of the last ``H`` hours that signalled, and the
whole capital is at work when every hour of every asset signals.

Convention: simple returns on constant capital. At its entry a trade of weight ``w`` is
worth ``w / (A H)`` of the capital that there was in the beginning; gains are not
reinvested, losses are not made up for. With open prices ``P`` and the round-trip cost
``c``, the trade books

.. math:: \frac{w}{A H} \, \frac{P_{v} - P_{u}}{P_{t+1}}

on the day that holds its hours from ``u`` to ``v``, and ``w c / (2 A H)`` against it at
the entry and again at the exit, on the days of these moments. Over its days a trade
adds up to ``w / (A H)`` times its net return, and so do all days over all trades.

What a trade books is proportional to its weight and independent of all other trades.
A table of days and rows, filled once, therefore serves every configuration: daily
returns are one sparse matrix product.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Int64, Shaped
from scipy import sparse

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.market.window import BARS_PER_DAY


class DayBook(NamedTuple):
    """What each row books on each day if it is signalled with weight one.

    Attributes
    ----------
    days
        Midnights (UTC): every day from the one that holds the entry of the earliest row
        to the one that holds the exit of the latest.
    booked
        Days by rows, fractions of the capital after costs.
    is_tradable
        Rows that have an entry and an exit; the others book nothing.
    """

    days: pd.DatetimeIndex
    booked: sparse.csr_array
    is_tradable: Bool[np.ndarray, " rows"]

    def daily_returns(
        self, weight: Shaped[np.ndarray, "rows configurations"]
    ) -> Float[np.ndarray, "days configurations"]:
        """Return what each configuration earns on each day, after costs.

        Parameters
        ----------
        weight
            Share of the hour's part of the slice that is bought: True or 1 for a
            signal, 0 for none, or anything between. A column per configuration.

        Returns
        -------
        numpy.ndarray
            Fractions of the capital; exactly zero on a day without an open trade.
        """
        shares = weight.astype(np.float64)
        self._check(shares)
        return np.asarray(self.booked @ shares)

    def _check(self, weight: Float[np.ndarray, "rows configurations"]) -> None:
        within = (weight >= 0) & (weight <= 1)
        if not within.all():
            raise ValueError(
                f"A weight is {weight[~within][0]}; it is the share of a slice's part "
                "that is bought, from 0 to 1, and never NaN."
            )
        impossible = (weight > 0).any(axis=1) & ~self.is_tradable
        if impossible.any():
            raise ValueError(
                f"{int(impossible.sum())} rows are signalled that cannot be traded, "
                f"first row {int(np.argmax(impossible))}: entry or exit is missing, "
                "filled or beyond a gap. Keep only rows that have a forward return."
            )


def open_day_book(
    rows: pd.DataFrame,
    candles: Mapping[str, Callable[[], pd.DataFrame]],
    label: Label,
) -> DayBook:
    """Book every row of a forecast as if it were signalled.

    Parameters
    ----------
    rows
        ``timestamp`` and ``asset``, in any order, at least one row. Its assets share
        the capital equally, also while one of them has no row.
    candles
        Reads, for each asset, its clean candles oldest first: ``timestamp``, ``open``,
        ``is_filled`` and ``segment``. A trade never leaves its segment, and neither
        enters nor closes at a filled candle; in between it may pass some.
    """
    if not len(rows):
        raise ValueError("There are no rows to book; give at least one forecast.")
    hour = hours_since_epoch(rows["timestamp"])
    rows_of = rows.groupby("asset").indices
    share = 1.0 / (len(rows_of) * label.horizon_bars)
    first_day = int(hour.min() + 1) // BARS_PER_DAY
    last_day = int(hour.max() + label.last_known_offset_bars) // BARS_PER_DAY
    is_tradable = np.zeros(len(rows), dtype=bool)
    bookings = []
    for asset, places in rows_of.items():
        own = np.asarray(places)
        trades = _trades_of(hour[own], _Prices.of(candles[str(asset)]()), label)
        traded = own[trades.row]
        is_tradable[traded] = True
        for day, trade, amount in trades.bookings(label):
            bookings.append((day - first_day, traded[trade], share * amount))
    of_day, of_row, amounts = map(np.concatenate, zip(*bookings, strict=True))
    days = np.arange(first_day, last_day + 1)
    return DayBook(
        pd.to_datetime(days, unit="D", utc=True).as_unit("us"),
        sparse.csr_array((amounts, (of_day, of_row)), shape=(len(days), len(rows))),
        is_tradable,
    )


class _Prices(NamedTuple):
    """One asset's candles, oldest first; hours count from 1970."""

    hour: Int64[np.ndarray, " bars"]
    open_price: Float[np.ndarray, " bars"]
    segment: Int[np.ndarray, " bars"]
    is_filled: Bool[np.ndarray, " bars"]

    @classmethod
    def of(cls, candles: pd.DataFrame) -> "_Prices":
        return cls(
            hours_since_epoch(candles["timestamp"]),
            candles["open"].to_numpy(dtype=np.float64),
            candles["segment"].to_numpy(),
            candles["is_filled"].to_numpy(dtype=bool),
        )


class _Trades(NamedTuple):
    """Possible trades of one asset: the row that signals, the bar that enters."""

    prices: _Prices
    row: Int64[np.ndarray, " trades"]
    entry_bar: Int64[np.ndarray, " trades"]

    def bookings(
        self, label: Label
    ) -> Iterator[
        tuple[
            Int64[np.ndarray, " bookings"],
            Int64[np.ndarray, " bookings"],
            Float[np.ndarray, " bookings"],
        ]
    ]:
        """Yield day since 1970, trade and amount for trades of size one.

        First what all trades book on their first day, then on their second, and so on.
        A trade that closes at midnight pays there, on a day in which it holds no hour.
        """
        entry = self.prices.hour[self.entry_bar]
        exit_ = entry + label.horizon_bars
        first_day, last_day = entry // BARS_PER_DAY, exit_ // BARS_PER_DAY
        for later in range(1 + -(-label.horizon_bars // BARS_PER_DAY)):
            trade = np.flatnonzero(first_day + later <= last_day)
            day = first_day[trade] + later
            since = np.maximum(entry[trade], day * BARS_PER_DAY)
            until = np.minimum(exit_[trade], (day + 1) * BARS_PER_DAY)
            moments_of_payment = (later == 0) + (day == last_day[trade]).astype(int)
            fees = moments_of_payment * label.round_trip_cost / 2
            yield day, trade, self._gain(trade, since, until) - fees

    def _gain(
        self,
        trade: Int64[np.ndarray, " bookings"],
        since: Int64[np.ndarray, " bookings"],
        until: Int64[np.ndarray, " bookings"],
    ) -> Float[np.ndarray, " bookings"]:
        """Return the change of the price between two hours over the entry price."""
        bar = self.entry_bar[trade]
        # Inside a segment no hour is missing, so hours and bars run in step.
        ahead = bar - self.prices.hour[bar]
        price = self.prices.open_price
        return (price[until + ahead] - price[since + ahead]) / price[bar]


def _trades_of(
    hour: Int64[np.ndarray, " rows"], prices: _Prices, label: Label
) -> _Trades:
    """Find the rows whose own, entry and exit candle lie in one segment."""
    last_bar = len(prices.hour) - 1
    bar = np.minimum(np.searchsorted(prices.hour, hour), last_bar)
    entry, exit_ = bar + 1, bar + label.last_known_offset_bars
    fits = (prices.hour[bar] == hour) & (exit_ <= last_bar)
    row = np.flatnonzero(fits)
    own, entry, exit_ = bar[row], entry[row], exit_[row]
    is_tradable = (
        (prices.segment[own] == prices.segment[exit_])
        & ~prices.is_filled[entry]
        & ~prices.is_filled[exit_]
    )
    return _Trades(prices, row[is_tradable], entry[is_tradable])
