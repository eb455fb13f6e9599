# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What happens below requests: whether a request has left, and an end for one that takes too long.

The timeouts of requests count anew with each byte. Here one watch runs over all of it, the headers and the handshakes
too: when time is over, the socket is shut down, and whatever waits for it wakes up.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import typing as t


class Wire:
    """The connections of one session, which sends one request after the other.

    `request_left` is true when a byte of the present request, or of the last one, may have left for its server;
    `connecting` from when its connection is made until it is there; `expired` when its time was over.
    """

    def __init__(self) -> None:
        self.request_left = False
        self.connecting = False
        self.expired = False
        self._lock = threading.Lock()
        self._active = False
        # A second descriptor of each socket: the connection changes its own one for that of TLS, and may let it go.
        self._sockets: list[tuple[t.Any, socket.socket]] = []

    def watch(self, adapter: t.Any) -> t.Any:
        """Watch all connections that an adapter of requests makes, and give it back."""
        self._watch_pools(adapter.poolmanager)
        proxy_manager_for = adapter.proxy_manager_for
        adapter.proxy_manager_for = lambda *args, **options: self._watch_pools(proxy_manager_for(*args, **options))
        return adapter

    def _watch_pools(self, manager: t.Any) -> t.Any:
        manager.pool_classes_by_scheme = {
            scheme: pool if hasattr(pool, "watched") else _watched(pool, self)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }
        return manager

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> t.Iterator[None]:
        """One request. When it takes longer, it breaks off.

        :raises TimeoutError: its time was over. Something else may be raised then: see `expired`.
        """
        self.request_left = self.connecting = self.expired = False
        self._active = True
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with self._lock:
                self._active = False
            timer.cancel()
            self._forget_closed()
        if self.expired:
            # What looks like a whole answer may end where the socket was shut down.
            raise TimeoutError

    def connected(self, connection: t.Any, connected: socket.socket) -> None:
        """A connection has its socket, before TLS and before anything is sent."""
        with self._lock:
            if self.expired:
                connected.close()
                raise TimeoutError
            self._sockets.append((connection, socket.socket(fileno=os.dup(connected.fileno()))))

    def _expire(self) -> None:
        with self._lock:
            if not self._active:
                return
            self.expired = True
            for dummy, watched in self._sockets:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)

    def _forget_closed(self) -> None:
        for connection, watched in self._sockets:
            if connection.sock is None:
                watched.close()
        self._sockets = [pair for pair in self._sockets if pair[1].fileno() >= 0]


def _watched(pool: t.Any, wire: Wire) -> t.Any:
    """The same pool of urllib3, with connections that tell what they do."""
    base: t.Any = pool.ConnectionCls

    class Connection(base):
        def _new_conn(self) -> t.Any:
            connected = super()._new_conn()
            wire.connected(self, connected)
            return connected

        def connect(self) -> None:
            wire.connecting = True
            super().connect()
            wire.connecting = False

        def send(self, data: t.Any) -> None:
            # http.client would connect in the middle of sending.
            if self.sock is None and self.auto_open:
                self.connect()
            # What is sent while connecting is for a proxy.
            wire.request_left = wire.request_left or not wire.connecting
            super().send(data)

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection, "watched": True})
