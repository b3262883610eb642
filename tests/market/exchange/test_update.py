"""Updates from an exchange that behaves: what is asked, what is kept, who fails."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exchange.server.binance import BinanceSpot
from exchange.server.book import Book
from exchange.server.candles import random_market
from exchange.server.clock import ScaledClock
from exchange.server.exchange import Exchange
from exchange.server.http import LoopbackServer
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.load import load_market
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue
from fleet_kedro.market.exchange.store import CandleStore
from fleet_kedro.market.exchange.update import UpdateReport, update_store
from fleet_kedro.market.schema import Dominance, RawCandles
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

NOW = pd.Timestamp("2024-03-01T00:20", tz="UTC")
DAYS = 40
HOURS = pd.date_range(
    end=NOW.floor("h") + pd.Timedelta(days=3), periods=70 * 24, freq="h"
)
NOW_AT = int(HOURS.get_loc(NOW.floor("h")))
HOLE = range(NOW_AT - 100, NOW_AT - 90)
CANDLES = DAYS * 24


class Desk:
    """An exchange, a store, and what both say after an update."""

    def __init__(self, book: Book, folder: Path) -> None:
        self.book = book
        clock = ScaledClock.starting(f"{NOW:%Y-%m-%dT%H:%M}")
        self.exchange = Exchange(BinanceSpot(book), clock)
        self.server = LoopbackServer(self.exchange)
        self.folder = folder
        self.source = ExchangeSource(
            base_url=self.server.url, store=folder, max_attempts=2, backoff_seconds=0.01
        )

    def update(self, universe: Universe, **changes: object) -> UpdateReport:
        source = self.source.model_copy(update=changes)
        return update_store(
            universe, Window(days=DAYS), source, clock=Clock(self.exchange.clock.now)
        )

    def asked(self) -> list[str]:
        """Return the pairs that candles were asked of since the last call."""
        pairs = [entry.symbol for entry in self.exchange.ledger.entries]
        self.exchange.ledger.entries.clear()
        return sorted(filter(None, pairs))

    def go_on(self, hours: int) -> None:
        self.exchange.clock = self.exchange.clock.moved(3600 * hours)

    def stored(self, symbol: str) -> pd.DataFrame:
        return CandleStore(self.folder).read(symbol)

    def truth(self, symbol: str) -> pd.DataFrame:
        candles = self.book.finished(symbol, self.exchange.clock.now_ms())
        first = NOW.floor("h") - pd.Timedelta(days=DAYS)
        return candles.loc[candles["timestamp"] >= first].reset_index(drop=True)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    rng = np.random.default_rng(3)
    made = Desk(
        Book(
            {
                "BTCUSDT": random_market("BTCUSDT", HOURS, rng),
                "ETHUSDT": random_market("ETHUSDT", HOURS, rng, missing=HOLE),
                "XMRUSDC": random_market("XMRUSDC", HOURS, rng),
                "OLDUSDT": random_market("OLDUSDT", HOURS[: NOW_AT - 200], rng),
                "NEWUSDT": random_market("NEWUSDT", HOURS[NOW_AT - 180 :], rng),
            }
        ),
        tmp_path / "store",
    )
    with made.server:
        yield made


def fleet(*assets: str, **lineage: object) -> Universe:
    return Universe(assets=assets, lineage=lineage)


class TestUpdate:
    def test_the_first_update_fills_the_window(self, desk):
        report = desk.update(fleet("BTC"))

        assert report.new_candles == {"BTC": CANDLES}
        assert report.last == NOW.floor("h") - pd.Timedelta(hours=1)
        assert report.failed == {}
        pd.testing.assert_frame_equal(desk.stored("BTCUSDT"), desk.truth("BTCUSDT"))

    def test_the_next_one_asks_once_for_what_is_new(self, desk):
        desk.update(fleet("BTC"))
        desk.asked()
        desk.go_on(2)

        report = desk.update(fleet("BTC"))

        assert report.new_candles == {"BTC": 2}
        assert desk.asked() == ["BTCUSDT"]
        pd.testing.assert_frame_equal(desk.stored("BTCUSDT"), desk.truth("BTCUSDT"))

    def test_within_the_hour_no_candles_are_asked_for(self, desk):
        desk.update(fleet("BTC"))
        desk.asked()
        desk.update(fleet("BTC"))
        assert desk.asked() == []

    def test_a_window_that_is_there_asks_nobody(self, desk):
        desk.update(fleet("BTC"))
        desk.server.__exit__()
        window = Window(days=DAYS - 1, end="2024-02-29T20:00")

        report = update_store(fleet("BTC"), window, desk.source)

        assert report.venues["BTC"].exchange == "binance"
        assert report.last is None

    def test_a_hole_is_doubted_in_two_updates_and_then_believed(self, desk):
        reports = []
        for _ in range(3):
            reports.append(desk.update(fleet("ETH")))
            desk.go_on(1)

        assert [report.holes for report in reports] == [10, 10, 0]
        desk.asked()
        desk.update(fleet("ETH"))
        assert desk.asked() == ["ETHUSDT"]  # only the new hour
        pd.testing.assert_frame_equal(desk.stored("ETHUSDT"), desk.truth("ETHUSDT"))

    def test_a_hole_that_is_closed_in_time_is_filled(self, desk):
        desk.update(fleet("ETH"))
        whole = random_market("ETHUSDT", HOURS, np.random.default_rng(9))
        holed = desk.book.markets["ETHUSDT"]
        is_known = np.isin(whole.open_ms, holed.open_ms)
        whole.numbers[is_known] = holed.numbers
        desk.book.markets["ETHUSDT"] = whole

        assert desk.update(fleet("ETH")).new_candles == {"ETH": len(HOLE)}
        pd.testing.assert_frame_equal(desk.stored("ETHUSDT"), desk.truth("ETHUSDT"))

    def test_a_changed_candle_is_noticed_where_updates_overlap(self, desk):
        desk.update(fleet("BTC"))
        desk.book.markets["BTCUSDT"].numbers[NOW_AT - 2, 3] *= 1.0001
        desk.go_on(1)

        report = desk.update(fleet("BTC"))

        assert report.revisions == 1
        (entry,) = CandleStore(desk.folder).revisions.read()
        assert entry["timestamp"] == "2024-02-29T22:00:00+00:00"

    def test_progress_adds_up_to_all_that_was_missing(self, desk):
        told: list[tuple[str, int, int]] = []
        update_store(
            fleet("BTC", "ETH"),
            Window(days=DAYS),
            desk.source,
            clock=Clock(desk.exchange.clock.now),
            on_progress=lambda *news: told.append(news),
        )

        assert sum(settled for _, settled, _ in told) == 2 * CANDLES
        assert {total for _, _, total in told} == {2 * CANDLES}


RENAMED = {
    "OLD": {
        "listings": (
            {"symbol": "OLDUSDT", "until": "2024-02-22T00:00"},
            {"symbol": "NEWUSDT", "since": "2024-02-23T00:00", "ratio": 10.0},
        )
    }
}


class TestHistories:
    def load(self, desk: Desk, universe: Universe, **changes: object):
        source = desk.source.model_copy(update=changes)
        clock = Clock(desk.exchange.clock.now)
        return load_market(universe, Window(days=DAYS), source, clock=clock)

    def test_a_renamed_coin_is_one_series_in_one_unit(self, desk):
        raw = self.load(desk, fleet("OLD", **RENAMED))

        candles = raw.candles["OLD"]
        RawCandles.validate(candles)
        assert Dominance.validate(raw.dominance).empty
        last = candles.iloc[-1]
        listed = desk.stored("NEWUSDT").iloc[-1]
        assert (last["symbol"], last["timestamp"]) == ("NEWUSDT", listed["timestamp"])
        assert last["close"] == 10 * listed["close"]
        assert candles["symbol"].unique().tolist() == ["OLDUSDT", "NEWUSDT"]

    def test_what_an_exchange_no_longer_lists_stays_in_the_store(self, desk):
        before = self.load(desk, fleet("OLD", **RENAMED)).candles["OLD"]
        del desk.book.markets["OLDUSDT"]

        after = self.load(desk, fleet("OLD", **RENAMED)).candles["OLD"]

        pd.testing.assert_frame_equal(after, before)

    def test_a_fallback_quote_serves_whom_the_exchange_lists_otherwise(self, desk):
        usdc = Venue(exchange="binance", quote="USDC", base_url=desk.server.url)
        fallbacks = {"fallbacks": (usdc,)}
        first = self.load(desk, fleet("BTC", "XMR"), **fallbacks).candles
        assert set(first["BTC"]["symbol"]) == {"BTCUSDT"}
        assert set(first["XMR"]["symbol"]) == {"XMRUSDC"}

        # A series is never continued from elsewhere, even if that appears later.
        desk.book.markets["XMRUSDT"] = desk.book.markets["XMRUSDC"]
        second = self.load(desk, fleet("BTC", "XMR"), **fallbacks).candles
        assert set(second["XMR"]["symbol"]) == {"XMRUSDC"}


class TestFailures:
    def test_one_asset_fails_in_a_sentence_and_the_rest_goes_on(self, desk, caplog):
        report = desk.update(fleet("BTC", "SOL"))

        assert report.new_candles["BTC"] == CANDLES
        assert list(report.failed) == ["SOL"]
        assert report.failed["SOL"] == (
            "SOL is not listed as SOLUSDT by binance (USDT); correct its lineage, give "
            "a fallback that lists it, or leave it out."
        )
        assert report.failed["SOL"] in caplog.messages

    def test_without_a_single_asset_it_is_an_error(self, desk):
        with pytest.raises(MarketError, match="SOL is not listed as SOLUSDT"):
            desk.update(fleet("SOL"))

    def test_a_dead_exchange_keeps_what_is_stored(self, desk):
        desk.update(fleet("BTC"))
        desk.server.__exit__()

        with pytest.raises(
            MarketError, match=r"BTC is not up to date: binance did not"
        ):
            desk.update(fleet("BTC"))
        assert len(desk.stored("BTCUSDT")) == CANDLES

    def test_an_interruption_keeps_the_pages_before_it(self, desk):
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            update_store(
                fleet("BTC"),
                Window(days=DAYS),
                desk.source.model_copy(update={"page_limit": 300}),
                clock=Clock(desk.exchange.clock.now),
                on_progress=interrupt,
            )

        kept = desk.stored("BTCUSDT")
        assert len(kept) == 300
        pd.testing.assert_frame_equal(kept, desk.truth("BTCUSDT").iloc[:300])
        assert desk.update(fleet("BTC")).new_candles == {"BTC": CANDLES - 300}
