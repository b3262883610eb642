"""Kraken spot: only the youngest 720 candles, however far back one asks.

After the public description of ``GetOHLCData``: ``since`` (seconds, exclusive) hides
older candles but never reaches behind the last 720, the unfinished one included. The
public limit is a request a second and pair; none is enforced here, since a history is
a single page.
"""

from typing import ClassVar

from exchange.server.book import HOUR_MS, Book
from exchange.server.dialect import Answer, Deform, Query, Rows
from exchange.server.limits import Limit, Verdict

MOST_ROWS = 720


class KrakenSpot:
    """Speaks ``/0/public`` about a book."""

    doors: ClassVar = {"storm": (429, 10), "ban": (429, 10)}

    def __init__(self, book: Book) -> None:
        self.book = book
        self.limit = Limit(0)

    def limit_of(self, path: str) -> Limit:
        del path
        return self.limit

    def weigh(self, path: str) -> int:
        del path
        return 1

    def symbol(self, query: Query) -> str:
        return query.get("pair", "")

    def headers(self, verdict: Verdict) -> dict[str, str]:
        del verdict
        return {}

    def refuse(self, verdict: Verdict) -> tuple[Answer, dict[str, str]]:
        answer = Answer({"error": ["EGeneral:Too many requests"]}, verdict.status)
        return answer, {"Retry-After": str(verdict.wait_s)}

    def answer(self, path: str, query: Query, now_ms: int, deform: Deform) -> Answer:
        if path == "/0/public/Time":
            return _result({"unixtime": now_ms // 1000})
        if path == "/0/public/Assets":
            return _result({})
        if path == "/0/public/AssetPairs":
            return _result(self._pairs())
        if path == "/0/public/OHLC":
            return self._candles(query, now_ms, deform)
        return Answer({"error": ["EGeneral:Unknown method"]}, 404)

    def _candles(self, query: Query, now_ms: int, deform: Deform) -> Answer:
        symbol = self.symbol(query)
        if symbol not in self.book.markets:
            return Answer({"error": ["EQuery:Unknown asset pair"]})
        found = self.book.rows(symbol, 0, now_ms, now_ms)[-MOST_ROWS:]
        since_ms = int(float(query.get("since", 0))) * 1000
        rows: Rows = [
            _row(stamp, *values) for stamp, values in found if stamp > since_ms
        ]
        last = (now_ms - now_ms % HOUR_MS - HOUR_MS) // 1000
        return _result({symbol: deform(rows), "last": last})

    def _pairs(self) -> dict[str, dict[str, object]]:
        return {
            symbol: {
                "altname": symbol,
                "wsname": f"{market.base}/{market.quote}",
                "base": market.base,
                "quote": market.quote,
                "pair_decimals": 8,
                "lot_decimals": 8,
                "leverage_buy": [],
                "leverage_sell": [],
                "fees": [[0, 0.4]],
                "fees_maker": [[0, 0.25]],
                "ordermin": "0.00001",
                "status": "online" if market.active else "delisted",
            }
            for symbol, market in self.book.markets.items()
        }


def _row(stamp: int, *values: float) -> list[object]:
    opened, high, low, close, volume = (f"{value:.8f}" for value in values)
    return [stamp // 1000, opened, high, low, close, close, volume, 100]


def _result(result: object) -> Answer:
    return Answer({"error": [], "result": result})
