"""Fetches the missing hours of one symbol, and believes no hole at once.

Pages are asked for from the first missing hour on. Whatever a page holds is stored
before the next one is asked for, so a crash costs the page in flight. What is still
missing after one pass is asked for once more. Hours that an older and a younger candle
enclose, or that come before the first of all, and stayed missing, are recorded as holes
of the exchange; hours after the youngest candle are merely not there yet.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from fleet_kedro.market.exchange.client import Client, Rows
from fleet_kedro.market.exchange.hours import Hours, hours_of
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.exchange.store import COLUMNS, Appended, CandleStore
from fleet_kedro.market.schema import TIMESTAMP_DTYPE

PASSES = 2

OnPage = Callable[[int], None]
"""Told how many of the missing hours a page has settled."""


class Errand(NamedTuple):
    """A symbol in the store, its market at the exchange, and the span that is wanted.

    ``first`` and ``last`` are hours; the candle of ``last`` is finished.
    """

    symbol: str
    market: str
    first: int
    last: int


class Fetched(NamedTuple):
    """New candles, revisions, and hours that the exchange said it has no candle of."""

    new: int
    revised: int
    holes: int


def missing_hours(
    store: CandleStore, symbol: str, first: int, last: int, confirmations: int
) -> Hours:
    """Return the hours of a span without candle that are no confirmed gap."""
    gaps = store.gaps(symbol)
    closed = [hour for hour, count in gaps.items() if count >= confirmations]
    known = np.append(store.hours(symbol, first, last), np.array(closed, np.int64))
    return np.setdiff1d(np.arange(first, last + 1, dtype=np.int64), known)


def fill(
    client: Client,
    store: CandleStore,
    errand: Errand,
    source: ExchangeSource,
    on_page: OnPage,
) -> Fetched:
    """Fetch and store what is missing of an errand.

    Raises
    ------
    MarketError
        If the exchange does not answer; what came before is stored.
    """
    missing = missing_hours(
        store, errand.symbol, errand.first, errand.last, source.gap_confirmations
    )
    if len(missing) == 0:
        return Fetched(0, 0, 0)
    new = revised = 0
    unsettled = missing
    unseen = _overlap(store, errand, missing, source)
    pending = np.union1d(missing, unseen)
    for _ in range(PASSES):
        for page_end, received, part in _walk(client, store, errand, pending):
            new, revised = new + part.new, revised + part.revised
            on_page(int((unsettled <= page_end).sum()))
            unsettled = unsettled[unsettled > page_end]
            unseen = np.setdiff1d(unseen, received)
        still_missing = _still_missing(store, errand, missing)
        # A stored candle that a short page has left out is looked at again, too: by
        # the next update it may be older than the overlap, and a revision be missed.
        pending = np.union1d(still_missing, unseen)
    return Fetched(new, revised, _record_holes(store, errand, still_missing))


def read_page(rows: Rows, first: int, last: int) -> pd.DataFrame:
    """Turn an answer into candles of a span of hours, oldest first.

    A row that lacks a number is not received; one that is told twice is kept twice.
    """
    sound = [row for row in rows if len(row) == len(COLUMNS) and None not in row]
    numbers = np.array(sound, dtype=np.float64).reshape(-1, len(COLUMNS))
    numbers = numbers[np.isfinite(numbers).all(axis=1)]
    stamps = pd.to_datetime(numbers[:, 0].astype(np.int64), unit="ms", utc=True)
    page = pd.DataFrame(numbers, columns=COLUMNS).assign(
        timestamp=stamps.astype(TIMESTAMP_DTYPE)
    )
    hour = numbers[:, 0] // 3_600_000
    inside = page.loc[(hour >= first) & (hour <= last)]
    return inside.sort_values("timestamp", kind="stable", ignore_index=True)


def _walk(
    client: Client, store: CandleStore, errand: Errand, pending: Hours
) -> Iterator[tuple[int, Hours, Appended]]:
    """Ask for every pending hour once, in pages as long as the exchange allows.

    Yields the hour up to which a page has settled what was pending, the hours that it
    has told, and what came of it. Some exchanges skip to the next candle they have, so
    a page may reach beyond what was asked for; an empty one settles the hours that were
    asked for.
    """
    while len(pending):
        start = int(pending[0])
        asked = pending[pending < start + client.page_limit]
        rows = client.candles(errand.market, start, int(asked[-1]) - start + 1)
        page = read_page(rows, errand.first, errand.last)
        appended = store.append(errand.symbol, page)
        received = hours_of(page["timestamp"])
        end = max(start, int(received[-1]) if len(received) else int(asked[-1]))
        yield end, received, appended
        pending = pending[pending > end]


def _overlap(
    store: CandleStore, errand: Errand, missing: Hours, source: ExchangeSource
) -> Hours:
    """Return the youngest stored hours, if younger ones are about to be fetched."""
    stored = store.hours(errand.symbol, errand.first, errand.last)
    if len(stored) == 0 or missing[-1] < stored[-1] or source.overlap_candles == 0:
        return np.empty(0, np.int64)
    return stored[-source.overlap_candles :]


def _still_missing(store: CandleStore, errand: Errand, missing: Hours) -> Hours:
    stored = store.hours(errand.symbol, errand.first, errand.last)
    return np.setdiff1d(missing, stored)


def _record_holes(store: CandleStore, errand: Errand, missing: Hours) -> int:
    """Count one confirmation more for each hole that is not merely the open end."""
    last = store.last_open_time(errand.symbol)
    if last is None:
        return 0
    youngest = hours_of(pd.DatetimeIndex([last]))
    holes = missing[missing < youngest[-1]] if len(youngest) else missing[:0]
    gaps = store.gaps(errand.symbol)
    confirmed = gaps | {int(hour): gaps.get(int(hour), 0) + 1 for hour in holes}
    stored = set(store.hours(errand.symbol, errand.first, errand.last).tolist())
    store.write_gaps(
        errand.symbol, {h: n for h, n in confirmed.items() if h not in stored}
    )
    return len(holes)
