"""Where an asset's candles are taken from, and what of them is missing."""

from typing import NamedTuple

import pandas as pd

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.fill import Errand, missing_hours
from fleet_kedro.market.exchange.hours import hour_of
from fleet_kedro.market.exchange.listed import coin_of, listed_on, span_of
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue
from fleet_kedro.market.exchange.store import CandleStore
from fleet_kedro.market.exchange.venues import Venues
from fleet_kedro.market.lineage import Listing
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import BARS_PER_DAY, Window


class Plan(NamedTuple):
    """An asset's venue, its errands there, and how many hours are missing."""

    asset: str
    venue: Venue
    errands: tuple[Errand, ...]
    missing: int


class Planner:
    """Compares what is wanted with what a store has.

    Parameters
    ----------
    window
        Wanted are its days and its warm-up, or ``first_fill_days`` of the source.
    """

    def __init__(
        self, universe: Universe, window: Window, source: ExchangeSource
    ) -> None:
        self._universe = universe
        self._source = source
        self._end = None if window.end is None else hour_of(pd.Timestamp(window.end))
        self._stores: dict[str, CandleStore] = {}
        self._days = source.first_fill_days or window.days + window.warmup_days

    def stored_venue(self, asset: str) -> Venue | None:
        """Return the first venue that there are candles of; None without one."""
        return next(
            (
                venue
                for venue in self._source.venues(asset, self._universe.quote)
                if any(
                    self.store(venue).last_open_time(listing.symbol) is not None
                    for listing in listed_on(venue, self._universe, asset)
                )
            ),
            None,
        )

    def store(self, venue: Venue) -> CandleStore:
        """Return the part of the store that holds a venue's candles."""
        source, name = self._source, venue.exchange
        if name not in self._stores:
            self._stores[name] = CandleStore(source.store, name, source.revision_rule)
        return self._stores[name]

    def is_complete(self, asset: str) -> bool:
        """Whether the store has all of a window that ends at a given hour."""
        venue = self.stored_venue(asset)
        if self._end is None or venue is None:
            return False
        return not any(
            self._missing(venue, listing.symbol, span)
            for listing in listed_on(venue, self._universe, asset)
            if (span := self._span(listing, self._end))
        )

    def plan(self, asset: str, venues: Venues) -> Plan:
        """Choose the asset's venue and list what is to be fetched there.

        An asset stays with the venue that its stored candles are from.

        Raises
        ------
        MarketError
            If no venue lists the asset, or the one to ask cannot be reached.
        """
        kept = self.stored_venue(asset)
        candidates = self._source.venues(asset, self._universe.quote)
        for venue in (kept,) if kept else candidates:
            errands = self._errands(asset, venue, venues)
            if errands is not None or kept:
                missing = sum(
                    self._missing(venue, e.symbol, (e.first, e.last))
                    for e in errands or ()
                )
                return Plan(asset, venue, errands or (), missing)
        symbols = " or ".join(item.symbol for item in self._universe.listings(asset))
        names = " nor ".join(venue.name for venue in candidates)
        raise MarketError(
            f"{asset} is not listed as {symbols} by {names}; correct its lineage, give "
            "a fallback that lists it, or leave it out."
        )

    def _errands(
        self, asset: str, venue: Venue, venues: Venues
    ) -> tuple[Errand, ...] | None:
        """Return what to fetch at a venue; None if it does not list the asset."""
        counter = venues.open(venue)
        last = counter.last_finished
        errands, is_listed = [], False
        for listing in listed_on(venue, self._universe, asset):
            coin = coin_of(listing.symbol, venue.quote)
            market = counter.market(listing.symbol, coin)
            is_listed |= market is not None
            span = self._span(
                listing, last if self._end is None else min(self._end, last)
            )
            if market is not None and span is not None:
                errands.append(Errand(listing.symbol, market, *span))
        return tuple(errands) if is_listed else None

    def _span(self, listing: Listing, last: int) -> tuple[int, int] | None:
        return span_of(listing, last - self._days * BARS_PER_DAY + 1, last)

    def _missing(self, venue: Venue, symbol: str, span: tuple[int, int]) -> int:
        confirmations = self._source.gap_confirmations
        return len(missing_hours(self.store(venue), symbol, *span, confirmations))
