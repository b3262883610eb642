"""Brings a store up to date: every asset, in parallel, and no more than is missing."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.fill import Fetched, fill
from fleet_kedro.market.exchange.hours import moment_of
from fleet_kedro.market.exchange.plan import Plan, Planner
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue
from fleet_kedro.market.exchange.store import only_writer
from fleet_kedro.market.exchange.venues import Venues
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

OnProgress = Callable[[str, int, int], None]
"""Told an asset, how many of its missing hours a page has settled, and how many hours
the whole fleet missed at the beginning. Called by one thread at a time."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class UpdateReport:
    """What an update has done.

    Attributes
    ----------
    venues
        Where each asset's candles are kept from; an asset without a venue has none.
    new_candles
        How many each asset got.
    failed
        For each asset that could not be brought up to date, a sentence. What it had
        before, and what came before the failure, is kept.
    last
        Open time of the youngest candle that was wanted; None if nobody was asked.
    revisions, holes
        Candles told differently than before; hours that the exchange has none of.
    seconds
        How long it took.
    """

    venues: dict[str, Venue]
    new_candles: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    last: pd.Timestamp | None = None
    revisions: int = 0
    holes: int = 0
    seconds: float = 0.0


def update_store(  # noqa: PLR0913  (what a test replaces is keyword-only, one each)
    universe: Universe,
    window: Window,
    source: ExchangeSource,
    *,
    clock: Clock | None = None,
    rng: np.random.Generator | None = None,
    on_progress: OnProgress | None = None,
) -> UpdateReport:
    """Fetch what the store lacks of the universe's candles in the window.

    The window reaches from its warm-up to its end, or to the youngest candle that is
    finished by the exchange's time. An asset that fails is told in the report, and the
    others go on. If nothing is missing up to a given end, nobody is asked.

    Parameters
    ----------
    clock
        The time, how to wait, how to measure it; the machine's own by default.
    rng
        Spreads the pauses between attempts.

    Raises
    ------
    MarketError
        If another process is writing to the store, or no asset could be had at all.
    """
    clock = clock or Clock()
    started = clock.timer()
    planner = Planner(universe, window, source)
    with only_writer(source.store):
        if all(planner.is_complete(asset) for asset in universe.assets):
            return UpdateReport(_stored_venues(planner, universe))
        venues = Venues(source, clock, rng or np.random.default_rng())
        round_ = _Round(planner, venues, source, on_progress or _tell_nobody)
        plans = round_.plan(universe.assets)
        outcomes = round_.fetch(plans)
    if len(round_.failed) == len(universe.assets):
        raise MarketError(next(iter(round_.failed.values())))
    for sentence in round_.failed.values():
        logger.warning("%s", sentence)
    fetched = [part for parts in outcomes.values() for part in parts]
    return UpdateReport(
        venues=_stored_venues(planner, universe),
        new_candles={asset: sum(p.new for p in o) for asset, o in outcomes.items()},
        failed=round_.failed,
        last=_last_wanted(plans),
        revisions=sum(part.revised for part in fetched),
        holes=sum(part.holes for part in fetched),
        seconds=clock.timer() - started,
    )


class _Round:
    """One round through the fleet; remembers who failed, and why."""

    def __init__(
        self,
        planner: Planner,
        venues: Venues,
        source: ExchangeSource,
        on_progress: OnProgress,
    ) -> None:
        self.failed: dict[str, str] = {}
        self._planner = planner
        self._venues = venues
        self._source = source
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._total = 0

    def plan(self, assets: Sequence[str]) -> list[Plan]:
        """Say for each asset what to fetch; one that cannot be had has failed."""
        plans = []
        for asset in assets:
            try:
                plans.append(self._planner.plan(asset, self._venues))
            except MarketError as error:
                self.failed[asset] = _about(asset, error)
        self._total = sum(plan.missing for plan in plans)
        return plans

    def fetch(self, plans: Sequence[Plan]) -> dict[str, list[Fetched]]:
        """Carry out the plans side by side; an interruption ends after its pages."""
        with ThreadPoolExecutor(self._source.parallel_assets) as pool:
            try:
                results = list(pool.map(self._carry_out, plans))
            finally:
                self._stop.set()
        return {plan.asset: r for plan, r in zip(plans, results, strict=True)}

    def _carry_out(self, plan: Plan) -> list[Fetched]:
        fetched: list[Fetched] = []
        try:
            with self._venues.open(plan.venue).client() as client:
                store = self._planner.store(plan.venue)
                for errand in plan.errands:
                    tell = self._teller(plan.asset)
                    fetched.append(fill(client, store, errand, self._source, tell))
        except MarketError as error:
            self.failed[plan.asset] = _about(plan.asset, error)
        return fetched

    def _teller(self, asset: str) -> Callable[[int], None]:
        def tell(settled: int) -> None:
            if self._stop.is_set():
                raise MarketError("the update was interrupted.")
            with self._lock:
                self._on_progress(asset, settled, self._total)

        return tell


def _about(asset: str, error: MarketError) -> str:
    text = str(error)
    return text if text.startswith(asset) else f"{asset} is not up to date: {text}"


def _stored_venues(planner: Planner, universe: Universe) -> dict[str, Venue]:
    kept = {asset: planner.stored_venue(asset) for asset in universe.assets}
    return {asset: venue for asset, venue in kept.items() if venue is not None}


def _last_wanted(plans: Sequence[Plan]) -> pd.Timestamp | None:
    lasts = [errand.last for plan in plans for errand in plan.errands]
    return moment_of(max(lasts)) if lasts else None


def _tell_nobody(asset: str, settled: int, total: int) -> None:
    """Tell nobody."""
