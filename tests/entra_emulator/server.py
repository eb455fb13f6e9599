"""A listener: HTTP/1.1 with kept-alive connections, over TLS or plain, one thread a connection."""

from __future__ import annotations

import contextlib
import http
import http.server
import socket
import socketserver
import ssl
import sys
import threading
import time
import typing as t

from .web import Answer, Request

MAX_BODY = 4 * 1024 * 1024
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY")

App = t.Callable[[Request], Answer]


class _BadRequestError(Exception):
    """The request cannot be read, so the connection is of no further use."""


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
        except _BadRequestError as exc:
            self.close_connection = True
            self._write(Answer(400, str(exc).encode(), {"Content-Type": "text/plain"}))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.app(Request(self.server.name, self.command, self.path, headers, body))
        self._write(answer)

    def _read_body(self) -> bytes:
        # Always to the end: what is left unread would be taken for the next request of the connection.
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY:
            raise _BadRequestError("The Content-Length is unusable.")
        return self.rfile.read(int(length))

    def _read_chunks(self) -> bytes:
        body = b""
        while True:
            try:
                size = int(self.rfile.readline(64).partition(b";")[0], 16)
            except ValueError:
                raise _BadRequestError("The chunks of the body are unusable.") from None
            if size < 0 or len(body) + size > MAX_BODY:
                raise _BadRequestError("The body is too long.")
            body += self.rfile.read(size)
            self.rfile.readline(8)
            if size == 0:
                return body

    def _write(self, answer: Answer) -> None:
        if answer.drop:
            self._hang_up()
            return
        if answer.raw is not None:
            self.close_connection = True
            self.wfile.write(answer.raw)
            return
        try:
            phrase = http.HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Unknown"
        headers = dict(answer.headers)
        if answer.status not in (204, 304):
            headers["Content-Length"] = str(len(answer.body))
        if answer.cut:
            self.close_connection = True
        if self.close_connection:
            headers["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = b"" if self.command == "HEAD" or answer.status in (204, 304) else answer.body
        if answer.cut:
            body = body[: len(body) // 2]
        # One piece, one TLS record where it fits.
        whole = f"HTTP/1.1 {answer.status} {phrase}\r\n{head}\r\n".encode("latin-1", "replace") + body
        if answer.drip is None:
            self.wfile.write(whole)
            return
        for byte in whole:
            self.wfile.write(bytes((byte,)))
            time.sleep(answer.drip)

    def _hang_up(self) -> None:
        """Break the connection without a word, as a crashed gateway does."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """For requests that the base class cannot even parse; its own answer is an HTML page."""
        self.close_connection = True
        self._write(Answer(int(code), (message or "Bad request").encode(), {"Content-Type": "text/plain"}))

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
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name=f"listener-{name}", daemon=True)

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self.server_address[1])

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    @property
    def origins(self) -> tuple[str, str]:
        """The same under both names of the machine."""
        return self.origin, self.origin.replace("localhost", "127.0.0.1")

    def start(self) -> None:
        """Begin to answer."""
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
