"""One exchange, asked until it answers or it is clear that it will not.

What passes is tried again after a pause that doubles and is spread at random, so that
many clients do not come back together: answers 5xx, timeouts, lost connections, bodies
cut short. 429 and 418 stop every thread for as long as the exchange says.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import ccxt
import numpy as np
import pandas as pd
import requests

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.hours import MILLISECONDS
from fleet_kedro.market.exchange.pacing import Pace
from fleet_kedro.market.exchange.polite import (
    make_exchange,
    secrets_of,
    told_weight_per_minute,
)
from fleet_kedro.market.exchange.redaction import redact
from fleet_kedro.market.exchange.settings import ExchangeSource, Venue

# Answers that asking again cannot change.
FINAL = {400, 401, 404, 405, 407, 410, 422, 451}
REFUSED = {418, 429}
SERVER_ERROR = 500
# What ccxt stumbles over when an answer is JSON but not what it should be.
UNREADABLE = (LookupError, TypeError, ValueError)
LARGE_SKEW_SECONDS = 60
LONGEST_REASON = 160
UNKNOWN_PAGE_LIMIT = 100
USED_WEIGHT = "x-mbx-used-weight-1m"
MARKETS = ("markets", "markets_by_id", "symbols", "ids", "currencies")

_BANNED_UNTIL = re.compile(r"until (\d{13})")

T = TypeVar("T")
Rows = list[list[float | int | None]]
"""Open time in milliseconds, open, high, low, close, volume, as ccxt tells them."""


@dataclass
class Terms:
    """What the exchange tells about itself, once for all threads.

    ``ahead_seconds`` is how far its time is ahead of ours; ``weight_per_minute`` is
    what it grants, if it says so.
    """

    ahead_seconds: float = 0.0
    weight_per_minute: float | None = None


logger = logging.getLogger(__name__)


class Client:
    """Asks one venue; each thread has its own, and all of them one pace.

    Parameters
    ----------
    rng
        Spreads the pauses before a request is repeated.
    """

    def __init__(
        self,
        venue: Venue,
        source: ExchangeSource,
        clock: Clock,
        rng: np.random.Generator,
        pace: Pace | None = None,
    ) -> None:
        self.venue = venue
        self._source = source
        self._clock = clock
        self._rng = rng
        self._pace = pace or _make_pace(venue, source, clock)
        self._exchange = make_exchange(venue, source, clock, self._pace)
        self._secrets = secrets_of(source)
        self._terms = Terms()

    def connect(self) -> pd.Timestamp:
        """Learn the exchange's markets; return its time, not later than now.

        Raises
        ------
        MarketError
            If the exchange cannot be reached; says why.
        """
        moment = self._server_time()
        ahead = (moment - self._clock.now()).total_seconds()
        if abs(ahead) > LARGE_SKEW_SECONDS:
            logger.warning(
                "The time of %s, which counts, is %+.0f s off this machine's clock.",
                self.venue.exchange,
                ahead,
            )
        self._exchange.ahead_seconds = ahead
        self._ask(self._exchange.load_markets, "its markets")
        told = told_weight_per_minute(self._exchange.last_http_response)
        self._terms = Terms(ahead, told)
        return moment

    def copy(self) -> "Client":
        """Return a client for another thread: the same markets, the same pace."""
        (rng,) = self._rng.spawn(1)
        twin = Client(self.venue, self._source, self._clock, rng, self._pace)
        twin._terms = self._terms
        twin._exchange.ahead_seconds = self._terms.ahead_seconds
        for name in MARKETS:
            setattr(twin._exchange, name, getattr(self._exchange, name))
        return twin

    @property
    def page_limit(self) -> int:
        """Candles that a request may ask for."""
        spot = (self._exchange.features or {}).get("spot") or {}
        documented = (spot.get("fetchOHLCV") or {}).get("limit") or UNKNOWN_PAGE_LIMIT
        return min(self._source.page_limit or documented, documented)

    def market(self, symbol: str, coin: str) -> str | None:
        """Return ccxt's name of the spot market that the exchange calls ``symbol``.

        Where symbols are built otherwise, the market of ``coin`` in the quote currency
        is meant. None if there is neither.
        """
        candidates = [
            *(self._exchange.markets_by_id.get(symbol) or []),
            self._exchange.markets.get(f"{coin}/{self.venue.quote}"),
        ]
        return next((m["symbol"] for m in candidates if m and m.get("spot")), None)

    def candles(self, market: str, since_hour: int, count: int) -> Rows:
        """Ask for up to ``count`` hourly candles from an hour on.

        Rows are open time in milliseconds, open, high, low, close, volume. There may
        be fewer or others than asked for; the youngest may be unfinished.

        Raises
        ------
        MarketError
            If the exchange refuses, or does not answer however often it is asked.
        """
        page: Rows = self._ask(
            lambda: self._exchange.fetch_ohlcv(
                market, "1h", since_hour * MILLISECONDS, count
            ),
            market,
        )
        return page

    def _server_time(self) -> pd.Timestamp:
        if not self._exchange.has.get("fetchTime"):
            return pd.Timestamp(self._clock.now())
        milliseconds = self._ask(self._exchange.fetch_time, "its time")
        return pd.Timestamp(int(milliseconds), unit="ms", tz="UTC")

    def _ask(self, request: Callable[[], T], about: str) -> T:
        """Send a request until it is answered, a hopeless answer comes, or we give up.

        Errors of ccxt hold addresses and more, so they are told in our words only.
        """
        for attempt in range(1, self._source.max_attempts + 1):
            try:
                answer = request()
            except MarketError:
                raise
            except (ccxt.BaseError, *UNREADABLE) as error:
                problem = error
            else:
                if answer is not None:
                    self._mind_used_weight()
                    return answer
                problem = ccxt.BadResponse("the answer is empty")
            reason = self._reason(problem)
            if not self._may_pass(problem):
                raise MarketError(
                    f"{self.venue.exchange} refuses to answer about {about} ({reason})."
                ) from None
            if attempt < self._source.max_attempts:
                self._pause(attempt, problem)
        raise MarketError(
            f"{self.venue.exchange} did not answer about {about} in "
            f"{self._source.max_attempts} attempts ({reason}); run the update again."
        ) from None

    def _mind_used_weight(self) -> None:
        """Wait for the next minute if others who ask from here have used this one."""
        used = self._header(USED_WEIGHT)
        granted = self._terms.weight_per_minute
        if used and granted and float(used) >= self._source.weight_share * granted:
            now = self._clock.now().timestamp() + self._terms.ahead_seconds
            self._pace.close_for(60 - now % 60 + 1)

    def _may_pass(self, error: Exception) -> bool:
        if self._exchange.last_status in FINAL:
            return False
        is_broken_line = isinstance(
            error.__cause__, requests.RequestException
        ) and not isinstance(error.__cause__, requests.HTTPError)
        return (
            isinstance(error, (ccxt.OperationFailed, *UNREADABLE))
            or is_broken_line
            or self._exchange.last_status >= SERVER_ERROR
        )

    def _pause(self, attempt: int, error: Exception) -> None:
        """Wait before the next attempt; after a refusal, let everybody wait."""
        pause = self._source.pause_after(attempt, self._rng)
        if self._exchange.last_status in REFUSED or isinstance(
            error, ccxt.DDoSProtection | ccxt.RateLimitExceeded
        ):
            told = self._told_to_wait(error)
            logger.info(
                "%s wants us to wait %.0f s.", self.venue.exchange, max(told, pause)
            )
            self._pace.close_for(told + pause)
        else:
            self._clock.sleep(pause)

    def _told_to_wait(self, error: Exception) -> float:
        """Return the seconds that the exchange names, else zero."""
        told = self._header("retry-after") or ""
        if told.strip().isdigit():
            return float(told)
        banned = _BANNED_UNTIL.search(str(error))
        if banned is None:
            return 0.0
        now = self._clock.now().timestamp() + self._terms.ahead_seconds
        return max(0.0, int(banned[1]) / 1000 - now)

    def _header(self, name: str) -> str | None:
        headers = self._exchange.last_headers
        return next((v for k, v in headers.items() if k.lower() == name), None)

    def _reason(self, error: Exception) -> str:
        text = redact(" ".join(str(error).split()), self._secrets)
        status = self._exchange.last_status
        told = f"{type(error).__name__}{f' {status}' if status else ''}"
        return f"{told}: {text}"[:LONGEST_REASON]


def _make_pace(venue: Venue, source: ExchangeSource, clock: Clock) -> Pace:
    per_second = source.max_requests_per_second
    return Pace(
        venue.exchange,
        clock,
        share=source.weight_share,
        least_seconds=1 / per_second if per_second else 0.0,
        longest_wait_seconds=source.longest_wait_seconds,
    )
