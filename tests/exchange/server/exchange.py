"""The exchange behind the server: what becomes of one request."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from exchange.server.clock import ScaledClock
from exchange.server.dialect import Answer, Dialect, Query, Rows
from exchange.server.faults import (
    BODY,
    CLIENT,
    DOOR,
    PAGE,
    WIRE,
    Fault,
    FaultPlan,
    spoil,
)
from exchange.server.ledger import Entry, Ledger
from exchange.server.limits import Verdict

JSON, HTML = "application/json;charset=UTF-8", "text/html"
SERVER_ERRORS = (500, 502, 503, 504)


@dataclass(frozen=True)
class Reply:
    """Bytes for the wire, and what happens to the connection on the way (``wire``)."""

    status: int
    body: bytes
    headers: dict[str, str]
    wire: Fault | None = None


@dataclass
class Exchange:
    """A dialect, the clock of the exchange, its faults and what was asked of it.

    ``on_kill`` is called when the plan says that the client shall die now.
    """

    dialect: Dialect
    clock: ScaledClock
    faults: FaultPlan = field(default_factory=FaultPlan)
    ledger: Ledger = field(default_factory=Ledger)
    on_kill: Callable[[Fault], None] | None = None
    # How many storms and bans, and how many deaths of the client, a plan may bring.
    doors: int = 2
    kills: int = 3
    lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, path: str, query: Query) -> Reply:
        """Count a request, spoil it if the plan says so, and answer it."""
        now_ms = self.clock.now_ms()
        symbol = self.dialect.symbol(query)
        limit = self.dialect.limit_of(path)
        verdict = limit.admit(now_ms, self.dialect.weigh(path))
        fault = self._draw(symbol) if verdict.status == 200 else None
        if fault and fault.kind in DOOR:
            verdict = self._shut(path, fault, now_ms)
        if fault and fault.kind in CLIENT and self.on_kill:
            self.on_kill(fault)
        reply = self._reply(path, query, now_ms, verdict, fault)
        self.ledger.write(
            Entry(
                now_ms,
                path,
                symbol,
                reply.status,
                fault.kind if fault else "",
                verdict.own_fault,
            )
        )
        return reply

    def _draw(self, symbol: str) -> Fault | None:
        """Return what the plan says, unless there has been enough of its kind."""
        fault = self.faults.next(symbol)
        with self.lock:
            if fault and fault.kind in DOOR:
                self.doors -= 1
                return fault if self.doors >= 0 else None
            if fault and fault.kind in CLIENT:
                self.kills -= 1
                return fault if self.kills >= 0 else None
        return fault

    def _shut(self, path: str, fault: Fault, now_ms: int) -> Verdict:
        status, longest_s = self.dialect.doors[fault.kind]
        seconds = 1 + int(fault.size * longest_s)
        return self.dialect.limit_of(path).shut(status, now_ms, seconds)

    def _reply(
        self,
        path: str,
        query: Query,
        now_ms: int,
        verdict: Verdict,
        fault: Fault | None,
    ) -> Reply:
        if verdict.status != 200:
            answer, headers = self.dialect.refuse(verdict)
            return _encoded(answer, headers)

        def deform(rows: Rows) -> Rows:
            return spoil(rows, fault) if fault and fault.kind in PAGE else rows

        answer = self.dialect.answer(path, query, now_ms, deform)
        reply = _encoded(answer, self.dialect.headers(verdict))
        if fault and fault.kind in BODY:
            return _broken(reply, fault)
        if fault and fault.kind in WIRE:
            return Reply(reply.status, reply.body, reply.headers, fault)
        return reply


def _encoded(answer: Answer, headers: dict[str, str]) -> Reply:
    body = json.dumps(answer.payload, separators=(",", ":")).encode()
    return Reply(answer.status, body, headers | {"Content-Type": JSON})


def _broken(reply: Reply, fault: Fault) -> Reply:
    if fault.kind == "truncated":
        end = 1 + int(fault.size * (len(reply.body) - 1))
        return Reply(reply.status, reply.body[:end], reply.headers)
    if fault.kind == "html":
        page = b"<html><body>Back in a minute.</body></html>"
        return Reply(200, page, {"Content-Type": HTML})
    status = SERVER_ERRORS[int(fault.size * len(SERVER_ERRORS))]
    page = f"<html><body>{status}</body></html>".encode()
    return Reply(status, page, {"Content-Type": HTML})
