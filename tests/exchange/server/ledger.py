"""What clients asked for, in the order in which it arrived."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Entry(NamedTuple):
    """One request: when, what for, how it ended and what was done to it on purpose."""

    at_ms: int
    path: str
    symbol: str
    status: int
    fault: str
    own_fault: bool


@dataclass
class Ledger:
    """All requests, and any error of the server itself, which no test may see."""

    entries: list[Entry] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, entry: Entry) -> None:
        """Add a request."""
        with self.lock:
            self.entries.append(entry)

    def offences(self) -> list[Entry]:
        """Return the refusals that the client brought upon itself."""
        return [entry for entry in self.entries if entry.own_fault]

    def faults(self) -> Counter[str]:
        """Count what was done to requests on purpose."""
        return Counter(entry.fault for entry in self.entries if entry.fault)

    def symbols(self) -> Counter[str]:
        """Count the requests for candles by symbol."""
        return Counter(entry.symbol for entry in self.entries if entry.symbol)
