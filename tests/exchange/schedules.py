"""Randomised histories of an exchange and of what goes wrong while one reads it.

A schedule is drawn from its seed: which exchange, which markets with which holes and
renames, when one looks, how wrong the client's clock is, which faults strike and how
often. Nothing else is random, apart from how threads take turns.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from exchange.server.binance import BinanceSpot
from exchange.server.book import HOUR_MS, Book, Market
from exchange.server.candles import random_market
from exchange.server.clock import ScaledClock
from exchange.server.dialect import Dialect
from exchange.server.faults import BODY, DOOR, PAGE, WIRE, FaultPlan
from exchange.server.okx import OkxSpot
from fleet_kedro.market.lineage import Lineage, Listing
from fleet_kedro.market.universe import Universe

ASSETS = ("BTC", "ETH", "SOL", "MATIC")
# The end of a month, a leap day, a year, a midnight, an hour: just before, just after.
BORDERS = (
    *("2024-02-29T23:59:57", "2024-03-01T00:00:01", "2023-12-31T23:59:50"),
    *("2024-01-01T00:00:00", "2024-01-31T23:58:00", "2024-05-15T00:00:02"),
    *("2024-05-15T11:59:58", "2024-05-15T12:30:00", "2024-06-30T23:59:59"),
)
FUTURE_HOURS = 24 * 5
SPEED = 800.0
SETTLES_AFTER_S = 1200  # long, so that a look often comes too early


@dataclass(frozen=True)
class Schedule:
    """One history; every field follows from ``seed``."""

    seed: int
    exchange: str
    start: str
    days: int
    skew_s: float
    settles_after_s: float
    kills: bool
    faults: FaultPlan
    jumps_h: tuple[float, ...]
    rng: np.random.Generator = field(repr=False, compare=False)

    @classmethod
    def draw(cls, seed: int) -> "Schedule":
        """Draw everything about a history from its seed."""
        rng = np.random.default_rng([20, seed])
        exchange = str(rng.choice(["binance", "binance", "okx"]))
        kills = bool(rng.random() < 0.3)
        kinds = rng.permutation([*WIRE, *BODY, *PAGE, *DOOR])[: rng.integers(2, 8)]
        names = [str(kind) for kind in kinds]
        return cls(
            seed=seed,
            exchange=exchange,
            start=str(rng.choice(BORDERS)),
            days=int(rng.integers(20, 70)),
            skew_s=float(rng.choice([0, 0, 900, 100_000]) * rng.uniform(-1, 1)),
            settles_after_s=float(rng.choice([0, 0, SETTLES_AFTER_S])),
            kills=kills,
            faults=FaultPlan(
                seed=seed,
                rate=float(rng.uniform(0.1, 0.6)),
                kinds=tuple([*names, "kill", "kill"] if kills else names),
                budget=int(rng.integers(3, 9)),
            ),
            jumps_h=tuple(rng.uniform(0.5, 30, 2).tolist()),
            rng=rng,
        )

    def clock(self) -> ScaledClock:
        """Return the clock of the exchange at the beginning."""
        return ScaledClock.starting(self.start, SPEED)

    def book(self) -> Book:
        """Make the markets: a late listing, a rename, shared and private holes."""
        now = pd.Timestamp(self.start, tz="UTC")
        past = self.days * 24 + int(self.rng.integers(0, 24))
        hours = pd.date_range(
            now.floor("h") - pd.Timedelta(past, "h"),
            periods=past + FUTURE_HOURS,
            freq="h",
        )
        outage = self._hole(past)
        markets = [
            self._market("BTCUSDT", hours, outage),
            self._market("ETHUSDT", hours, [*outage, *self._hole(past)]),
            self._market("SOLUSDT", hours[past // 3 :], []),
            self._market("MATICUSDT", hours[: past // 2 + 5], [], active=False),
            self._market("POLUSDT", hours[past // 2 - 5 :], []),
        ]
        return Book(
            {market.symbol: market for market in markets},
            settles_after_s=self.settles_after_s,
        )

    def dialect(self, book: Book) -> Dialect:
        """Return the exchange that tells of the book."""
        if self.exchange == "okx":
            return OkxSpot(book)
        return BinanceSpot(book)

    def universe(self, book: Book) -> Universe:
        """Return the fleet: MATIC traded on, after a pause, as POL, ten for one."""
        renamed = book.markets["POLUSDT"].open_ms[0] + 3 * HOUR_MS
        end, begin = (
            pd.Timestamp(renamed + pause * HOUR_MS, unit="ms", tz="UTC")
            for pause in (0, 3)
        )
        listings = (
            Listing(symbol="MATICUSDT", until=end.to_pydatetime()),
            Listing(symbol="POLUSDT", since=begin.to_pydatetime(), ratio=10.0),
        )
        return Universe(assets=ASSETS, lineage={"MATIC": Lineage(listings=listings)})

    def _market(
        self, symbol: str, hours: pd.DatetimeIndex, missing: list[int], **more: bool
    ) -> Market:
        return random_market(symbol, hours, self.rng, missing=missing, **more)

    def _hole(self, past: int) -> list[int]:
        begin = int(self.rng.integers(0, past))
        return list(range(begin, begin + int(self.rng.integers(1, 40))))
