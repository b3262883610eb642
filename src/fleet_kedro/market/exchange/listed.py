"""What a venue calls an asset's listings, and which hours of a window they cover."""

import pandas as pd

from fleet_kedro.market.exchange.hours import hour_of
from fleet_kedro.market.exchange.settings import Venue
from fleet_kedro.market.lineage import Listing
from fleet_kedro.market.schema import BAR
from fleet_kedro.market.universe import Universe


def listed_on(venue: Venue, universe: Universe, asset: str) -> tuple[Listing, ...]:
    """Return the asset's listings under the symbols that they have in a venue's quote.

    A symbol that does not end with the universe's quote is taken as it is.
    """
    return tuple(
        listing
        if venue.quote == universe.quote
        else listing.model_copy(
            update={"symbol": coin_of(listing.symbol, universe.quote) + venue.quote}
        )
        for listing in universe.listings(asset)
    )


def coin_of(symbol: str, quote: str) -> str:
    """Return the coin that a symbol names before its quote currency."""
    return symbol.removesuffix(quote)


def span_of(listing: Listing, first: int, last: int) -> tuple[int, int] | None:
    """Return first and last hour of a listing inside a span, None if there is none."""
    if listing.since is not None:
        first = max(first, hour_of(pd.Timestamp(listing.since).ceil(BAR)))
    if listing.until is not None:
        last = min(last, hour_of(pd.Timestamp(listing.until).ceil(BAR)) - 1)
    return (first, last) if first <= last else None
