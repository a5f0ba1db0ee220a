"""A proxy that does something to WebSockets and passes on all else: refuses them, cuts them, swallows their frames."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread

__all__ = ["SocketProxy", "socket_proxy"]

_REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class SocketProxy:
    """``refuse``: answers the handshake itself. ``cut_s``: both ends are closed then. ``swallow_s``: from then on
    nothing passes, and nothing is closed."""

    upstream: int
    refuse: bool = False
    cut_s: float | None = None
    swallow_s: float | None = None
    port: int = 0
    #: Handshakes that have come.
    handshakes: int = 0
    _over: Event = field(default_factory=Event)

    def serve(self, listener: socket.socket) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                Thread(target=self._connection, args=(client,), daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _connection(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = _head(client)
            upgrade = b"upgrade: websocket" in head.lower()
            self.handshakes += upgrade
            if upgrade and self.refuse:
                client.sendall(_REFUSAL)
            elif head:
                with socket.create_connection(("127.0.0.1", self.upstream)) as server:
                    server.sendall(head)
                    self._pass_on(client, server, self.cut_s if upgrade else None, self.swallow_s if upgrade else None)

    def _pass_on(
        self, client: socket.socket, server: socket.socket, cut_s: float | None, swallow_s: float | None
    ) -> None:
        """Until one of them closes, or the time has come."""
        began = time.monotonic()
        others = {client: server, server: client}
        while not self._over.is_set():
            age_s = time.monotonic() - began
            if cut_s is not None and age_s >= cut_s:
                return
            if swallow_s is not None and age_s >= swallow_s:
                self._over.wait()
                return
            for source in select.select(list(others), [], [], 0.05)[0]:
                piece = source.recv(65_536)
                if not piece:
                    return
                others[source].sendall(piece)


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (piece := client.recv(65_536)):
        head += piece
    return head


@contextlib.contextmanager
def socket_proxy(
    upstream: int, *, refuse: bool = False, cut_s: float | None = None, swallow_s: float | None = None
) -> Iterator[SocketProxy]:
    proxy = SocketProxy(upstream, refuse, cut_s, swallow_s)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]
        Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.stop()
            listener.shutdown(socket.SHUT_RDWR)
