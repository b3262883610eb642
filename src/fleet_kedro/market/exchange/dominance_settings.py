"""Where shares of the total market come from: a public address or a file."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.exchange.patience import Patience
from fleet_kedro.market.exchange.url import Url


class DominanceFile(Config):
    """A Parquet file with the columns of ``Dominance``."""

    kind: Literal["file"] = "file"
    path: Path = Field(strict=False)


class DominanceApi(Patience):
    """An address that answers with shares of the total market, in percent.

    Attributes
    ----------
    url
        Empty or None: nobody is asked, and what was kept is used.
    shape
        ``daily``: a list of records with a date and a share a coin, found under
        ``records`` (dotted; empty for the answer itself). ``global``: the present
        shares, found as a mapping from coin to percent under ``records``; the last
        answer of a day stands for the day.
    source
        The name under which the shares are kept. Sources are never mixed.
    margin_minutes
        A day's share counts as known this long after the midnight that ends it.
    key_variable, key_header
        Name of the environment variable that holds a key, and the header it goes into.
    """

    kind: Literal["api"] = "api"
    url: Url = None
    shape: Literal["daily", "global"] = "global"
    source: str = Field(default="coingecko", pattern=r"^[\w-]+$")
    records: str = "data.market_cap_percentage"
    date_key: str = "date"
    btc_key: str = "btc"
    usdt_key: str = "usdt"
    margin_minutes: int = Field(default=60, ge=0)
    key_variable: str | None = Field(default=None, min_length=1)
    key_header: str = "x-cg-demo-api-key"
