"""What an exchange's own way of speaking has to offer to the server."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from exchange.server.limits import Limit, Verdict

Query = Mapping[str, str]
Rows = list[list[object]]
Deform = Callable[[Rows], Rows]


class Answer(NamedTuple):
    """Status and body of an answer; the body is turned into JSON."""

    payload: object
    status: int = 200


class Dialect(Protocol):
    """Paths, formats, limits and refusals of one exchange.

    ``doors`` says what storms and bans are like: a status, and the longest in seconds.
    """

    doors: Mapping[str, tuple[int, int]]
    limit_of: Callable[[str], Limit]

    def weigh(self, path: str) -> int:
        """Say what a request costs."""

    def symbol(self, query: Query) -> str:
        """Return the pair that candles are asked of, as the book names it."""

    def answer(self, path: str, query: Query, now_ms: int, deform: Deform) -> Answer:
        """Serve a request; ``deform`` spoils a page of candles, or returns it as is."""

    def refuse(self, verdict: Verdict) -> tuple[Answer, dict[str, str]]:
        """Refuse a request, with the headers that go with it."""

    def headers(self, verdict: Verdict) -> dict[str, str]:
        """Return the headers of a request that is served."""
