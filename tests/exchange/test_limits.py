"""The client keeps the exchanges' limits, which are those that they document.

The clocks run just a little faster than the wall's, so that a client without manners
would exceed each limit many times over: one test shows that it would.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exchange.fleet_client import FleetClient
from exchange.server.binance import BinanceSpot
from exchange.server.book import Book
from exchange.server.candles import hours_before, random_market
from exchange.server.clock import ScaledClock
from exchange.server.dialect import Dialect
from exchange.server.exchange import Exchange
from exchange.server.faults import FaultPlan
from exchange.server.http import LoopbackServer
from exchange.server.limits import MINUTE_MS, SECOND_MS
from exchange.server.okx import OkxSpot
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

NOW = "2024-03-01T00:20:50"
ASSETS = ("BTC", "ETH", "SOL", "BNB")
DAYS = 70


@pytest.fixture(scope="module")
def book() -> Book:
    rng = np.random.default_rng(4)
    hours = hours_before(pd.Timestamp(NOW, tz="UTC"), (DAYS + 2) * 24)
    symbols = [f"{asset}USDT" for asset in ASSETS]
    return Book({symbol: random_market(symbol, hours, rng) for symbol in symbols})


def fetch(
    dialect: Dialect,
    folder: Path,
    *,
    speed: float,
    faults: FaultPlan | None = None,
    **settings: object,
) -> Exchange:
    """Fill an empty store and return what the exchange has seen of it."""
    clock = ScaledClock.starting(NOW, speed)
    exchange = Exchange(dialect, clock, faults or FaultPlan())
    name = "okx" if isinstance(dialect, OkxSpot) else "binance"
    with LoopbackServer(exchange) as server:
        source = ExchangeSource(
            exchange=name, base_url=server.url, store=folder, **settings
        )
        universe = Universe(assets=ASSETS)
        told = FleetClient(universe, Window(days=DAYS), source, seed=3).update(clock)
    assert told == ""
    assert exchange.ledger.errors == []
    return exchange


def busiest(exchange: Exchange, window_ms: int, cost: int) -> int:
    """Return the most that was asked for in one window, in the exchange's weights."""
    pages = [entry for entry in exchange.ledger.entries if entry.symbol]
    return cost * max(Counter(e.at_ms // window_ms for e in pages).values())


def test_okx_is_asked_at_most_twenty_times_in_two_seconds(book, tmp_path):
    exchange = fetch(OkxSpot(book), tmp_path, speed=3)

    assert exchange.ledger.offences() == []
    assert busiest(exchange, 2 * SECOND_MS, 1) <= 20


def test_a_client_in_haste_would_be_refused(book, tmp_path):
    # The proof that the test above can fail: the same, at ten times the pace.
    exchange = fetch(OkxSpot(book, share=0.1), tmp_path, speed=3)

    assert exchange.ledger.offences()


def test_a_pace_of_ones_own_is_kept(book, tmp_path):
    exchange = fetch(
        *(BinanceSpot(book), tmp_path),
        speed=25,
        page_limit=100,
        max_requests_per_second=1,
    )

    asked = [entry.at_ms for entry in exchange.ledger.entries]
    assert len(asked) > 60
    # Requests are spaced; a machine under load may only make the spaces longer.
    assert asked[-1] - asked[0] >= 0.98 * SECOND_MS * (len(asked) - 1)
    assert exchange.ledger.offences() == []


def test_a_smaller_allowance_is_learnt_from_the_exchange(book, tmp_path):
    dialect = BinanceSpot(book, weight_per_minute=100)
    exchange = fetch(dialect, tmp_path, speed=40, page_limit=100)

    minutes = {entry.at_ms // MINUTE_MS for entry in exchange.ledger.entries}
    assert exchange.ledger.offences() == []
    assert busiest(exchange, MINUTE_MS, 2) <= 100
    assert len(minutes) >= 2


@pytest.mark.parametrize("kind", ["storm", "ban"])
def test_nobody_asks_while_told_to_wait(book, tmp_path, kind):
    faults = FaultPlan(seed=6, rate=0.3, kinds=(kind,), budget=1)
    parallel = 3
    exchange = fetch(
        *(BinanceSpot(book), tmp_path),
        speed=200,
        faults=faults,
        parallel_assets=parallel,
    )

    refused = [e for e in exchange.ledger.entries if e.status in {418, 429}]
    assert exchange.ledger.faults()[kind] >= 1
    assert exchange.ledger.offences() == []
    # Whoever was under way when the door closed is refused too, and nobody else.
    assert len(refused) <= 2 * parallel
