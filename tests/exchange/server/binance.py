"""Binance spot: candles oldest first, at most 1,000, weights by the minute.

After the public description of the spot REST API (general information, market data
endpoints). A start and an end are open times, both inclusive; with a start the page
begins there, without one it ends with the youngest candle. The unfinished candle is
part of it. A page costs 2, a list of pairs 20, out of 6,000 in a minute of the
exchange's clock; each answer names what has been used.
"""

from typing import ClassVar

from exchange.server.book import HOUR_MS, Book
from exchange.server.dialect import Answer, Deform, Query, Rows
from exchange.server.limits import Limit, Verdict

DEFAULT_ROWS, MOST_ROWS = 500, 1000
WEIGHT_PER_MINUTE = 6000
WEIGHTS = {"/api/v3/exchangeInfo": 20, "/api/v3/klines": 2}
FAR_FUTURE_MS = 2**53


class BinanceSpot:
    """Speaks ``/api/v3`` about a book."""

    doors: ClassVar = {"storm": (429, 40), "ban": (418, 150)}

    def __init__(self, book: Book, *, weight_per_minute: int = WEIGHT_PER_MINUTE):
        self.book = book
        self.limit = Limit(weight_per_minute)

    def limit_of(self, path: str) -> Limit:
        del path
        return self.limit

    def weigh(self, path: str) -> int:
        return WEIGHTS.get(path, 1)

    def symbol(self, query: Query) -> str:
        return query.get("symbol", "")

    def headers(self, verdict: Verdict) -> dict[str, str]:
        used = str(verdict.used)
        return {"x-mbx-used-weight": used, "x-mbx-used-weight-1m": used}

    def refuse(self, verdict: Verdict) -> tuple[Answer, dict[str, str]]:
        reason = (
            f"IP banned until {verdict.until_ms}"
            if verdict.status == 418
            else f"current limit is {self.limit.weight} request weight per 1 MINUTE"
        )
        answer = _error(-1003, f"Too much request weight used; {reason}.")
        headers = self.headers(verdict) | {"Retry-After": str(verdict.wait_s)}
        return answer._replace(status=verdict.status), headers

    def answer(self, path: str, query: Query, now_ms: int, deform: Deform) -> Answer:
        if path == "/api/v3/ping":
            return Answer({})
        if path == "/api/v3/time":
            return Answer({"serverTime": now_ms})
        if path == "/api/v3/exchangeInfo":
            return Answer(self._pairs(now_ms))
        if path == "/api/v3/klines":
            return self._candles(query, now_ms, deform)
        return Answer({"code": -1, "msg": "no such path"}, 404)

    def _candles(self, query: Query, now_ms: int, deform: Deform) -> Answer:
        symbol = self.symbol(query)
        if not symbol or "interval" not in query:
            missing = "interval" if symbol else "symbol"
            return _error(-1102, f"Mandatory parameter '{missing}' was not sent.")
        if symbol not in self.book.markets:
            return _error(-1121, "Invalid symbol.")
        if query["interval"] != "1h":
            return _error(-1120, "Invalid interval.")
        return Answer(deform(self._page(symbol, query, now_ms)))

    def _page(self, symbol: str, query: Query, now_ms: int) -> Rows:
        first = int(query.get("startTime", 0))
        last = int(query.get("endTime", FAR_FUTURE_MS))
        limit = min(int(query.get("limit", DEFAULT_ROWS)), MOST_ROWS)
        found = self.book.rows(symbol, first, last, now_ms)
        page = found[:limit] if "startTime" in query else found[-limit:]
        return [_kline(stamp, *values) for stamp, values in page]

    def _pairs(self, now_ms: int) -> dict[str, object]:
        limits = {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": self.limit.weight,
        }
        return {
            "timezone": "UTC",
            "serverTime": now_ms,
            "rateLimits": [limits],
            "exchangeFilters": [],
            "symbols": [
                {
                    "symbol": symbol,
                    "status": "TRADING" if market.active else "BREAK",
                    "baseAsset": market.base,
                    "baseAssetPrecision": 8,
                    "quoteAsset": market.quote,
                    "quotePrecision": 8,
                    "quoteAssetPrecision": 8,
                    "orderTypes": ["LIMIT", "MARKET"],
                    "isSpotTradingAllowed": True,
                    "isMarginTradingAllowed": False,
                    "filters": [
                        {"filterType": "PRICE_FILTER", "tickSize": "0.00000001"}
                    ],
                    "permissions": ["SPOT"],
                    "permissionSets": [["SPOT"]],
                }
                for symbol, market in self.book.markets.items()
            ],
        }


def _kline(stamp: int, *values: float) -> list[object]:
    numbers = [f"{value:.8f}" for value in values]
    turnover = f"{values[3] * values[4]:.8f}"
    half = f"{values[4] / 2:.8f}"
    return [stamp, *numbers, stamp + HOUR_MS - 1, turnover, 100, half, turnover, "0"]


def _error(code: int, message: str) -> Answer:
    return Answer({"code": code, "msg": message}, 400)
