"""One asset under several names: which symbol it traded as, and when.

An exchange renames a coin now and then, and sometimes exchanges one old coin for many
new ones. The lineage of an asset lists its symbols in order, so that the candles of
all of them read as one series in units of the canonical asset.
"""

from collections.abc import Mapping
from itertools import pairwise

import pandas as pd
from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.market.moment import Moment, show
from fleet_kedro.market.schema import CANDLE, PRICES, TIMESTAMP_DTYPE


class Listing(Config):
    """A symbol that stands for an asset from ``since`` up to, not including, ``until``.

    ``ratio`` counts the coins of this listing that one canonical coin was worth. In
    canonical units a price is ``ratio`` times the listed one and a volume is the
    listed one divided by ``ratio``, so that price times volume stays as it was.
    """

    symbol: str = Field(min_length=1)
    since: Moment | None = Field(default=None, description="First open time.")
    until: Moment | None = Field(default=None, description="First open time after it.")
    ratio: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _lasts(self) -> "Listing":
        if self.since and self.until and self.since >= self.until:
            raise ValueError(
                f"{self.symbol} is listed since {show(self.since)} but only until "
                f"{show(self.until)}; until must be later."
            )
        return self


class Lineage(Config):
    """All listings of one asset, oldest first, without overlap."""

    listings: tuple[Listing, ...] = Field(strict=False, min_length=1)

    @model_validator(mode="after")
    def _follow_each_other(self) -> "Lineage":
        for earlier, later in pairwise(self.listings):
            if earlier.until is None or later.since is None:
                raise ValueError(
                    f"{earlier.symbol} is followed by {later.symbol}: the first needs "
                    "an until and the second a since."
                )
            if earlier.until > later.since:
                raise ValueError(
                    f"{earlier.symbol} lasts until {show(earlier.until)}, but "
                    f"{later.symbol} begins at {show(later.since)}; listings must be "
                    "in order and must not overlap."
                )
        return self


def stitch(
    listings: tuple[Listing, ...], candles_by_symbol: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Join the candles of an asset's listings into one raw series, oldest first.

    Parameters
    ----------
    listings
        In order; a listing whose symbol has no candles contributes none. The same
        symbol may be listed twice, as when its coin was redenominated.
    candles_by_symbol
        Columns ``timestamp`` (UTC), open, high, low, close, volume. Dirt is kept: rows
        with the same stamp stay in the order in which they were given.

    Returns
    -------
    pandas.DataFrame
        Columns ``timestamp``, ``symbol``, open, high, low, close, volume, in
        canonical units.
    """
    parts = [
        _as_listed(listing, candles_by_symbol[listing.symbol])
        for listing in listings
        if listing.symbol in candles_by_symbol
    ]
    return pd.concat(parts, ignore_index=True) if parts else _no_candles()


def _no_candles() -> pd.DataFrame:
    columns = ["timestamp", "symbol", *CANDLE]
    types = {"timestamp": TIMESTAMP_DTYPE, "symbol": "str"}
    return pd.DataFrame(columns=columns, dtype="float64").astype(types)


def _as_listed(listing: Listing, candles: pd.DataFrame) -> pd.DataFrame:
    stamp = candles["timestamp"]
    listed = pd.Series(data=True, index=candles.index)
    if listing.since is not None:
        listed &= stamp >= listing.since
    if listing.until is not None:
        listed &= stamp < listing.until
    scaled = {name: candles[name] * listing.ratio for name in PRICES}
    scaled["volume"] = candles["volume"] / listing.ratio
    return (
        candles.assign(symbol=listing.symbol, **scaled)
        .loc[listed, ["timestamp", "symbol", *CANDLE]]
        .sort_values("timestamp", kind="stable", ignore_index=True)
    )
