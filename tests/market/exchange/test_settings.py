from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.listed import listed_on, span_of
from fleet_kedro.market.exchange.pacing import Pace
from fleet_kedro.market.exchange.patience import Patience
from fleet_kedro.market.exchange.polite import (
    make_exchange,
    secrets_of,
    told_weight_per_minute,
)
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue
from fleet_kedro.market.lineage import Listing
from fleet_kedro.market.source import MarketSource
from fleet_kedro.market.universe import Universe

BYBIT_LIMIT = 1000


class TestSettings:
    def test_a_configuration_file_is_enough(self):
        block = {"source": {"kind": "exchange", "base_url": "", "store": "some/where"}}

        source = MarketSource.model_validate(block).source

        assert isinstance(source, ExchangeSource)
        assert source.base_url is None
        assert source.store == Path("some/where")
        assert source.description == "hourly candles of binance, kept and extended"

    def test_a_fallback_serves_all_assets_or_those_it_names(self):
        everybody = Venue(exchange="okx", quote="USDC")
        one = Venue(exchange="kraken", quote="USD", assets=("XMR",))
        source = ExchangeSource(fallbacks=(everybody, one))

        names = [venue.name for venue in source.venues("BTC", "USDT")]

        assert names == ["binance (USDT)", "okx (USDC)"]
        assert [v.exchange for v in source.venues("XMR", "USDT")][2] == "kraken"

    @pytest.mark.parametrize(
        "wrong", [{"max_attempts": 0}, {"weight_share": 1.1}, {"api_key": "x"}]
    )
    def test_what_cannot_work_is_refused(self, wrong):
        with pytest.raises(ValidationError):
            ExchangeSource(**wrong)


class TestListings:
    UNIVERSE = Universe(
        assets=("MATIC",),
        lineage={
            "MATIC": {
                "listings": (
                    {"symbol": "MATICUSDT", "until": "2024-09-10T03:00"},
                    {"symbol": "POLUSDT", "since": "2024-09-13T10:00", "ratio": 1.0},
                )
            }
        },
    )

    def test_another_quote_makes_other_symbols(self):
        venue = Venue(exchange="kraken", quote="USD")
        listings = listed_on(venue, self.UNIVERSE, "MATIC")
        assert [item.symbol for item in listings] == ["MATICUSD", "POLUSD"]
        assert listings[1].since == self.UNIVERSE.listings("MATIC")[1].since

    def test_the_main_venue_keeps_symbols_as_they_are(self):
        venue = Venue(exchange="binance", quote="USDT")
        listings = listed_on(venue, self.UNIVERSE, "MATIC")
        assert listings == self.UNIVERSE.listings("MATIC")

    def test_a_span_ends_before_the_listing_does(self):
        listing = Listing(
            symbol="X", since="1970-01-02T03:30", until="1970-01-03T00:00"
        )
        assert span_of(listing, 0, 1000) == (28, 47)
        assert span_of(listing, 30, 40) == (30, 40)
        assert span_of(listing, 48, 1000) is None
        assert span_of(Listing(symbol="X"), 5, 9) == (5, 9)


class TestPatience:
    def test_pauses_double_up_to_the_longest_and_are_spread(self):
        patience = Patience(backoff_seconds=1, longest_backoff_seconds=20)
        rng = np.random.default_rng(2)
        drawn = np.array(
            [[patience.pause_after(k, rng) for k in range(1, 9)] for _ in range(400)]
        )
        whole = np.array([1, 2, 4, 8, 16, 20, 20, 20])

        assert (drawn <= whole).all()
        assert (drawn >= whole / 2).all()
        assert (drawn.std(axis=0) > whole / 10).all()


class TestExchanges:
    """The real classes of ccxt, asked nothing."""

    @pytest.mark.parametrize(
        ("name", "limit"),
        [
            *(("binance", 1000), ("kraken", 720), ("coinbase", 300)),
            *(("okx", 300), ("bybit", BYBIT_LIMIT)),
        ],
    )
    def test_pages_are_as_long_as_the_exchange_documents(self, name, limit):
        exchange = make(name)
        assert exchange.features["spot"]["fetchOHLCV"]["limit"] == limit

    @pytest.mark.parametrize("name", ["binance", "kraken", "coinbase", "okx", "bybit"])
    def test_every_address_moves_to_another_host(self, name):
        addresses = leaves(make(name, "http://127.0.0.1:1/mirror/").urls["api"])
        assert addresses
        assert all(a.startswith("http://127.0.0.1:1/mirror") for a in addresses)

    def test_a_request_weighs_what_ccxt_says(self, hourglass):
        exchange = make("binance", clock=hourglass.clock())
        for _ in range(2):
            exchange.throttle(4)  # a list of markets, 20 of 6,000 a minute
        assert hourglass.timer() == pytest.approx(0.2 / 0.8)

    def test_the_granted_weight_is_read_where_binance_tells_it(self):
        told = (
            '{"rateLimits": [{"rateLimitType": "ORDERS", "interval": "DAY", '
            '"intervalNum": 1, "limit": 9}, {"rateLimitType": "REQUEST_WEIGHT", '
            '"interval": "MINUTE", "intervalNum": 1, "limit": 6000}]}'
        )
        assert told_weight_per_minute(told) == 6000
        assert told_weight_per_minute("<html>") is None
        assert told_weight_per_minute('{"result": []}') is None

    def test_an_unknown_exchange_is_refused_with_a_guess(self):
        with pytest.raises(MarketError, match=r"'binanse'; did you mean 'binance'\?"):
            make("binanse")


class TestKeys:
    def test_keys_come_from_the_environment_only(self, monkeypatch):
        monkeypatch.setenv("A_KEY", "K")
        monkeypatch.setenv("A_SECRET", "S")
        source = ExchangeSource(key_variable="A_KEY", secret_variable="A_SECRET")  # noqa: S106

        assert secrets_of(source) == ("K", "S")
        assert "'K'" not in repr(source)

    def test_a_variable_that_is_not_set_is_named(self, monkeypatch):
        monkeypatch.delenv("A_KEY", raising=False)
        with pytest.raises(MarketError, match="'A_KEY', which shall hold a key"):
            secrets_of(ExchangeSource(key_variable="A_KEY"))


def make(name, base_url=None, clock=None):
    source = ExchangeSource(exchange=name, base_url=base_url)
    clock = clock or Clock()
    (venue,) = source.venues("BTC", "USDT")
    return make_exchange(venue, source, clock, Pace(name, clock, share=0.8))


def leaves(addresses):
    if isinstance(addresses, dict):
        return [leaf for part in addresses.values() for leaf in leaves(part)]
    return [addresses]
