"""The venues of an update: each is connected to once, and only if it is needed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import numpy as np
import pandas as pd

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.client import Client
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.hours import hour_of
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue


class Counter:
    """A venue that answers: its markets, its time, and a client for every thread."""

    def __init__(self, client: Client, margin_seconds: float) -> None:
        margin = pd.Timedelta(seconds=margin_seconds)
        # A candle is finished an hour after the hour that it opens.
        self.last_finished = hour_of(client.connect() - margin) - 1
        self.market = client.market
        self._client = client
        self._idle: SimpleQueue[Client] = SimpleQueue()
        self._lock = threading.Lock()

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Lend a client that no other thread uses meanwhile."""
        try:
            client = self._idle.get_nowait()
        except Empty:
            with self._lock:
                client = self._client.copy()
        try:
            yield client
        finally:
            self._idle.put(client)


class Venues:
    """Opens venues on demand; one that cannot be reached is tried once."""

    def __init__(
        self, source: ExchangeSource, clock: Clock, rng: np.random.Generator
    ) -> None:
        self._source = source
        self._clock = clock
        self._rng = rng
        self._counters: dict[Venue, Counter | str] = {}

    def open(self, venue: Venue) -> Counter:
        """Return a venue that answers.

        Raises
        ------
        MarketError
            If it does not.
        """
        if venue not in self._counters:
            self._counters[venue] = self._connect(venue)
        counter = self._counters[venue]
        if isinstance(counter, str):
            raise MarketError(counter)
        return counter

    def _connect(self, venue: Venue) -> Counter | str:
        (rng,) = self._rng.spawn(1)
        try:
            client = Client(venue, self._source, self._clock, rng)
            return Counter(client, self._source.margin_seconds)
        except MarketError as error:
            return str(error)
