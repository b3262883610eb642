"""However the exchange misbehaves, the store ends equal to what truly happened.

Each schedule fills a store, comes back twice, hours later, and repeats an update that
failed, as a user would. After every update, finished, failed or killed, the store holds
true and finished candles only; at the end it holds all of them. A failure names the
seed: the same seed draws the same markets, clocks and faults again.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exchange.fleet_client import FleetClient
from exchange.schedules import Schedule
from exchange.server.book import COLUMNS, HOUR_MS, Book, part_of
from exchange.server.exchange import Exchange
from exchange.server.faults import FaultPlan
from exchange.server.http import LoopbackServer
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.lineage import Listing
from fleet_kedro.market.window import Window

FEW, MANY = range(10), range(10, 210)
RERUNS = 12
QUIET_MINUTE = 25
MARGIN_S = 30


@pytest.mark.parametrize("seed", FEW)
def test_the_store_ends_equal_to_the_truth(seed: int, tmp_path: Path):
    _Run(Schedule.draw(seed), tmp_path).check()


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_the_store_ends_equal_to_the_truth_in_many_schedules(seed: int, tmp_path: Path):
    _Run(Schedule.draw(seed), tmp_path).check()


def test_the_few_schedules_of_each_run_are_no_easy_ones():
    drawn = [Schedule.draw(seed) for seed in FEW]

    assert {s.exchange for s in drawn} == {"binance", "okx"}
    assert any(s.kills for s in drawn)
    assert any(s.skew_s for s in drawn)
    assert any(s.settles_after_s for s in drawn)
    assert len({kind for s in drawn for kind in s.faults.kinds}) >= 14


class _Run:
    """One schedule on its way, from the first fill to the last comparison."""

    def __init__(self, schedule: Schedule, folder: Path) -> None:
        self.schedule = schedule
        self.book = schedule.book()
        self.universe = schedule.universe(self.book)
        self.exchange = Exchange(
            schedule.dialect(self.book), schedule.clock(), schedule.faults
        )
        self.folder = folder
        self.looked_at_ms = 0

    def check(self) -> None:
        schedule = self.schedule
        with LoopbackServer(self.exchange) as server:
            client = self._client(server.url)
            self._update(client)
            for hours in schedule.jumps_h:
                self._go_on(hours * 3600)
                self._update(client)
            # The last look is not at a border, so that all that can be had is known.
            self._go_on(self._seconds_to_a_quiet_minute())
            told = self._repeat(client)
        assert told == "", self._say(f"it never ended well: {told}")
        self._compare(client, is_end=True)
        assert self.exchange.ledger.errors == [], self._say("the server failed")
        assert self.exchange.ledger.offences() == [], self._say("a limit was exceeded")

    def _client(self, url: str) -> FleetClient:
        schedule = self.schedule
        source = ExchangeSource(
            exchange=schedule.exchange,
            base_url=url,
            store=self.folder,
            margin_seconds=MARGIN_S,
            timeout_seconds=0.3,  # of real time, as sockets know no other
            revision_rule="last_wins" if schedule.settles_after_s else "first_wins",
        )
        window = Window(days=schedule.days + 12)
        return FleetClient(self.universe, window, source, schedule.seed)

    def _update(self, client: FleetClient) -> str:
        self.looked_at_ms = self.exchange.clock.now_ms()
        clock = self.exchange.clock.moved(self.schedule.skew_s)
        if self.schedule.kills:
            told = client.update_in_a_process(clock, self.exchange)
        else:
            told = client.update(clock)
        self._compare(client, is_end=False)
        return told

    def _repeat(self, client: FleetClient) -> str:
        """Update until all is well, and twice more: holes are doubted until then."""
        told = "not tried"
        for _ in range(RERUNS):
            if not (told := self._update(client)):
                break
        self.exchange.faults = FaultPlan()
        return told or self._update(client)

    def _go_on(self, seconds: float) -> None:
        self.exchange.clock = self.exchange.clock.moved(seconds)

    def _seconds_to_a_quiet_minute(self) -> float:
        """Return the way to where all is settled, in an hour that nobody looked at."""
        into_hour = self.exchange.clock.now_ms() % HOUR_MS / 1000
        return 2 * 3600 - into_hour + QUIET_MINUTE * 60

    def _compare(self, client: FleetClient, *, is_end: bool) -> None:
        now_ms = self.exchange.clock.now_ms()
        for symbol, wanted in self._wanted(now_ms).items():
            found = client.stored(symbol)
            stamps = found["timestamp"]
            assert stamps.is_monotonic_increasing, self._say(f"{symbol} is unsorted")
            assert stamps.is_unique, self._say(f"{symbol} holds a candle twice")
            if is_end:
                due = wanted["timestamp"] <= self._last_due()
                missing = wanted.loc[
                    due & ~wanted["timestamp"].isin(stamps), "timestamp"
                ]
                assert missing.empty, self._say(f"{symbol} lacks {list(missing)}")
            final = self._last_settled() if is_end else pd.Timestamp(0, tz="UTC")
            self._compare_values(symbol, found, wanted, final)

    def _last_due(self) -> pd.Timestamp:
        """Return the last open time that the last look could see as finished."""
        return self._seen_since(MARGIN_S)

    def _last_settled(self) -> pd.Timestamp:
        """Return the last open time whose late trades the last look could see.

        A slow machine may still be looking when the quiet minute is over.
        """
        return self._seen_since(max(MARGIN_S, self.schedule.settles_after_s))

    def _seen_since(self, seconds: float) -> pd.Timestamp:
        due_ms = self.looked_at_ms - seconds * 1000 - HOUR_MS
        return pd.Timestamp(due_ms, unit="ms", tz="UTC")

    def _compare_values(
        self,
        symbol: str,
        found: pd.DataFrame,
        wanted: pd.DataFrame,
        final: pd.Timestamp,
    ) -> None:
        """Hold candles to the truth; those after ``final`` to what it was at first."""
        invented = found.loc[~found["timestamp"].isin(wanted["timestamp"])]
        assert invented.empty, self._say(f"{symbol} holds what was not:\n{invented}")
        true = wanted.set_index("timestamp").loc[found["timestamp"]].to_numpy()
        is_true = (found[COLUMNS].to_numpy() == true).all(axis=1)
        if self.schedule.settles_after_s:
            early = np.array([part_of(row, 0.999) for row in true]).reshape(true.shape)
            is_early = (found[COLUMNS].to_numpy() == early).all(axis=1)
            is_true |= is_early & (found["timestamp"] > final).to_numpy()
        wrong = found.loc[~is_true]
        assert wrong.empty, self._say(f"{symbol} differs from the truth:\n{wrong}")

    def _wanted(self, now_ms: int) -> dict[str, pd.DataFrame]:
        """Return each symbol's true candles, finished by now and while it is listed."""
        return {
            listing.symbol: _listed(self.book, listing, now_ms)
            for asset in self.universe.assets
            for listing in self.universe.listings(asset)
        }

    def _say(self, problem: str) -> str:
        faults = dict(self.exchange.ledger.faults())
        return f"seed {self.schedule.seed}: {problem}\n{self.schedule}\n{faults}"


def _listed(book: Book, listing: Listing, now_ms: int) -> pd.DataFrame:
    candles = book.finished(listing.symbol, now_ms)
    stamp = candles["timestamp"]
    kept = pd.Series(data=True, index=candles.index)
    if listing.since is not None:
        kept &= stamp >= listing.since
    if listing.until is not None:
        kept &= stamp < listing.until
    return candles.loc[kept]
