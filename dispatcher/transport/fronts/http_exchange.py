"""One request for Engine.IO on a Tornado connection, and its answer: an ``exchange.Exchange``.

Owns what HTTP needs: limits on bodies, the headers of answers, CORS. Knows nothing of what a session does with it.
"""

from __future__ import annotations

import http
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate

from dispatcher.transport import exchange as replies
from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.session import Session

if TYPE_CHECKING:
    from dispatcher.transport.fronts.http import Front

__all__ = ["Admit", "Denial", "HeadersLike", "HttpExchange", "declared_length"]

_USER_AGENT_CHARS = 300
_NO_TORNADO_LIMIT = 1 << 62
_PREFLIGHT = Reply(204, b"")
_FORBIDDEN = replies.error_reply(403, 4, "Forbidden")
_READ_BY_ALL = b"Access-Control-Allow-Origin: *\r\n"
#: What may be repeated in a header; ``null`` may not.
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.:\[\]_-]{0,300}")


class HeadersLike(Protocol):
    """The headers of a request, as a guard sees them."""

    def get(self, name: str, /) -> str | None:
        """The value of a header; the case of its name does not matter."""


@dataclass(frozen=True, slots=True)
class Denial:
    """What a guard answers; ``message`` is ASCII, without quotes and backslashes."""

    message: str = "Forbidden"
    status: int = 403
    #: engine.io's code for Forbidden.
    code: int = 4
    #: Seconds for Retry-After; 0 for none.
    retry_after_s: int = 0


#: Called with headers, method and remote address, before anything else looks at the request.
Admit = Callable[[HeadersLike, str, str], Denial | None]


class HttpExchange(HTTPMessageDelegate):
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
        self._front = front
        self._server_conn = server_conn
        self._conn = conn
        self._headers = headers
        self._length = declared_length(headers)
        self._chunks: list[bytes] = []
        self._received = 0
        #: The answer that the request gets whatever its body says.
        self._decided: Reply | None = None
        self._complete = False
        self._answered = False
        self._extra_headers = b""
        self._kept_alive = True
        self.method = method
        self.query = query
        self.upgrade = "Upgrade" in headers
        self.remote = str(getattr(conn.context, "remote_ip", ""))
        self.session: Session | None = None
        self.connection: Connection | None = None

    # --- what the sessions see

    @property
    def user_agent(self) -> str:
        """The header, cut to a length that can be kept."""
        return self._headers.get("User-Agent", "")[:_USER_AGENT_CHARS]

    def is_open(self) -> bool:
        """Whether the client may still be there to read an answer."""
        return not self._answered and not _peer_has_closed(self._conn)

    def answer(self, reply: Reply) -> bool:
        """Write the reply. False: it has had one, or the connection is closed."""
        if self._answered or self._conn.stream.closed():
            return False
        self._answered = True
        self._conn.write(self._head(reply) + (b"" if self.method == "HEAD" else reply.body))
        self._conn.finish()
        return True

    # --- what Tornado calls

    def begin(self, version: str) -> None:
        """The head is here; decide whether the body is wanted."""
        self._settle_keep_alive(version)
        if self._kept_alive and self.method == "GET":
            self.connection = self._front.connection(self._server_conn)
        self._conn.set_max_body_size(_NO_TORNADO_LIMIT)  # data_received counts, and can say 413
        self._decided = self._judge()
        hopeless = "Expect" in self._headers or self._length > self._drain_limit()
        if self._decided is not None and hopeless:
            self.answer(self._decided)  # the body stays unread, so Tornado closes the connection

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body."""
        self._received += len(chunk)
        if self._decided is None and self._received > self._front.sessions.limits.post_limit:
            self._chunks.clear()
            self._front.sessions.abandon(self, self._front.clock())
            self._decided = replies.TOO_LARGE
        if self._decided is None:
            self._chunks.append(chunk)
        elif self._received > self._drain_limit():
            self.answer(self._decided)

    def finish(self) -> None:
        """The request is complete."""
        self._complete = True
        front = self._front
        now = front.clock()
        if self._decided is not None:
            self.answer(self._decided)
            return
        self._conn.set_close_callback(self.on_connection_close)
        front.sessions.complete(self, b"".join(self._chunks), now)
        self._chunks.clear()
        if self._conn.stream.closed():  # then Tornado sees no reason to call us back
            self.on_connection_close()
        front.settle(now)

    def on_connection_close(self) -> None:
        """The connection was closed before there was an answer."""
        front = self._front
        if not self._answered and not front.stopping:
            now = front.clock()
            front.sessions.abandon(self, now)
            front.settle(now)

    # --- the request

    def _judge(self) -> Reply | None:
        front = self._front
        allowed = front.allow_origin and self._headers.get("Origin", "").lower() in front.allow_origin
        if allowed:
            self._extra_headers += _cors(self._headers["Origin"])
        if front.guard is not None:
            refusal = front.guard(self._headers, self.method, self.remote)
            if refusal is not None:
                if not allowed and self.method != "OPTIONS":
                    self._extra_headers += _read_by(self._headers.get("Origin", ""))
                return replies.error_reply(
                    refusal.status, refusal.code, refusal.message, retry_after_s=refusal.retry_after_s
                )
        if self.method == "OPTIONS":
            return _PREFLIGHT if allowed else _FORBIDDEN
        if self._length > front.sessions.limits.post_limit:
            return replies.TOO_LARGE
        now = front.clock()
        verdict = front.sessions.begin(self, now)
        if verdict is not None:
            front.settle(now)  # an overlap has ended the session
        return verdict

    def _settle_keep_alive(self, version: str) -> None:
        """Decides as Tornado does, which tells nobody; HTTP/1.0 clients need to be told."""
        wish = self._headers.get("Connection", "").lower()
        if version == "HTTP/1.1":
            self._kept_alive = wish != "close"
            return
        bounded = self.method in ("GET", "HEAD") or "Content-Length" in self._headers
        self._kept_alive = wish == "keep-alive" and bounded
        self._extra_headers = b"Connection: Keep-Alive\r\n" if self._kept_alive else b""

    def _drain_limit(self) -> int:
        return self._front.sessions.limits.post_limit + self._front.drain_bytes

    # --- the answer

    def _head(self, reply: Reply) -> bytes:
        """The head as bytes: Tornado's ``write`` takes it at a fifth of the cost of ``write_headers``."""
        extra = self._extra_headers
        if reply.retry_after_s:
            extra += b"Retry-After: %d\r\n" % reply.retry_after_s
        if not self._kept_alive or not self._complete:
            extra += b"Connection: close\r\n"
        if reply.status == 204:
            return _HEADS[204] + extra + b"\r\n"
        return b"%b%bContent-Length: %d\r\n\r\n" % (_head_start(reply.status), extra, len(reply.body))


def declared_length(headers: HTTPHeaders) -> int:
    """The declared length of a request's body; 0 if there is none, or it is not a number."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _peer_has_closed(conn: HTTP1Connection) -> bool:
    """Whether the peer has closed, even if only the kernel knows and Tornado has not read it yet."""
    sock: socket.socket | None = conn.stream.socket  # Tornado sets None when it closes
    if sock is None or conn.stream.closed():
        return True
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError) as error:  # ValueError: TLS sockets cannot peek
        return isinstance(error, OSError)


def _read_by(origin: str) -> bytes:
    """Any page may read why it is refused; otherwise its browser would only say that there is no answer.

    To a page that sends its cookies a browser shows nothing that all may read: the answer has to name its origin.
    """
    if not _ORIGIN.fullmatch(origin):
        return _READ_BY_ALL
    return (
        f"Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
    ).encode()


def _cors(origin: str) -> bytes:
    """CORS headers for an allowed origin; it is on the list, so it holds no line end.

    With credentials, so that a page may come through a single sign-on; we look at no cookie here ourselves. ``null``
    can be any page in a sandbox: it must not come with the cookies of whoever looks at it.
    """
    credentials = "" if origin == "null" else "Access-Control-Allow-Credentials: true\r\n"
    return (
        f"Access-Control-Allow-Origin: {origin}\r\n"
        f"{credentials}"
        "Access-Control-Allow-Methods: GET, POST\r\n"
        "Access-Control-Allow-Headers: Content-Type\r\n"
        "Access-Control-Max-Age: 7200\r\n"
        "Vary: Origin\r\n"
    ).encode()


_HEADS: dict[int, bytes] = {}


def _head_start(status: int) -> bytes:
    head = _HEADS.get(status)
    if head is None:
        kind = "text/plain; charset=UTF-8" if status == 200 else "application/json; charset=utf-8"
        head = _HEADS[status] = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n"
            f"Content-Type: {kind}\r\n"
            "Cache-Control: no-store, no-transform\r\n"
            "X-Content-Type-Options: nosniff\r\n"
        ).encode()
    return head


_HEADS[204] = b"HTTP/1.1 204 No Content\r\nCache-Control: no-store, no-transform\r\n"
