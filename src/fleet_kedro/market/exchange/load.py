"""From an exchange to a raw market: bring the store up to date, then read it."""

import numpy as np
import pandas as pd

from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.dominance import update_dominance
from fleet_kedro.market.exchange.dominance_settings import DominanceFile
from fleet_kedro.market.exchange.listed import listed_on
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue
from fleet_kedro.market.exchange.store import CandleStore
from fleet_kedro.market.exchange.update import OnProgress, update_store
from fleet_kedro.market.files import read_dominance
from fleet_kedro.market.lineage import stitch
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.schema import Dominance, PlantedTruth
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

DOMINANCE_FOLDER = "dominance"


def load_market(
    universe: Universe,
    window: Window,
    source: ExchangeSource,
    *,
    clock: Clock | None = None,
    on_progress: OnProgress | None = None,
) -> RawMarket:
    """Fetch what is missing, and return what the store has of the window.

    An asset that could not be brought up to date keeps the candles it has.

    Raises
    ------
    MarketError
        If another process is writing to the store, or no asset could be had at all.
    """
    clock = clock or Clock()
    report = update_store(
        universe, window, source, clock=clock, on_progress=on_progress
    )
    last = report.last if window.end is None else pd.Timestamp(window.end)
    wanted_days = pd.Timedelta(days=window.days + window.warmup_days)
    since = None if last is None else last - wanted_days
    return RawMarket(
        {
            asset: read_asset(universe, source, asset, report.venues.get(asset), since)
            for asset in universe.assets
        },
        _dominance(source, clock),
        PlantedTruth.empty(),
    )


def read_asset(
    universe: Universe,
    source: ExchangeSource,
    asset: str,
    venue: Venue | None,
    since: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Stitch an asset's candles out of the store; empty without a venue."""
    if venue is None:
        return stitch((), {})
    listings = listed_on(venue, universe, asset)
    store = CandleStore(source.store, venue.exchange, source.revision_rule)
    return stitch(
        listings,
        {item.symbol: store.read(item.symbol, since=since) for item in listings},
    )


def _dominance(source: ExchangeSource, clock: Clock) -> pd.DataFrame:
    if source.dominance is None:
        return Dominance.empty()
    if isinstance(source.dominance, DominanceFile):
        return read_dominance(source.dominance.path)
    folder = source.store / DOMINANCE_FOLDER
    return update_dominance(folder, source.dominance, clock, np.random.default_rng())
