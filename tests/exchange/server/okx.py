"""OKX spot: candles newest first, at most 300, requests counted by the two seconds.

After the public description of the v5 REST API (market data). ``after`` and ``before``
name open times, both exclusive, and mean older and newer than; of what lies between,
the newest come first and only as many as fit. Recent candles (the last 1,440) and the
history have paths of their own, with 40 and 20 requests in two seconds. A refusal
names no time to wait.
"""

from typing import ClassVar

from exchange.server.book import HOUR_MS, Book
from exchange.server.dialect import Answer, Deform, Query, Rows
from exchange.server.limits import SECOND_MS, Limit, Verdict

DEFAULT_ROWS, MOST_ROWS = 100, 300
RECENT_ROWS = 1440
RECENT, HISTORY = "/api/v5/market/candles", "/api/v5/market/history-candles"
PAIRS, TIME = "/api/v5/public/instruments", "/api/v5/public/time"
REQUESTS = {RECENT: 40, HISTORY: 20, PAIRS: 20, TIME: 10}
FAR_FUTURE_MS = FOR_EVER = 2**53


class OkxSpot:
    """Speaks ``/api/v5`` about a book; ``share`` scales the limits, zero lifts them.

    Nobody is banned for asking again, since nobody is told how long to wait.
    """

    doors: ClassVar = {"storm": (429, 4), "ban": (429, 12)}

    def __init__(self, book: Book, *, share: float = 1.0) -> None:
        self.book = book
        self.limits = {
            path: Limit(int(count * share), 2 * SECOND_MS, patience=FOR_EVER)
            for path, count in REQUESTS.items()
        }

    def limit_of(self, path: str) -> Limit:
        return self.limits.get(path, self.limits[TIME])

    def weigh(self, path: str) -> int:
        del path
        return 1

    def symbol(self, query: Query) -> str:
        return query.get("instId", "").replace("-", "")

    def headers(self, verdict: Verdict) -> dict[str, str]:
        del verdict
        return {}

    def refuse(self, verdict: Verdict) -> tuple[Answer, dict[str, str]]:
        return _error("50011", "Too Many Requests")._replace(status=verdict.status), {}

    def answer(self, path: str, query: Query, now_ms: int, deform: Deform) -> Answer:
        if path == TIME:
            return _success([{"ts": str(now_ms)}])
        if path == PAIRS:
            return _success(self._pairs() if query.get("instType") == "SPOT" else [])
        if path in {RECENT, HISTORY}:
            return self._candles(path, query, now_ms, deform)
        return Answer({"code": "404", "msg": "no such path", "data": []}, 404)

    def _candles(self, path: str, query: Query, now_ms: int, deform: Deform) -> Answer:
        symbol = self.symbol(query)
        if symbol not in self.book.markets:
            return _error("51001", "Instrument ID does not exist")
        if query.get("bar") != "1H":
            return _error("51000", "Parameter bar error")
        return _success(deform(self._page(path, query, now_ms)))

    def _page(self, path: str, query: Query, now_ms: int) -> Rows:
        oldest = now_ms - RECENT_ROWS * HOUR_MS if path == RECENT else 0
        first = max(int(query.get("before", 0)) + 1, oldest)
        last = int(query.get("after", FAR_FUTURE_MS)) - 1
        limit = min(int(query.get("limit", DEFAULT_ROWS)), MOST_ROWS)
        found = self.book.rows(self.symbol(query), first, last, now_ms)
        return [
            _row(stamp, now_ms, *values) for stamp, values in reversed(found[-limit:])
        ]

    def _pairs(self) -> list[dict[str, str]]:
        return [
            {
                "instType": "SPOT",
                "instId": f"{market.base}-{market.quote}",
                "baseCcy": market.base,
                "quoteCcy": market.quote,
                "state": "live" if market.active else "suspend",
                "lotSz": "0.00000001",
                "minSz": "0.00001",
                "tickSz": "0.00000001",
                "lever": "",
                "listTime": str(market.open_ms[0]),
            }
            for market in self.book.markets.values()
        ]


def _row(stamp: int, now_ms: int, *values: float) -> list[object]:
    numbers = [f"{value:.8f}" for value in values]
    turnover = f"{values[3] * values[4]:.8f}"
    confirmed = "1" if now_ms >= stamp + HOUR_MS else "0"
    return [str(stamp), *numbers, turnover, turnover, confirmed]


def _success(data: object) -> Answer:
    return Answer({"code": "0", "msg": "", "data": data})


def _error(code: str, message: str) -> Answer:
    return Answer({"code": code, "msg": message, "data": []}, 400)
