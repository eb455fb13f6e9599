"""What a raw server does to a request: an end in time, and whether the request has left."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import EntraRiskError, NetworkError
from ansible_collections.identityops.entra_risk.plugins.module_utils._http import LARGEST_ANSWER, Transport
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor

Behavior = t.Callable[[socket.socket], None]
TIMEOUT = 0.25
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REFUSAL = b"HTTP/1.1 %s \x1b[2K\r\nContent-Length: 0\r\n\r\n"


@contextlib.contextmanager
def server(behave: Behavior) -> t.Iterator[int]:
    """Behaves like this on every connection; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, dummy = listener.accept()
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            behave(connection)

    threading.Thread(target=serve, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]
        # Wakes up the thread that accepts.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def transport(timeout: float = 30) -> Transport:
    return Transport(verify=True, timeout=timeout, redactor=Redactor())


def fail(behave: Behavior, words: str, *, scheme: str = "http", **more: t.Any) -> bool:
    """Whether the request may have been carried out. It ends in time."""
    began = time.monotonic()
    with server(behave) as port, pytest.raises(EntraRiskError, match=words) as caught:
        transport(TIMEOUT).send("POST", f"{scheme}://localhost:{port}/", **more)
    assert time.monotonic() - began < 5
    return caught.value.outcome_unknown


def dripping(answer: bytes) -> Behavior:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return behave


def silent(connection: socket.socket) -> None:
    time.sleep(10)


def answering(answer: bytes) -> Behavior:
    def behave(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    return behave


@pytest.mark.parametrize(
    "behave",
    [
        silent,
        dripping(b"HTTP/1.1 200 OK" + b" " * 999),
        dripping(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 999),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 99),
        dripping(OK.replace(b"2\r\n\r\n{}", b"999\r\n\r\n" + b" " * 999)),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 999),
        # Its end is that of the connection: what was cut off looks like a whole answer.
        dripping(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}" + b" " * 999),
    ],
    ids=["silence", "status line", "header", "interim answers", "body", "chunks", "body up to the end"],
)
def test_a_slow_answer_ends_at_the_timeout(behave: Behavior) -> None:
    began = time.monotonic()
    assert fail(behave, r"in full within 0\.25 seconds")
    assert time.monotonic() - began >= TIMEOUT


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (silent, "within the time limit"),
        (dripping(b"\x16\x03\x03\x40\x00" + b"x" * 999), "within the time limit"),
        (answering(REFUSAL % b"400"), "do not agree"),
    ],
    ids=["silence", "slow", "no TLS"],
)
def test_without_a_handshake_nothing_has_left(behave: Behavior, words: str) -> None:
    assert not fail(behave, words, scheme="https")


def test_a_request_may_have_less_time_than_usual() -> None:
    assert fail(silent, r"within 0\.1 seconds", timeout=0.1)


@pytest.mark.parametrize(
    ("scheme", "words"), [("http", "407"), ("https", "most proxies are named with http://")], ids=str
)
def test_a_proxy_that_refuses_has_let_nothing_through(monkeypatch: pytest.MonkeyPatch, scheme: str, words: str) -> None:
    with server(answering(REFUSAL % b"407")) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://user:canary@127.0.0.1:{port}")
        with pytest.raises(NetworkError, match=words) as caught:
            transport().send("POST", "https://graph.contoso.example/")
    assert not caught.value.outcome_unknown
    assert str(caught.value).isprintable() and "canary" not in str(caught.value)


@pytest.mark.parametrize("behave", [lambda connection: None, lambda connection: connection.recv(65536)])
def test_a_connection_that_is_cut_leaves_the_end_open(behave: Behavior) -> None:
    assert fail(behave, "broke", json_body={"a": 1})


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    sent = 0

    def behave(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            sent += 0x10000

    with server(behave) as port, pytest.raises(NetworkError, match="larger than 32 MiB") as caught:
        transport().send("POST", f"http://127.0.0.1:{port}/")
    assert caught.value.outcome_unknown
    assert sent < 2 * LARGEST_ANSWER


@pytest.mark.parametrize("close", ["", "Connection: close\r\n"])
def test_connections_and_descriptors_do_not_pile_up(close: str) -> None:
    sender = transport()
    connections = 0

    def behave(connection: socket.socket) -> None:
        nonlocal connections
        connections += 1
        answering(OK.replace(b"OK\r\n", f"OK\r\n{close}".encode()))(connection)

    with server(behave) as port:
        sender.send("GET", f"http://127.0.0.1:{port}/")
        before = len(os.listdir("/proc/self/fd"))
        for dummy in range(20):
            assert sender.send("GET", f"http://127.0.0.1:{port}/").json() == {}
        after = len(os.listdir("/proc/self/fd"))
    assert connections == (21 if close else 1)
    assert after <= before + 4


def test_after_a_timeout_the_next_request_has_a_connection_of_its_own() -> None:
    slow = [True]

    def behave(connection: socket.socket) -> None:
        if slow.pop() if slow else False:
            silent(connection)
        answering(OK)(connection)

    with server(behave) as port:
        sender = transport(TIMEOUT)
        with pytest.raises(NetworkError):
            sender.send("GET", f"http://127.0.0.1:{port}/")
        assert sender.send("GET", f"http://127.0.0.1:{port}/").json() == {}
