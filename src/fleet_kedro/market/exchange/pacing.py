"""The one pace at which all threads together ask an exchange.

Requests are spaced, never bunched: after a request of weight ``w`` the next one waits
for as long as the exchange needs to grant ``w`` again. However the exchange places its
windows, and even if a killed update is followed by another at once, no window holds
more than its share.
"""

import threading

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock

SHORTEST_WAIT_SECONDS = 1e-6


class Pace:
    """Whose turn it is to ask.

    Parameters
    ----------
    name
        What is asked, for messages.
    share
        The part of what the exchange allows that may be used.
    least_seconds
        Seconds between two requests, however light; zero: as their weights say.
    longest_wait_seconds
        A longer wait is refused: nobody wants to watch it.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        share: float = 1.0,
        least_seconds: float = 0.0,
        longest_wait_seconds: float = float("inf"),
    ) -> None:
        self._name = name
        self._clock = clock
        self._share = share
        self._least_seconds = least_seconds
        self._longest_wait_seconds = longest_wait_seconds
        self._free_at = self._open_at = clock.timer()
        self._lock = threading.Lock()

    def wait_turn(self, weight_seconds: float) -> None:
        """Wait until a request may be sent that takes ``weight_seconds`` to grant.

        Raises
        ------
        MarketError
            If the exchange is closed to us for longer than anybody would wait.
        """
        spacing = max(weight_seconds / self._share, self._least_seconds)
        while (wait := self._take_turn(spacing)) > 0:
            self._clock.sleep(wait)

    def close_for(self, seconds: float) -> None:
        """Let nobody ask for this many seconds."""
        with self._lock:
            self._open_at = max(self._open_at, self._clock.timer() + seconds)

    def _take_turn(self, spacing: float) -> float:
        """Take the turn and return zero, or return how long to wait for the next."""
        with self._lock:
            now = self._clock.timer()
            if self._open_at - now > self._longest_wait_seconds:
                minutes = (self._open_at - now) / 60
                raise MarketError(
                    f"{self._name} wants to be left alone for {minutes:.0f} minutes; "
                    "run the update again after that."
                )
            opens = max(self._free_at, self._open_at)
            # A timer that is read in floats may stay a hair short of any moment.
            if opens - now > SHORTEST_WAIT_SECONDS:
                return opens - now
            self._free_at = now + spacing
            return 0.0
