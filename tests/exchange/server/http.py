"""The exchange on a port of 127.0.0.1, with many clients at a time.

A fault of the wire is real: sockets are closed, reset, left open or not listened to.
"""

import contextlib
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from exchange.server.exchange import Exchange, Reply

STALL_S = 0.6
LONGEST_OUTAGE_S = 0.15
REBIND_S = 0.01


class LoopbackServer:
    """Serves an exchange until told to stop; survives restarts on one port."""

    def __init__(self, exchange: Exchange, *, stall_s: float = STALL_S) -> None:
        self.exchange = exchange
        self.stall_s = stall_s
        self._port = 0
        self._lock = threading.Lock()
        self._listener: _Listener | None = None
        self._stopped = False
        self._open()

    @property
    def url(self) -> str:
        """The root of all paths, without a slash at its end."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "LoopbackServer":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopped = True
        self._close()

    def restart(self, down_s: float) -> None:
        """Hang up on everybody, refuse connections for a while, then be back."""
        threading.Thread(target=self._restart, args=(down_s,), daemon=True).start()

    def _restart(self, down_s: float) -> None:
        self._close()
        time.sleep(down_s)
        while True:
            try:
                return self._open()
            except OSError:
                # An old connection may still hold the port for a moment.
                time.sleep(REBIND_S)

    def _open(self) -> None:
        with self._lock:
            if self._stopped or self._listener is not None:
                return
            listener = _Listener(self, self._port)
            self._port = listener.server_address[1]
            self._listener = listener
        threading.Thread(
            target=listener.serve_forever, args=(0.01,), daemon=True
        ).start()

    def _close(self) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()
            listener.hang_up()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, owner: LoopbackServer, port: int) -> None:
        self.owner = owner
        self._live: set[socket.socket] = set()
        self._aborted: set[socket.socket] = set()
        self._live_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:
        with self._live_lock:
            self._live.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        with self._live_lock:
            self._live.discard(request)
            aborted = request in self._aborted
            self._aborted.discard(request)
        if aborted:
            # Only a close without the farewell of a shutdown sends a reset.
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def abort(self, request: socket.socket) -> None:
        """Let the connection end with a reset."""
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._live_lock:
            self._aborted.add(request)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        with self._live_lock:
            live, self._live = self._live, set()
        for connection in live:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address
        error = sys.exception()
        # A client that goes away is no error of the server.
        if error is not None and not isinstance(error, OSError):
            self.owner.exchange.ledger.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        reply = self.server.owner.exchange.receive(url.path, dict(parse_qsl(url.query)))
        if reply.wire is None:
            self._send(reply, len(reply.body))
        else:
            self._fail(reply, reply.wire.kind, reply.wire.size)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the ledger tells."""

    def _send(self, reply: Reply, length: int) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[:length])

    def _fail(self, reply: Reply, kind: str, size: float) -> None:
        owner = self.server.owner
        if kind in {"reset", "cut"}:
            self._send(reply, int(size * len(reply.body)))
        if kind == "reset":
            self.server.abort(self.connection)
        if kind == "stall":
            time.sleep(owner.stall_s)
        if kind == "restart":
            owner.restart(size * LONGEST_OUTAGE_S)
        self.close_connection = True
