"""What truly happened on the exchange: every market's candles, and what is visible now.

Times are open times in milliseconds since 1970, UTC. Prices and volumes are exact to
eight decimals, so that the text on the wire reads back as the same float.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

HOUR_MS = 3_600_000
COLUMNS = ["open", "high", "low", "close", "volume"]
DECIMALS = 8


@dataclass(frozen=True)
class Market:
    """One pair: its hourly candles, oldest first, gaps and all.

    ``numbers`` has a row per candle: open, high, low, close in quote currency and
    volume in base currency. A market that is no longer ``active`` keeps its history.
    """

    base: str
    quote: str
    open_ms: np.ndarray
    numbers: np.ndarray
    active: bool = True

    @classmethod
    def from_frame(
        cls, symbol: str, candles: pd.DataFrame, *, active: bool = True
    ) -> "Market":
        """Read the pair from a name such as BTCUSDT and its candles from a frame."""
        quote = next(q for q in ("USDT", "USDC", "EUR") if symbol.endswith(q))
        stamp = candles["timestamp"].to_numpy("datetime64[ms]").astype("int64")
        numbers = np.round(candles[COLUMNS].to_numpy("float64"), DECIMALS)
        return cls(symbol.removesuffix(quote), quote, stamp, numbers, active)

    @property
    def symbol(self) -> str:
        """The pair as Binance writes it."""
        return self.base + self.quote

    def to_frame(self) -> pd.DataFrame:
        """Return all candles, with the stamps that the project uses."""
        stamp = pd.to_datetime(self.open_ms, unit="ms", utc=True).as_unit("us")
        frame = pd.DataFrame(self.numbers, columns=COLUMNS)
        frame.insert(0, "timestamp", stamp)
        return frame


class Book:
    """The markets of the exchange, by symbol, and how much of each can be seen.

    ``settles_after_s`` is how long after its close a candle still lacks late trades:
    until then it is served as it first looked, and later with its true numbers.
    """

    def __init__(
        self, markets: Mapping[str, Market], *, settles_after_s: float = 0.0
    ) -> None:
        self.markets = dict(markets)
        self.settles_after_ms = int(settles_after_s * 1000)

    @classmethod
    def from_folder(cls, folder: Path) -> "Book":
        """Read ``<symbol>-1h.parquet`` files."""
        files = {p.stem.removesuffix("-1h"): p for p in folder.glob("*-1h.parquet")}
        return cls(
            {
                symbol: Market.from_frame(symbol, pd.read_parquet(path))
                for symbol, path in sorted(files.items())
            }
        )

    def finished(self, symbol: str, now_ms: int) -> pd.DataFrame:
        """Return the true candles that have closed by now: what a store should hold."""
        market = self.markets[symbol]
        count = np.searchsorted(market.open_ms, now_ms - HOUR_MS, side="right")
        return market.to_frame().iloc[: int(count)]

    def rows(
        self, symbol: str, first_ms: int, last_ms: int, now_ms: int
    ) -> list[tuple[int, np.ndarray]]:
        """Return open time and values of the candles visible in a span, both ends in.

        The last of them may be unfinished: it then holds the part that has traded.
        """
        market = self.markets[symbol]
        begin, end = np.searchsorted(
            market.open_ms, [first_ms, min(last_ms, now_ms) + 1]
        )
        found = list(
            zip(
                market.open_ms[begin:end].tolist(),
                market.numbers[begin:end],
                strict=True,
            )
        )
        # Only the youngest two can be unfinished or unsettled.
        return found[:-2] + [
            (stamp, self._seen(stamp, values, now_ms)) for stamp, values in found[-2:]
        ]

    def _seen(self, open_ms: int, values: np.ndarray, now_ms: int) -> np.ndarray:
        age = now_ms - open_ms
        if age < HOUR_MS:
            return part_of(values, age / HOUR_MS)
        if age < HOUR_MS + self.settles_after_ms:
            return part_of(values, 0.999)
        return values


def part_of(values: np.ndarray, share: float) -> np.ndarray:
    """Return a candle of which only a share has traded; no number but open is final."""
    opened, high, low, close, volume = values
    price = opened + share * (close - opened)
    top, bottom = max(opened, price), min(opened, price)
    seen = [
        opened,
        top + 0.9 * share * (high - top),
        bottom - 0.9 * share * (bottom - low),
        price,
        0.99 * share * volume,
    ]
    return np.round(np.array(seen), DECIMALS)
