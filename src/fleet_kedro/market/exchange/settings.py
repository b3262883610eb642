"""Which exchange is asked, how hard, and where its candles are kept.

Nothing here asks for a key: hourly candles are public everywhere. Where a key is wanted
all the same, its settings hold the names of environment variables, never the key.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.exchange.dominance_settings import DominanceApi, DominanceFile
from fleet_kedro.market.exchange.patience import Patience
from fleet_kedro.market.exchange.url import Url

RevisionRule = Literal["first_wins", "last_wins"]


class Venue(Config):
    """An exchange and a quote currency to fall back on.

    ``assets`` may use it; all of them when it is not given. An asset keeps the first
    venue that has its candles: sources are never mixed inside one series.
    """

    exchange: str = Field(min_length=1)
    quote: str = Field(min_length=1)
    base_url: Url = None
    assets: tuple[str, ...] | None = Field(default=None, strict=False)

    @property
    def name(self) -> str:
        """The venue in words."""
        return f"{self.exchange} ({self.quote})"

    def serves(self, asset: str) -> bool:
        """Whether the asset may be taken from here."""
        return self.assets is None or asset in self.assets


class ExchangeSource(Patience):
    """An exchange that ccxt knows, and the folder that its candles are kept in.

    Attributes
    ----------
    base_url
        Replaces scheme and host of the exchange's addresses; None: the real ones.
    max_requests_per_second, weight_share
        Requests are spaced by the weights that the exchange documents, so that at most
        this share of what it allows is used, and by the number per second if given.
    longest_wait_seconds
        An exchange that wants to be left alone for longer ends the update.
    first_fill_days
        How far back candles are wanted; None: the window and its warm-up.
    page_limit
        Candles per request; None: the exchange's documented maximum.
    overlap_candles
        Stored candles that are fetched again, to notice revisions.
    margin_seconds
        How long after its close, by the exchange's time, a candle counts as finished.
    gap_confirmations
        A hole is asked for in this many updates before it counts as the exchange's.
    dominance
        Where shares of the total market come from; None: they stay unknown.
    key_variable, secret_variable
        Names of environment variables; without them no key is used.
    """

    kind: Literal["exchange"] = "exchange"
    exchange: str = Field(default="binance", min_length=1)
    base_url: Url = None
    store: Path = Field(default=Path("data/01_raw/exchange"), strict=False)
    fallbacks: tuple[Venue, ...] = Field(default=(), strict=False)

    max_requests_per_second: float | None = Field(default=None, gt=0)
    weight_share: float = Field(default=0.8, gt=0, le=1)
    longest_wait_seconds: float = Field(default=600.0, gt=0)
    parallel_assets: int = Field(default=4, ge=1, le=32)

    first_fill_days: int | None = Field(default=None, ge=1)
    page_limit: int | None = Field(default=None, ge=1)
    overlap_candles: int = Field(default=3, ge=0)
    margin_seconds: float = Field(default=30.0, ge=0)
    gap_confirmations: int = Field(default=2, ge=1)
    revision_rule: RevisionRule = "first_wins"

    dominance: DominanceApi | DominanceFile | None = Field(
        default=None, discriminator="kind"
    )

    key_variable: str | None = Field(default=None, min_length=1)
    secret_variable: str | None = Field(default=None, min_length=1)

    @property
    def description(self) -> str:
        """Where the candles come from, without a path or an address."""
        return f"hourly candles of {self.exchange}, kept and extended"

    def venues(self, asset: str, quote: str) -> tuple[Venue, ...]:
        """Return the venues of an asset, the main one first."""
        main = Venue(exchange=self.exchange, quote=quote, base_url=self.base_url)
        return (main, *(venue for venue in self.fallbacks if venue.serves(asset)))
