"""What goes wrong, drawn from a seed: which request suffers, and from what.

A fault depends on the seed, the pair and the count of that pair's requests alone, so
that a schedule does the same to each pair however the threads of a client take turns.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

import numpy as np

from exchange.server.dialect import Rows

# How a connection ends, instead of with an answer.
WIRE = ("drop", "reset", "cut", "stall", "restart")
# What stands in the place of an answer.
BODY = ("truncated", "html", "server_error")
# What happens to the candles of a page.
PAGE = ("partial", "empty", "duplicated", "reordered", "muddled")
# What the exchange does to everybody for a while.
DOOR = ("storm", "ban")
CLIENT = ("kill",)

BURST = 3


class Fault(NamedTuple):
    """What to do to a request; ``size`` in [0, 1) says how hard, or how long."""

    kind: str
    size: float
    seed: int

    def rng(self) -> np.random.Generator:
        """Return the generator that decides the details."""
        return np.random.default_rng(self.seed)


@dataclass
class FaultPlan:
    """A share ``rate`` of the requests suffers, at most ``budget`` of each pair."""

    seed: int = 0
    rate: float = 0.0
    kinds: tuple[str, ...] = ()
    budget: int = 6
    seen: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    bursts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, symbol: str) -> Fault | None:
        """Return what happens to the pair's next request, if anything does."""
        with self.lock:
            self.seen[symbol] += 1
            rng = np.random.default_rng(
                [self.seed, crc32(symbol.encode()), self.seen[symbol]]
            )
            if self.bursts[symbol]:
                self.bursts[symbol] -= 1
                return self._fault("server_error", rng)
            if rng.random() >= self.rate or self.spent[symbol] >= self.budget:
                return None
            self.spent[symbol] += 1
            fault = self._fault(str(rng.choice(self.kinds)), rng)
            if fault.kind == "server_error":
                self.bursts[symbol] = int(fault.size * BURST)
            return fault

    def _fault(self, kind: str, rng: np.random.Generator) -> Fault:
        return Fault(kind, float(rng.random()), int(rng.integers(2**31)))


def spoil(rows: Rows, fault: Fault) -> Rows:
    """Return a page of candles as a faulty exchange would send it."""
    rng, count = fault.rng(), len(rows)
    if count < 2:
        return [] if fault.kind == "empty" else rows
    places = {
        "empty": np.arange(0),
        "partial": np.arange(1 + int(fault.size * (count - 1))),
        "duplicated": np.repeat(np.arange(count), rng.integers(1, 3, count)),
        "reordered": rng.permutation(count),
        "muddled": rng.permutation(np.tile(np.arange(count), 2)),
    }
    return [rows[place] for place in places[fault.kind]]
