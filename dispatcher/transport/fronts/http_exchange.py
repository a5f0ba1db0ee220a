"""One request for Engine.IO on a Tornado connection: how it is written, and whether its client is still there."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate

from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.fronts.front_exchange import FrontExchange
from dispatcher.transport.fronts.http_stream import BoundedStream
from dispatcher.transport.fronts.http_wire import StreamWire
from dispatcher.transport.fronts.policy import declared_length

if TYPE_CHECKING:
    from dispatcher.transport.fronts.http import Front

__all__ = ["HttpExchange", "peer_has_closed"]

_NO_TORNADO_LIMIT = 1 << 62


class HttpExchange(FrontExchange, HTTPMessageDelegate):
    """Reads one request and writes one answer."""

    def __init__(
        self,
        front: Front,
        server_conn: object,
        conn: HTTP1Connection,
        method: str,
        query: str,
        headers: HTTPHeaders,
    ) -> None:
        super().__init__(
            front, method, query, headers, str(getattr(conn.context, "remote_ip", "")), declared_length(headers)
        )
        self._front = front
        self._server_conn = server_conn
        self._conn = conn

    def begin(self, version: str) -> None:
        """The head is here; decide whether the body is wanted."""
        self._conn.set_max_body_size(_NO_TORNADO_LIMIT)  # data_received counts, and can say 413
        super().begin(version)

    def finish(self) -> None:
        """The request is complete."""
        if self._decided is None:
            self._conn.set_close_callback(self.on_connection_close)
        super().finish()

    def _carrier(self) -> Connection:
        return self._front.connection(self._server_conn)

    def _send(self, reply: Reply) -> None:
        # The head goes as bytes: Tornado's ``write`` takes it at a fifth of the cost of ``write_headers``.
        self._conn.write(self._whole_answer(reply))
        self._conn.finish()

    def _leave(self) -> StreamWire:
        return StreamWire(cast(BoundedStream, self._conn.detach()), self._policy.wire_closed)

    def _is_closed(self) -> bool:
        return self._conn.stream.closed()

    def _has_left(self) -> bool:
        return self._conn.stream.closed() or peer_has_closed(self._conn.stream.socket)


def peer_has_closed(sock: socket.socket | None) -> bool:
    """Whether the peer has closed, even if only the kernel knows and nobody has read it yet."""
    if sock is None:  # Tornado sets None when it closes
        return True
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError) as error:  # ValueError: TLS sockets cannot peek
        return isinstance(error, OSError)
