"""A wrong clock costs no candle and invents none, on either side of a border."""

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
from exchange.server.http import LoopbackServer
from exchange.server.okx import RECENT_ROWS, OkxSpot
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

DAYS = RECENT_ROWS // 24 + 1  # a page begins where one path of OKX ends
SPEED = 20


def update(
    dialect: Dialect, folder: Path, moment: str, skew_s: float
) -> tuple[pd.DataFrame, pd.Timestamp]:
    """Return what is stored after an update, and the exchange's time before it."""
    exchange = Exchange(dialect, ScaledClock.starting(moment, SPEED))
    name = "okx" if isinstance(dialect, OkxSpot) else "binance"
    with LoopbackServer(exchange) as server:
        source = ExchangeSource(exchange=name, base_url=server.url, store=folder)
        universe, window = Universe(assets=("BTC",)), Window(days=DAYS)
        client = FleetClient(universe, window, source, seed=1)
        began = pd.Timestamp(exchange.clock.now())
        assert client.update(exchange.clock.moved(skew_s)) == ""
        return client.stored("BTCUSDT"), began


def make_book(moment: str) -> Book:
    """One market, whose candles reach beyond the moment."""
    end = pd.Timestamp(moment, tz="UTC") + pd.Timedelta("9h")
    rng = np.random.default_rng(5)
    hours = hours_before(end, DAYS * 24 + 20)
    return Book({"BTCUSDT": random_market("BTCUSDT", hours, rng)})


@pytest.mark.parametrize("dialect", [BinanceSpot, OkxSpot])
@pytest.mark.parametrize("skew_s", [0, 4000, -4000, 94_000, -94_000])
def test_the_time_of_the_exchange_counts(dialect, skew_s, tmp_path):
    moment = "2024-03-01T00:10"
    book = make_book(moment)
    stored, began = update(dialect(book), tmp_path, moment, skew_s)

    true = book.finished("BTCUSDT", began.value // 10**6).tail(DAYS * 24)
    pd.testing.assert_frame_equal(stored, true.reset_index(drop=True), check_exact=True)


@pytest.mark.parametrize("dialect", [BinanceSpot, OkxSpot])
@pytest.mark.parametrize(
    ("moment", "youngest"),
    [
        ("2024-02-29T23:59:00", "2024-02-29T22:00"),
        ("2024-03-01T00:00:00", "2024-02-29T22:00"),  # just closed: may change yet
        ("2024-03-01T00:00:40", "2024-02-29T23:00"),
        ("2024-01-01T00:01:00", "2023-12-31T23:00"),
        ("2024-05-15T11:59:00", "2024-05-15T10:00"),
    ],
)
def test_a_candle_is_stored_from_a_margin_after_its_close_on(
    dialect, moment, youngest, tmp_path
):
    book = make_book(moment)
    stored, _ = update(dialect(book), tmp_path, moment, skew_s=200)

    assert stored["timestamp"].iloc[-1] == pd.Timestamp(youngest, tz="UTC")
    true = book.finished("BTCUSDT", pd.Timestamp("2025", tz="UTC").value // 10**6)
    true = true.loc[true["timestamp"].isin(stored["timestamp"])]
    pd.testing.assert_frame_equal(stored, true.reset_index(drop=True), check_exact=True)
