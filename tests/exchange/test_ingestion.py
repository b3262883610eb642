"""The ingestion, run as a user runs it, on candles of the loopback exchange."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exchange.fleet_client import FleetClient
from exchange.server.binance import BinanceSpot
from exchange.server.book import COLUMNS, Book
from exchange.server.candles import random_market
from exchange.server.clock import ScaledClock
from exchange.server.exchange import Exchange
from exchange.server.faults import BODY, DOOR, WIRE, FaultPlan
from exchange.server.http import LoopbackServer
from exchange.server.kraken import KrakenSpot
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window
from pipelines.conftest import Project

INGEST = ("run", "--pipelines", "ingestion", "--env", "exchange")
DAYS, WARMUP_DAYS, LATER_HOURS = 60, 5, 7
NOW = pd.Timestamp("2024-03-01T00:10", tz="UTC")
KEY, SECRET = "MARKED-KEY-7f3a9", "MARKED-SECRET-c41d0"
KEYS = {"key_variable": "A_KEY", "secret_variable": "A_SECRET"}
SETTINGS = """
market:
  source:
    kind: exchange
    exchange: binance
    base_url: ${env:FLEET_EXCHANGE_URL}
    store: data/01_raw/exchange
    key_variable: MY_EXCHANGE_KEY
    secret_variable: MY_EXCHANGE_SECRET
"""


@pytest.fixture(scope="module")
def book() -> Book:
    """Two assets, one of them with a hole of its own, beyond what a run looks at."""
    rng = np.random.default_rng(8)
    count = (DAYS + WARMUP_DAYS + 20) * 24
    hours = pd.date_range(
        end=NOW.floor("h") + pd.Timedelta(days=2), periods=count, freq="h"
    )
    hole = range(count - 500, count - 490)
    return Book(
        {
            "BTCUSDT": random_market("BTCUSDT", hours, rng),
            "ETHUSDT": random_market("ETHUSDT", hours, rng, missing=hole),
        }
    )


@pytest.fixture(scope="module")
def server(book: Book):
    clock = ScaledClock.starting(f"{NOW:%Y-%m-%dT%H:%M}")
    with LoopbackServer(Exchange(BinanceSpot(book), clock)) as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    made.configure(
        "exchange/globals.yml",
        f"assets: [BTC, ETH]\ndays: {DAYS}\nwarmup_days: {WARMUP_DAYS}\n",
    )
    made.configure("exchange/parameters_ingestion.yml", SETTINGS)
    return made


@pytest.fixture(scope="module")
def first(project: Project, server: LoopbackServer):
    """The first run, which fills an empty store."""
    return _run(project, server)


@pytest.fixture(scope="module")
def second(first, project: Project, server: LoopbackServer):
    """Another run, some hours later, and how many requests it took."""
    assert first.returncode == 0, first.stderr
    before = _raw(project)
    asked = len(server.exchange.ledger.entries)
    server.exchange.clock = server.exchange.clock.moved(LATER_HOURS * 3600)
    run = _run(project, server)
    return run, before, server.exchange.ledger.entries[asked:]


def _run(project: Project, server: LoopbackServer):
    environ = {
        "FLEET_EXCHANGE_URL": server.url,
        "MY_EXCHANGE_KEY": KEY,
        "MY_EXCHANGE_SECRET": SECRET,
    }
    return project.kedro(*INGEST, environ=environ)


def _raw(project: Project) -> dict[str, pd.DataFrame]:
    folder = project.folder / "data/01_raw/candles"
    return {path.stem: pd.read_parquet(path) for path in sorted(folder.iterdir())}


def _assert_true(raw: pd.DataFrame, book: Book, symbol: str, now: pd.Timestamp) -> None:
    """The raw candles are the true ones of the window, up to the last finished hour."""
    last = now.floor("h") - pd.Timedelta("1h")
    start = last - pd.Timedelta(days=DAYS + WARMUP_DAYS) + pd.Timedelta("1h")
    true = book.markets[symbol].to_frame()
    true = true.loc[true["timestamp"].between(start, last)].reset_index(drop=True)
    pd.testing.assert_frame_equal(raw[["timestamp", *COLUMNS]], true, check_exact=True)


class TestFirstRun:
    def test_it_fills_the_store_and_reads_the_window(self, first, project, book):
        assert first.returncode == 0, first.stderr
        raw = _raw(project)
        assert sorted(raw) == ["BTC", "ETH"]
        for asset, candles in raw.items():
            # A later run may have come first: then there is more, not less.
            end = candles["timestamp"].iloc[-1] + pd.Timedelta("1h 10min")
            _assert_true(candles, book, f"{asset}USDT", end)

    def test_the_gate_names_the_hole_and_the_report_counts_it(self, first, project):
        assert "gap 1 (10 h)" in first.stdout
        report = pd.read_parquet(
            project.folder / "data/08_reporting/quality_report.parquet"
        ).set_index("asset")
        assert report.loc["BTC", "gaps"] == 0
        assert report.loc["ETH", ["gaps", "longest_gap_hours"]].tolist() == [1, 10]

    def test_nobody_was_asked_for_more_than_allowed(self, first, server):
        del first
        assert server.exchange.ledger.offences() == []
        assert server.exchange.ledger.errors == []

    def test_the_window_names_no_address_and_no_folder(self, first, project, server):
        del first
        text = (project.folder / "data/02_intermediate/fleet_window.json").read_text()
        assert server.url not in text
        assert str(project.folder) not in text
        source = json.loads(text)["source"]
        assert source == "hourly candles of binance, kept and extended"

    def test_it_tells_and_keeps_no_key(self, first, project):
        said = first.stdout + first.stderr
        assert "BTC" in said
        assert KEY not in said
        assert SECRET not in said
        _assert_unmarked(project.folder / "data")


@pytest.mark.slow
class TestLaterRuns:
    def test_the_new_hours_are_asked_for_and_no_other(self, second, project, book):
        run, before, asked = second

        assert run.returncode == 0, run.stderr
        now = NOW + pd.Timedelta(hours=LATER_HOURS)
        for asset, candles in _raw(project).items():
            _assert_true(candles, book, f"{asset}USDT", now)
            grown = candles["timestamp"].iloc[-1] - before[asset]["timestamp"].iloc[-1]
            assert grown == pd.Timedelta(hours=LATER_HOURS)
        # One page for the new hours of each asset, and the hole, twice, once more.
        assert len([entry for entry in asked if entry.symbol]) <= 5
        assert {entry.status for entry in asked} == {200}
        assert KEY not in run.stdout + run.stderr
        _assert_unmarked(project.folder / "data")

    def test_a_key_that_is_not_set_is_named(self, second, project, server):
        del second
        environ = {"FLEET_EXCHANGE_URL": server.url, "MY_EXCHANGE_SECRET": SECRET}
        run = project.kedro(*INGEST, environ=environ)

        assert run.returncode != 0
        assert "'MY_EXCHANGE_KEY'" in run.stderr
        assert "Traceback" not in run.stderr
        assert SECRET not in run.stdout + run.stderr


class TestSecrets:
    @pytest.mark.parametrize("kinds", [WIRE, BODY, DOOR, ("server_error",)])
    def test_no_failure_tells_a_key(self, book, tmp_path, monkeypatch, caplog, kinds):
        monkeypatch.setenv("A_KEY", KEY)
        monkeypatch.setenv("A_SECRET", SECRET)
        caplog.set_level(logging.DEBUG)
        clock = ScaledClock.starting("2024-03-01T00:10", speed=2000)
        faults = FaultPlan(seed=2, rate=1.0, kinds=kinds, budget=10**6)
        exchange = Exchange(BinanceSpot(book), clock, faults, doors=10**6)
        with LoopbackServer(exchange, stall_s=0.2) as server:
            told = _client(server.url, tmp_path, **KEYS).update(clock)

        assert told  # nothing could be had, and it was said
        said = told + caplog.text
        assert KEY not in said
        assert SECRET not in said
        _assert_unmarked(tmp_path)

    def test_an_address_with_a_password_is_not_told(self, tmp_path, caplog):
        caplog.set_level(logging.DEBUG)
        clock = ScaledClock.starting("2024-03-01T00:10", speed=2000)
        told = _client(f"http://me:{SECRET}@127.0.0.1:9", tmp_path).update(clock)

        assert told
        assert SECRET not in told + caplog.text
        _assert_unmarked(tmp_path)


class TestShortHistories:
    def test_an_exchange_without_history_gives_what_it_has(self, book, tmp_path):
        """Kraken tells the last 720 hours only: the store holds them and no lie."""
        clock = ScaledClock.starting("2024-03-01T00:10", speed=400)
        exchange = Exchange(KrakenSpot(book), clock)
        with LoopbackServer(exchange) as server:
            client = _client(server.url, tmp_path, exchange="kraken")
            told = client.update(clock)
            stored = client.stored("BTCUSDT")

        true = book.finished("BTCUSDT", clock.now_ms())
        assert told == ""
        assert len(stored) in {718, 719}
        pd.testing.assert_frame_equal(
            stored, true.iloc[-len(stored) :].reset_index(drop=True), check_exact=True
        )


def _client(url: str, folder: Path, **settings: object) -> FleetClient:
    given = {
        "exchange": "binance",
        "base_url": url,
        "store": folder,
        "timeout_seconds": 0.1,
        "max_attempts": 3,
    }
    source = ExchangeSource(**(given | settings))
    return FleetClient(Universe(assets=("BTC", "ETH")), Window(days=50), source, seed=1)


def _assert_unmarked(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    marked = [
        path.name
        for path in files
        if any(mark.encode() in path.read_bytes() for mark in (KEY, SECRET))
    ]
    assert files
    assert marked == []
