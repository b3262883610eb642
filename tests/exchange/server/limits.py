"""How much an exchange lets one client ask for, and what it does to one who goes on."""

import threading
from dataclasses import dataclass, field

SECOND_MS = 1000
MINUTE_MS = 60_000


@dataclass
class Limit:
    """At most ``weight`` per ``span_ms`` of the exchange's clock, in fixed windows.

    Whoever exceeds it is told to wait for the window's end (429). Requests that were
    already under way may still arrive, ``patience`` of them; one more while the wait
    lasts, and the client is banned for ``ban_s`` (418). Zero weight means no limit.
    """

    weight: int
    span_ms: int = MINUTE_MS
    patience: int = 16
    ban_s: int = 120
    used: int = 0
    window: int = -1
    closed_until_ms: int = 0
    banned_until_ms: int = 0
    defied: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, now_ms: int, weight: int) -> "Verdict":
        """Count a request and say whether it is served."""
        with self.lock:
            if now_ms < self.banned_until_ms:
                return self._ignored(now_ms)
            if now_ms < self.closed_until_ms:
                return self._defy(now_ms)
            self._count(now_ms, weight)
            if self.weight and self.used > self.weight:
                end = (self.window + 1) * self.span_ms
                self._close(end)
                return self._refuse(429, now_ms, end, own_fault=True)
            return Verdict(200, self.used)

    def shut(self, status: int, now_ms: int, seconds: int) -> "Verdict":
        """Close the door although the client did nothing wrong: a storm, or a ban."""
        with self.lock:
            until = now_ms + seconds * SECOND_MS
            if status == 418:
                self.banned_until_ms = until
            self._close(until)
            return self._refuse(status, now_ms, until)

    def _count(self, now_ms: int, weight: int) -> None:
        window = now_ms // self.span_ms
        if window != self.window:
            self.window, self.used = window, 0
        self.used += weight

    def _close(self, until_ms: int) -> None:
        self.closed_until_ms = max(self.closed_until_ms, until_ms)
        self.defied = 0

    def _defy(self, now_ms: int) -> "Verdict":
        self.defied += 1
        if self.defied <= self.patience:
            return self._refuse(429, now_ms, self.closed_until_ms)
        self.banned_until_ms = now_ms + self.ban_s * SECOND_MS
        self.defied = 0
        return self._refuse(418, now_ms, self.banned_until_ms, own_fault=True)

    def _ignored(self, now_ms: int) -> "Verdict":
        self.defied += 1
        until, insists = self.banned_until_ms, self.defied > self.patience
        return self._refuse(418, now_ms, until, own_fault=insists)

    def _refuse(
        self, status: int, now_ms: int, until_ms: int, *, own_fault: bool = False
    ) -> "Verdict":
        # Whole seconds, rounded up: whoever waits that long is in time.
        wait = -((now_ms - until_ms) // SECOND_MS)
        return Verdict(status, self.used, wait, until_ms, own_fault)


@dataclass(frozen=True)
class Verdict:
    """The status of a request, the weight used so far and, if refused, the wait.

    ``own_fault`` marks the refusal that the client brought upon itself.
    """

    status: int
    used: int
    wait_s: int = 0
    until_ms: int = 0
    own_fault: bool = False
