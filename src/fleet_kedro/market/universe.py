"""Which assets make up the fleet, and the symbols that stand for them."""

from pydantic import Field, model_validator

from fleet_kedro.config import Config
from fleet_kedro.market.lineage import Lineage, Listing


class Universe(Config):
    """The fleet's assets by canonical name, such as BTC or MATIC.

    ``lineage`` may also describe assets that are not part of this fleet; an asset
    without one is listed as its name followed by ``quote``, for all time.
    """

    assets: tuple[str, ...] = Field(strict=False, min_length=1)
    lineage: dict[str, Lineage] = Field(default_factory=dict)
    quote: str = Field(default="USDT", min_length=1)

    @model_validator(mode="after")
    def _names_each_asset_once(self) -> "Universe":
        repeated = sorted({a for a in self.assets if self.assets.count(a) > 1})
        if repeated:
            raise ValueError(f"{', '.join(repeated)} is named more than once.")
        if not all(self.assets):
            raise ValueError("an asset's name must not be empty.")
        return self

    def listings(self, asset: str) -> tuple[Listing, ...]:
        """Return the listings of ``asset``, oldest first."""
        if asset in self.lineage:
            return self.lineage[asset].listings
        return (Listing(symbol=asset + self.quote),)
