"""ccxt's exchange classes, made to keep our pace and to hide no broken answer.

ccxt decides what a request weighs; when it may be sent is decided here, for all threads
at once, as its own throttle knows one thread. It also hands on a body that is no JSON
as if it were an answer, out of which an empty page is read: that is refused here.
"""

import difflib
import json
import logging
import os
import re
from collections.abc import Mapping
from typing import Any

import ccxt

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.pacing import Pace
from fleet_kedro.market.exchange.redaction import Redacting
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue

_HOST = re.compile(r"^[a-z]+://[^/]+")


class Manners(ccxt.Exchange):
    """Mixed into a class of ccxt, before it.

    Attributes
    ----------
    ahead_seconds
        How far the exchange's time is ahead of the clock.
    last_status, last_headers
        What came with the latest answer; zero and nothing if none came.
    """

    pace: Pace
    clock: Clock
    ahead_seconds: float = 0.0
    last_status: int = 0
    last_headers: Mapping[str, str] = {}

    def throttle(self, cost: float | int | None = None) -> None:
        """Wait for the common pace; ccxt's weights count in units of ``rateLimit``."""
        milliseconds = self.rateLimit * (1 if cost is None else cost)
        self.pace.wait_turn(milliseconds / 1000)

    def milliseconds(self) -> int:
        """Tell the exchange's time; for some, ccxt chooses a path by it."""
        now = self.clock.now().timestamp() + self.ahead_seconds
        return int(now * 1000)

    def on_rest_response(self, code: int, reason: str, *rest: Any) -> Any:
        """Remember status and headers, which ccxt keeps only for some answers."""
        self.last_status, self.last_headers = code, rest[2]
        return super().on_rest_response(code, reason, *rest)

    def fetch(self, *request: Any, **more: Any) -> Any:
        """Send a request; an answer that is no JSON is an error."""
        self.last_status, self.last_headers = 0, {}
        answer = super().fetch(*request, **more)
        if isinstance(answer, str | bytes):
            raise ccxt.BadResponse("the answer is cut short or no JSON")
        return answer


def make_exchange(
    venue: Venue, source: ExchangeSource, clock: Clock, pace: Pace
) -> Any:
    """Make the ccxt exchange of a venue, not connected yet.

    Raises
    ------
    MarketError
        If ccxt does not know the exchange, it has no hourly candles, or a variable of
        the environment that shall hold a key is not set.
    """
    known = _known_class(venue.exchange)
    polite: Any = type(known.__name__, (Manners, known), {"pace": pace, "clock": clock})
    keys = secrets_of(source)
    exchange = polite(
        {
            "timeout": int(source.timeout_seconds * 1000),
            "enableRateLimit": True,
            **dict(zip(("apiKey", "secret"), keys, strict=False)),
        }
    )
    if not exchange.has["fetchOHLCV"] or "1h" not in (exchange.timeframes or {}):
        raise MarketError(
            f"{venue.exchange} offers no hourly candles; choose another exchange."
        )
    # Coins are named by the pairs; asking for their networks and fees would be waste.
    exchange.has["fetchCurrencies"] = False
    # With a key ccxt would ask, signed, for lists of what may be lent.
    exchange.options["fetchMargins"] = False
    if isinstance(exchange.options.get("fetchMarkets"), dict):
        exchange.options["fetchMarkets"]["types"] = ["spot"]
    if venue.base_url:
        exchange.urls["api"] = _moved(exchange.urls["api"], venue.base_url.rstrip("/"))
    exchange.logger = logging.getLogger(f"{__name__}.{venue.exchange}")
    exchange.logger.filters[:] = [Redacting(keys)]
    return exchange


def secrets_of(source: ExchangeSource) -> tuple[str, ...]:
    """Read the keys from the environment; empty if none are configured."""
    names = [n for n in (source.key_variable, source.secret_variable) if n]
    for name in names:
        if not os.environ.get(name):
            raise MarketError(
                f"The environment has no variable {name!r}, which shall hold a key of "
                f"{source.exchange}; set it, or remove it from the settings: candles "
                "need no key."
            )
    return tuple(os.environ[name] for name in names)


def told_weight_per_minute(answer: str | None) -> float | None:
    """Return the weight a minute that Binance grants, if this is where it says so."""
    try:
        limits = json.loads(answer or "null")["rateLimits"]
        return next(
            float(limit["limit"]) / float(limit["intervalNum"])
            for limit in limits
            if limit["rateLimitType"] == "REQUEST_WEIGHT"
            and limit["interval"] == "MINUTE"
        )
    except (LookupError, TypeError, ValueError, StopIteration):
        return None


def _known_class(name: str) -> Any:
    if name in ccxt.exchanges:
        return getattr(ccxt, name)
    near = difflib.get_close_matches(name, ccxt.exchanges, n=1)
    guess = f"did you mean {near[0]!r}?" if near else "choose one of ccxt.exchanges."
    raise MarketError(f"ccxt knows no exchange {name!r}; {guess}")


def _moved(addresses: Any, base_url: str) -> Any:
    """Replace scheme and host of every address, however deep it lies."""
    if isinstance(addresses, dict):
        return {name: _moved(value, base_url) for name, value in addresses.items()}
    return _HOST.sub(base_url, addresses) if isinstance(addresses, str) else addresses
