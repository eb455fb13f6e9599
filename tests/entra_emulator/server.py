"""A listener: HTTP/1.1 with kept-alive connections, over TLS or plain, one thread a connection.

Not werkzeug's own server: that one closes each connection, and there is no way to break an answer on the wire.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import socketserver
import ssl
import sys
import threading
import time
import typing as t

from werkzeug.http import HTTP_STATUS_CODES

from .web import Answer, Request

MAX_BODY = 4 * 1024 * 1024
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY")

App = t.Callable[[Request], Answer]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Idle connections end by themselves, in case a client forgets them.
    timeout = 120
    server: Listener

    def serve(self) -> None:
        """Read the whole request, ask the application, write the answer."""
        try:
            body = self._read_body()
        except (OSError, ValueError) as exc:
            self.send_error(400, str(exc))
            return
        self._write(self.server.app(Request.of(self.server.name, self.command, self.path, self.headers.items(), body)))

    def _read_body(self) -> bytes:
        # Always to the end: what is left unread would be taken for the next request of the connection.
        length = self.headers.get("Content-Length", "0")
        # Nobody here sends a body in chunks.
        known = "Transfer-Encoding" not in self.headers and length.isascii() and length.isdigit()
        if not known or int(length) > MAX_BODY:
            raise ValueError("The length of the body is unusable.")
        return self.rfile.read(int(length))

    def _write(self, answer: Answer) -> None:
        if answer.drop:
            self._hang_up()
            return
        self.close_connection = self.close_connection or answer.cut or answer.raw is not None
        whole = self._bytes(answer) if answer.raw is None else answer.raw
        if answer.drip is None:
            # One piece, one TLS record where it fits.
            self.wfile.write(whole)
            return
        for byte in whole:
            self.wfile.write(bytes((byte,)))
            time.sleep(answer.drip)

    def _bytes(self, answer: Answer) -> bytes:
        status, body = answer.status_code, answer.get_data()
        headers = [(name, value) for name, value in answer.headers if name != "Content-Length"]
        if status in (204, 304):
            body = b""
        else:
            headers.append(("Content-Length", str(len(body))))
        if self.close_connection:
            headers.append(("Connection", "close"))
        lines = [f"HTTP/1.1 {status} {HTTP_STATUS_CODES.get(status, 'Unknown')}"]
        head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers), "", ""])
        if self.command == "HEAD":
            body = b""
        return head.encode("latin-1", "replace") + (body[: len(body) // 2] if answer.cut else body)

    def _hang_up(self) -> None:
        """Break the connection without a word, as a crashed gateway does."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """For requests that cannot be read, so that the connection is of no further use."""
        self.close_connection = True
        self._write(Answer(message or "Bad request", int(code), {"Content-Type": "text/plain"}))

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002  # the name is the base class's
        """The journal replaces the log."""


for method in METHODS:
    setattr(_Handler, f"do_{method}", _Handler.serve)


class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on a free port of 127.0.0.1 until `close`.

    :param tls: None for plain HTTP.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, name: str, app: App, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.app = app
        port = self.server_address[1]
        # Under both names of the machine.
        self.origins = [f"{'https' if tls else 'http'}://{host}:{port}" for host in ("localhost", "127.0.0.1")]
        self.origin = self.origins[0]
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name=f"listener-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop, and break the connections that clients keep open."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._lock:
            lingering = list(self._open)
        for connection in lingering:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        """Runs in the connection's own thread, so that a slow TLS handshake holds up nobody else."""
        connection: socket.socket = request
        with self._lock:
            self._open.add(connection)
        try:
            if self._tls is not None:
                connection.settimeout(30)
                tracked, connection = connection, self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._open.discard(tracked)
                    self._open.add(connection)
            super().finish_request(connection, client_address)
        finally:
            with self._lock:
                self._open.discard(connection)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A client that hangs up is no news; everything else is a bug of ours and must be seen."""
        if not isinstance(sys.exc_info()[1], (OSError, EOFError)):
            super().handle_error(request, client_address)
