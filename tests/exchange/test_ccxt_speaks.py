"""ccxt itself, pointed at the loopback exchange, understands what it is served."""

import time
from collections.abc import Callable

import ccxt
import numpy as np
import pandas as pd
import pytest
import requests

from exchange.server.binance import BinanceSpot
from exchange.server.book import COLUMNS, HOUR_MS, Book
from exchange.server.candles import hours_before, random_market
from exchange.server.clock import ScaledClock
from exchange.server.dialect import Dialect
from exchange.server.exchange import Exchange
from exchange.server.faults import FaultPlan
from exchange.server.http import LoopbackServer
from exchange.server.kraken import KrakenSpot
from exchange.server.okx import OkxSpot

NOW = "2024-03-01T00:20"
HOURS = 2500
HOLE = range(1500, 1540)


@pytest.fixture(scope="module")
def book() -> Book:
    rng = np.random.default_rng(3)
    hours = hours_before(pd.Timestamp(NOW, tz="UTC") + pd.Timedelta("5h"), HOURS)
    return Book(
        {
            "BTCUSDT": random_market("BTCUSDT", hours, rng),
            "ETHUSDT": random_market("ETHUSDT", hours, rng, missing=HOLE),
            "LUNAUSDT": random_market("LUNAUSDT", hours[:800], rng, active=False),
        }
    )


@pytest.fixture
def serve():
    """Start an exchange and return its server; it is stopped after the test."""
    running: list[LoopbackServer] = []

    def start(
        dialect: Dialect,
        *,
        faults: FaultPlan | None = None,
        clock: ScaledClock | None = None,
    ) -> LoopbackServer:
        exchange = Exchange(
            dialect, clock or ScaledClock.starting(NOW), faults or FaultPlan()
        )
        running.append(LoopbackServer(exchange, stall_s=0.4))
        return running[-1]

    yield start
    for server in running:
        server.__exit__()
        assert server.exchange.ledger.errors == []


def binance(server: LoopbackServer) -> ccxt.binance:
    spot = {"fetchMarkets": {"types": ["spot"]}}
    client = ccxt.binance({"enableRateLimit": False, "timeout": 200, "options": spot})
    client.urls["api"]["public"] = f"{server.url}/api/v3"
    return client


def okx(server: LoopbackServer) -> ccxt.okx:
    client = ccxt.okx(
        {"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}}}
    )
    client.urls["api"]["rest"] = server.url
    # The library decides by its own clock which of two paths to ask.
    client.milliseconds = server.exchange.clock.now_ms
    return client


def kraken(server: LoopbackServer) -> ccxt.kraken:
    client = ccxt.kraken({"enableRateLimit": False})
    client.urls["api"]["public"] = server.url
    return client


def page_through(
    client: ccxt.Exchange, symbol: str, since: int, limit: int
) -> tuple[pd.DataFrame, int]:
    """Ask for page after page from ``since`` on, as a client of good faith does."""
    pages: list[list[float]] = []
    count = 0
    while page := client.fetch_ohlcv(symbol, "1h", since, limit):
        pages += page
        count += 1
        since = int(page[-1][0]) + HOUR_MS
    return pd.DataFrame(pages, columns=["stamp", *COLUMNS]), count


def assert_true(found: pd.DataFrame, book: Book, symbol: str, now_ms: int) -> None:
    """All finished candles are the true ones, and one unfinished candle follows."""
    market = book.markets[symbol]
    finished = int((market.open_ms <= now_ms - HOUR_MS).sum())
    np.testing.assert_array_equal(
        found["stamp"].iloc[:finished], market.open_ms[:finished]
    )
    np.testing.assert_array_equal(
        found[COLUMNS].iloc[:finished], market.numbers[:finished]
    )
    rest = found["stamp"].iloc[finished:].tolist()
    assert rest == [s for s in [now_ms - now_ms % HOUR_MS] if s in market.open_ms]


class TestBinance:
    def test_pairs_are_listed_and_dead_ones_are_marked(self, serve, book):
        markets = binance(serve(BinanceSpot(book))).load_markets()

        assert sorted(markets) == ["BTC/USDT", "ETH/USDT", "LUNA/USDT"]
        assert markets["BTC/USDT"]["id"] == "BTCUSDT"
        assert [markets[s]["active"] for s in sorted(markets)] == [True, True, False]

    @pytest.mark.parametrize("symbol", ["BTC/USDT", "ETH/USDT", "LUNA/USDT"])
    def test_the_whole_history_is_paged(self, serve, book, symbol):
        server = serve(BinanceSpot(book))
        name = symbol.replace("/", "")
        market = book.markets[name]
        found, _ = page_through(binance(server), symbol, int(market.open_ms[0]), 1000)

        assert_true(found, book, name, server.exchange.clock.now_ms())

    def test_a_page_jumps_over_a_hole(self, serve, book):
        market = book.markets["ETHUSDT"]
        since = int(market.open_ms[1499]) + HOUR_MS
        page = binance(serve(BinanceSpot(book))).fetch_ohlcv("ETH/USDT", "1h", since, 3)

        assert [row[0] for row in page] == market.open_ms[1500:1503].tolist()
        assert page[0][0] - since == len(HOLE) * HOUR_MS

    def test_start_and_end_are_inclusive_and_no_page_is_longer_than_promised(
        self, serve, book
    ):
        server = serve(BinanceSpot(book))
        stamps = book.markets["BTCUSDT"].open_ms

        def ask(**query: object) -> list[int]:
            query |= {"symbol": "BTCUSDT", "interval": "1h"}
            reply = requests.get(f"{server.url}/api/v3/klines", query, timeout=5)
            return [row[0] for row in reply.json()]

        both = ask(startTime=stamps[10], endTime=stamps[12])
        assert both == stamps[10:13].tolist()
        assert ask(startTime=stamps[0], limit=5000) == stamps[:1000].tolist()
        assert ask(startTime=stamps[0]) == stamps[:500].tolist()
        assert ask(endTime=stamps[600], limit=2) == stamps[599:601].tolist()
        assert len(ask()) == 500
        assert ask()[-1] == pd.Timestamp("2024-03-01", tz="UTC").value // 10**6

    def test_the_unfinished_candle_grows_and_settles_late(self, book):
        late = Book(book.markets, settles_after_s=60)
        stamp = int(book.markets["BTCUSDT"].open_ms[100])

        def volume(minutes: float) -> float:
            now = stamp + int(minutes * 60_000)
            return float(late.rows("BTCUSDT", stamp, stamp, now)[0][1][4])

        true = book.markets["BTCUSDT"].numbers[100, 4]
        assert 0 == volume(0) < volume(20) < volume(59) < volume(60.5) < true
        assert volume(61) == true

    def test_an_unknown_pair_is_refused_in_its_own_words(self, serve, book):
        client = binance(serve(BinanceSpot(book)))
        client.load_markets()
        client.markets["BTC/USDT"]["id"] = "NOPE"
        with pytest.raises(ccxt.BadSymbol, match="Invalid symbol"):
            client.fetch_ohlcv("BTC/USDT", "1h")

    def test_weight_is_told_then_refused_then_banned(self, serve, book):
        server = serve(BinanceSpot(book, weight_per_minute=10))
        server.exchange.dialect.limit.patience = 3
        url = f"{server.url}/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1"
        with requests.Session() as session:
            replies = [session.get(url, timeout=5) for _ in range(12)]

        assert [r.status_code for r in replies] == [200] * 5 + [429] * 4 + [418] * 3
        assert [r.headers["x-mbx-used-weight-1m"] for r in replies[:5]] == [
            *("2", "4", "6", "8", "10")
        ]
        assert 1 <= int(replies[5].headers["Retry-After"]) <= 60
        assert int(replies[-1].headers["Retry-After"]) == 120
        assert [e.status for e in server.exchange.ledger.offences()] == [429, 418]

    def test_whoever_waits_as_told_is_served_again(self, serve, book):
        clock = ScaledClock.starting(NOW, speed=600)
        server = serve(BinanceSpot(book, weight_per_minute=10), clock=clock)
        url = f"{server.url}/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1"
        with requests.Session() as session:
            while (reply := session.get(url, timeout=5)).status_code == 200:
                pass
            clock.sleep(int(reply.headers["Retry-After"]))
            assert session.get(url, timeout=5).status_code == 200


class TestOkx:
    def test_the_whole_history_is_paged_from_two_paths(self, serve, book):
        server = serve(OkxSpot(book))
        client = okx(server)
        market = book.markets["BTCUSDT"]
        found, pages = page_through(client, "BTC/USDT", int(market.open_ms[0]), 300)

        assert sorted(client.markets) == ["BTC/USDT", "ETH/USDT", "LUNA/USDT"]
        assert_true(found, book, "BTCUSDT", server.exchange.clock.now_ms())
        assert pages == 9
        paths = {e.path for e in server.exchange.ledger.entries if e.symbol}
        assert {path.rsplit("/")[-1] for path in paths} == {
            *("candles", "history-candles")
        }

    def test_the_newest_come_first_and_both_ends_are_out(self, serve, book):
        server = serve(OkxSpot(book))
        stamps = book.markets["BTCUSDT"].open_ms
        query = {"instId": "BTC-USDT", "bar": "1H", "limit": 2}
        query |= {"before": stamps[10], "after": stamps[15]}
        url = f"{server.url}/api/v5/market/history-candles"
        rows = requests.get(url, query, timeout=5).json()["data"]

        assert [int(row[0]) for row in rows] == [stamps[14], stamps[13]]
        assert [row[-1] for row in rows] == ["1", "1"]

    def test_haste_is_refused_without_a_time_to_wait(self, serve, book):
        server = serve(OkxSpot(book, share=0.1))
        client = okx(server)
        client.load_markets()

        def hurry() -> None:
            for _ in range(20):
                client.fetch_ohlcv("BTC/USDT", "1h", limit=1)

        with pytest.raises(ccxt.RateLimitExceeded, match="50011"):
            hurry()
        assert server.exchange.ledger.offences()


class TestKraken:
    def test_only_the_last_720_candles_can_be_had(self, serve, book):
        server = serve(KrakenSpot(book))
        client = kraken(server)
        market = book.markets["BTCUSDT"]
        rows = client.fetch_ohlcv("BTC/USDT", "1h", int(market.open_ms[0]))

        now = server.exchange.clock.now_ms()
        seen = market.open_ms[market.open_ms <= now]
        assert [row[0] for row in rows] == seen[-720:].tolist()


class TestFaults:
    """Each fault reaches the client as what it is meant to be."""

    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("drop", ccxt.NetworkError),
            ("reset", ccxt.NetworkError),
            ("cut", ccxt.NetworkError),
            ("stall", ccxt.RequestTimeout),
            ("restart", ccxt.NetworkError),
            ("server_error", ccxt.NetworkError),
            ("storm", ccxt.DDoSProtection),
            ("ban", ccxt.DDoSProtection),
        ],
    )
    def test_it_arrives_as_an_error(self, serve, book, kind, error):
        server = serve(BinanceSpot(book))
        client = binance(server)
        client.load_markets()
        server.exchange.faults = FaultPlan(seed=1, rate=1.0, kinds=(kind,), budget=1)
        with pytest.raises(error):
            client.fetch_ohlcv("BTC/USDT", "1h", limit=500)
        assert server.exchange.ledger.faults() == {kind: 1}

    @pytest.mark.parametrize("kind", ["truncated", "html"])
    def test_a_broken_page_reads_as_an_empty_one(self, serve, book, kind):
        # The library returns no candle and no error: a client must look closer.
        client = binance(
            serve(BinanceSpot(book), faults=FaultPlan(rate=1.0, kinds=(kind,)))
        )
        client.set_markets([_pair()])
        since = int(book.markets["BTCUSDT"].open_ms[0])
        assert client.fetch_ohlcv("BTC/USDT", "1h", since, 500) == []

    @pytest.mark.parametrize(
        ("kind", "is_so"),
        [
            ("partial", lambda seen, true: seen == true[: len(seen)] != true),
            ("empty", lambda seen, true: seen == [] != true),
            ("duplicated", lambda seen, true: sorted({*seen}) == true != seen),
            ("reordered", lambda seen, true: sorted(seen) == true != seen),
            ("muddled", lambda seen, true: sorted(seen) == sorted(true * 2)),
        ],
    )
    def test_it_spoils_the_page(
        self, serve, book, kind, is_so: Callable[[list[int], list[int]], bool]
    ):
        faults = FaultPlan(seed=5, rate=1.0, kinds=(kind,))
        server = serve(BinanceSpot(book), faults=faults)
        stamps = book.markets["BTCUSDT"].open_ms[:50].tolist()
        query = {"symbol": "BTCUSDT", "interval": "1h", "limit": 50}
        query |= {"startTime": stamps[0]}
        page = requests.get(f"{server.url}/api/v3/klines", query, timeout=5).json()

        assert is_so([row[0] for row in page], stamps)

    def test_the_port_is_the_same_after_a_restart(self, serve, book):
        server = serve(BinanceSpot(book))
        before = server.url
        server.restart(0.05)
        client = binance(server)
        deadline = time.monotonic() + 5
        failures = 0
        while time.monotonic() < deadline:
            try:
                client.load_markets()
                break
            except ccxt.NetworkError:
                failures += 1
                time.sleep(0.01)
        assert client.markets
        assert server.url == before

    def test_a_seed_does_the_same_to_each_pair_in_any_order(self):
        def drawn(order: list[str]) -> dict[str, list[object]]:
            plan = FaultPlan(seed=9, rate=0.5, kinds=("drop", "stall"), budget=99)
            found: dict[str, list[object]] = {}
            for symbol in order:
                found.setdefault(symbol, []).append(plan.next(symbol))
            return found

        assert drawn(["A", "B"] * 20) == drawn(["B"] * 20 + ["A"] * 20)
        assert any(drawn(["A"] * 20)["A"])


def _pair() -> dict[str, object]:
    spot = {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT"}
    return spot | {"type": "spot", "spot": True, "inverse": False, "linear": None}
