"""Time as an update sees it: what it is now, how to wait, how to measure waiting."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the moment by this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """The three faces of time; all of them run at the same speed.

    Attributes
    ----------
    now
        The moment, UTC. It may be wrong, and it may be corrected on the way.
    sleep
        Waits for a number of seconds.
    timer
        Seconds since some beginning; never goes back.
    """

    now: Callable[[], datetime] = field(default=utc_now)
    sleep: Callable[[float], None] = field(default=time.sleep)
    timer: Callable[[], float] = field(default=time.monotonic)
