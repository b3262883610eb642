"""Candles as a store holds them, a clock that waits without waiting, a small server."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.store import COLUMNS

# The loopback exchange has tests of its own beside these.
sys.path.insert(0, str(Path(__file__).parents[2]))

Stored = Callable[[Sequence[int]], pd.DataFrame]


@pytest.fixture(scope="session")
def stored_at(candles_at) -> Stored:
    """Candles at hours after the origin, with the columns of the store."""
    return lambda hours: candles_at(hours)[COLUMNS]


@dataclass
class Hourglass:
    """Time that passes only when somebody sleeps; remembers for how long."""

    moment: datetime = datetime(2024, 3, 1, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    def now(self) -> datetime:
        return self.moment + timedelta(seconds=self.timer())

    def timer(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds

    def clock(self) -> Clock:
        return Clock(self.now, self.sleep, self.timer)


@pytest.fixture
def hourglass() -> Hourglass:
    return Hourglass()


@dataclass
class Script:
    """Answers in the order given, the last one again and again; keeps the requests.

    An answer is (status, body, headers); a body that is no text is sent as JSON.
    """

    url: str = ""
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def reply(self, path: str, headers: dict[str, str]) -> tuple[int, Any, Any]:
        self.requests.append((path, headers))
        return self.answers[min(len(self.requests), len(self.answers)) - 1]


@pytest.fixture
def script() -> Iterator[Script]:
    """A server on a port of 127.0.0.1 that says what it is told to say."""
    told = Script()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = told.reply(self.path, dict(self.headers))
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()
