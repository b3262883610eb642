"""A clock that starts where it is told to and may run faster than the one on the wall.

An exchange and its client share one, so that a minute's wait takes no minute. It reads
the machine's monotonic clock, which all processes have in common.
"""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pandas as pd

MILLISECONDS = 1000


@dataclass(frozen=True)
class ScaledClock:
    """Moments from ``start_ms`` (UTC) on, ``speed`` of its seconds in a real one."""

    start_ms: int
    speed: float = 1.0
    anchor: float = field(default_factory=time.monotonic)

    @classmethod
    def starting(cls, moment: str, speed: float = 1.0) -> "ScaledClock":
        """Start at a moment such as ``2024-02-29T23:59``."""
        start = pd.Timestamp(moment, tz="UTC")
        return cls(start.value // 1_000_000, speed)

    def now_ms(self) -> int:
        """Return milliseconds since 1970, as exchanges count them."""
        elapsed = (time.monotonic() - self.anchor) * self.speed
        return self.start_ms + int(elapsed * MILLISECONDS)

    def now(self) -> datetime:
        """Return the moment, aware of UTC."""
        return datetime.fromtimestamp(self.now_ms() / MILLISECONDS, UTC)

    def timer(self) -> float:
        """Return seconds of this clock since some beginning."""
        return time.monotonic() * self.speed

    def sleep(self, seconds: float) -> None:
        """Wait until this clock has gone on by ``seconds``."""
        time.sleep(max(seconds, 0.0) / self.speed)

    def moved(self, seconds: float) -> "ScaledClock":
        """Return a clock ``seconds`` ahead of this one, or behind if negative."""
        return replace(self, start_ms=self.start_ms + int(seconds * MILLISECONDS))
