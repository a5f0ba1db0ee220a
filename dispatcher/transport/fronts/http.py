"""The thin Tornado front: requests for ``/engine.io/`` go to the sessions, all others to the application.

It works at the level of ``HTTPServerConnectionDelegate``, below ``RequestHandler``: a round trip takes 0.6 of the
CPU time there. It decides nothing about sessions. After each request it lets them ``flush`` and calls
``on_change``.

A page has gone when the other side ends the connection that carries its poll; or the one that carried its last poll,
and no other poll comes within a moment. The end is no such sign when it is ours: after our own idle timeout, after an
answer for which the client had asked ``Connection: close``, or when the server stops (``Front.stopping``).
"""

from __future__ import annotations

import socket
from asyncio import Future
from collections.abc import Awaitable, Callable
from typing import Any, cast

from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from dispatcher.config.settings import Settings
from dispatcher.transport.exchange import Connection
from dispatcher.transport.fronts.doorkeeper import Doorkeeper, room_for_connections
from dispatcher.transport.fronts.http_exchange import HttpExchange
from dispatcher.transport.fronts.http_stream import BoundedStream
from dispatcher.transport.fronts.policy import (
    MAX_HEADER_SIZE,
    PATH,
    Admit,
    Denial,
    HeadersLike,
    Policy,
    declared_length,
    head_refusal,
    host_and_path,
    keeps_alive,
    time_for,
)
from dispatcher.transport.listener import Listener
from dispatcher.transport.sessions import Sessions

__all__ = ["PATH", "Admit", "Denial", "Front", "FrontServer", "HeadersLike", "make_http_server"]

#: Bytes that Tornado may have read from one connection and not yet handed on. It hands on bodies in pieces of 64
#: KiB.
MAX_BUFFER_SIZE = 1 << 20
_TCP = (socket.AF_INET, socket.AF_INET6)
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Front(Policy, HTTPServerConnectionDelegate):
    """Give it to ``make_http_server``.

    ``guard`` sees each request for PATH first, and no other request. ``allow_origin``: origins, besides our own,
    whose pages may read answers. ``prefix``: a path that may stand before PATH. ``on_change`` is called after each
    request, as that may have moved ``sessions.next_deadline()``: it must be cheap. ``clock`` gives monotonic seconds.
    """

    def __init__(self, sessions: Sessions, app: HTTPServerConnectionDelegate, **rules: Any) -> None:
        """``rules`` are those of ``Policy``."""
        super().__init__(sessions, **rules)
        self.app = app
        #: By Tornado's server connection: the connections that carry, or carried, a poll.
        self._connections: dict[object, Connection] = {}

    def open(
        self,
        app: HTTPServerConnectionDelegate,
        listener: Listener,
        *,
        guard: Admit,
        on_change: Callable[[], None],
        on_refusal: Callable[[str, str, str], None] | None = None,
    ) -> None:
        """Leads on to these what was refused until now, with the connections that there are."""
        self.lead_on(listener, guard, on_change)
        self.app, self.on_refusal = app, on_refusal

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado when a connection begins to wait for a request: its first, or the next one."""
        return _Switch(self, server_conn, cast(HTTP1Connection, request_conn))

    def on_close(self, server_conn: object) -> None:
        """A connection has ended; ``FrontServer`` calls this."""
        stream = cast(BoundedStream, cast(HTTP1ServerConnection, server_conn).stream)
        self.left(self._connections.pop(server_conn, None), was_idle=stream.was_idle, was_cut=stream.was_cut)
        self.app.on_close(server_conn)

    def connection(self, server_conn: object) -> Connection:
        """What stands for a kept-alive connection in the sessions."""
        connection = self._connections.get(server_conn)
        if connection is None:
            connection = self._connections[server_conn] = Connection()
        return connection


def _from_whole_address(line: RequestStartLine, headers: HTTPHeaders) -> RequestStartLine:
    read = host_and_path(line.path)
    if read is None:
        return line
    headers["Host"], path = read
    return line._replace(path=path)


def _quick_ack(conn: HTTP1Connection) -> None:
    """Acknowledge the head at once: a client that sends head and body apart otherwise waits 40 ms for us on every
    POST.

    The kernel drops the option by itself, so it is set again for each.
    """
    sock: socket.socket | None = conn.stream.socket  # Tornado sets None when it closes
    if _QUICKACK is None or sock is None or getattr(conn.context, "address_family", None) not in _TCP:
        return
    try:
        sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
    except OSError:  # the other side has reset it: nobody waits for an acknowledgement
        return


class _LastAnswer(HTTPConnection):
    """The answer to an old client, after which Tornado closes the connection: it says so.

    nginx, where it speaks HTTP/1.0, believes the 1.1 of our answers, and sends its next request into the connection.
    """

    def __init__(self, conn: HTTP1Connection) -> None:
        self._conn = conn
        self.context = conn.context
        self.set_close_callback, self.set_max_body_size = conn.set_close_callback, conn.set_max_body_size
        self.write, self.finish = conn.write, conn.finish  # type: ignore[method-assign]

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Future[None]:
        headers["Connection"] = "close"
        return self._conn.write_headers(start_line, headers, chunk)


class _Switch(HTTPMessageDelegate):
    """Looks at the path of one request and hands it to its real delegate."""

    def __init__(self, front: Front, server_conn: object, conn: HTTP1Connection) -> None:
        self._front = front
        self._server_conn = server_conn
        self._conn = conn
        self._stream = cast(BoundedStream, conn.stream)
        #: Tornado calls nothing else before ``headers_received``.
        self._to: HTTPMessageDelegate

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        line = cast(RequestStartLine, start_line)
        if not line.path.startswith("/"):
            line = _from_whole_address(line, headers)
        if "Content-Length" in headers or "Transfer-Encoding" in headers:
            self._expect_body(headers)
        path, _, query = line.path.partition("?")
        if path not in self._front.paths:
            ends = line.version != "HTTP/1.1" and not keeps_alive(line.version, line.method, headers)
            conn = _LastAnswer(self._conn) if ends else self._conn
            self._to = self._front.app.start_request(self._server_conn, conn)
            return self._to.headers_received(line, headers)
        exchange = HttpExchange(self._front, self._server_conn, self._conn, line.method, query, headers)
        self._to = exchange
        exchange.begin(line.version)
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._to.data_received(chunk)

    def finish(self) -> None:
        self._stream.must_come_within(None)
        self._to.finish()

    def _expect_body(self, headers: HTTPHeaders) -> None:
        _quick_ack(self._conn)
        self._stream.must_come_within(time_for(declared_length(headers), self._front.body_timeout_s))

    def on_connection_close(self) -> None:
        self._to.on_connection_close()


class FrontServer(Doorkeeper, HTTPServer):
    """Tornado's HTTPServer with our own door and streams, and without TLS. It also tells the front of ``on_close``."""

    def policy(self) -> Policy:
        """The rules of all connections."""
        return cast(Front, self.request_callback)

    def standing(self) -> int:
        """How many connections there are; for Tornado one that has become a WebSocket has ended."""
        return super().standing() + len(self.policy().wires)

    def let_in(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        """Serves a connection."""
        rules = self.policy()
        stream = BoundedStream(
            connection,
            idle_timeout_s=rules.idle_connection_timeout_s,
            head_timeout_s=rules.head_timeout_s,
            write_timeout_s=rules.write_timeout_s,
            max_buffer_size=self.max_buffer_size,
            on_large_head=lambda sock, address_bytes: self.say_farewell(sock, head_refusal(address_bytes)),
        )
        self.handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        self._open -= 1
        super().on_close(server_conn)
        cast(HTTPServerConnectionDelegate, self.request_callback).on_close(server_conn)

    async def close_all_connections(self) -> None:
        """Close everything; no page counts as gone because of it."""
        self.policy().stopping = True
        self.policy().close_wires()
        self.close_farewells()
        await HTTPServer.close_all_connections(self)


def make_http_server(
    front: Front, settings: Settings, *, max_body_size: int | None = None, **options: Any
) -> FrontServer:
    """The server for ``front``. ``max_body_size`` is the application's (default: four times
    ``post_limit``).
    """
    server = FrontServer(
        front,
        xheaders=False,
        max_header_size=MAX_HEADER_SIZE,
        max_buffer_size=MAX_BUFFER_SIZE,
        max_body_size=max_body_size or 4 * settings.post_limit,
        **options,
    )
    # BoundedStream does it, for all that is read.
    server.conn_params.header_timeout = server.conn_params.body_timeout = None
    server.max_connections = room_for_connections()
    return server
