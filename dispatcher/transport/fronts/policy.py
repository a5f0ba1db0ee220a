"""The policy of a front, without I/O: who is admitted, how much may come, how long it may take, how answers look.

Every front asks it, and so does the simulator. It sees no socket, no clock and no timer: ``now`` comes in, and a
deadline goes out. What a front does with one request stands in ``front_exchange``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol

from dispatcher.clock import SystemClock
from dispatcher.transport import exchange as replies
from dispatcher.transport.carrier import CloseCode
from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.fronts.websocket import WebSocket, Wire
from dispatcher.transport.listener import Listener
from dispatcher.transport.sessions import Sessions

__all__ = [
    "ADDRESS_TOO_LONG",
    "HEAD_TOO_LARGE",
    "MAX_HEADER_SIZE",
    "PATH",
    "Admit",
    "Denial",
    "HeadRefusal",
    "HeadersLike",
    "Judgement",
    "Patience",
    "Policy",
    "answer_head",
    "declared_length",
    "has_odd_line_end",
    "head_refusal",
    "host_and_path",
    "keeps_alive",
    "time_for",
]

#: The exact path of Engine.IO, with its last slash.
PATH = "/engine.io/"

#: IE closes idle connections after 60 s and mishandles it if we close first (KB 813827, KB 2826958): be much
#: later.
IDLE_CONNECTION_TIMEOUT_S = 150.0
#: A head that has begun must be whole within this time, or its connection is closed.
HEAD_TIMEOUT_S = 15.0
#: IE may repeat a POST as a head without its body (KB 895954): such a connection is closed after this. A large
#: body has more time, a second for each 16 KiB.
BODY_TIMEOUT_S = 15.0
MAX_HEADER_SIZE = 16 * 1024
#: If a head is too large and its address longer than this, the address is to blame.
LONG_ADDRESS = 8 * 1024
#: An answer that the client does not read in this time ends its connection; a large one has more time, as above.
WRITE_TIMEOUT_S = 30.0
#: Bytes of a refused body that are read and thrown away, so that the client sees the refusal and not a reset.
DRAIN_BYTES = 8 << 20
#: Each timeout grows by a second for this many bytes; and the size up to which it grows.
_SLOWEST_LINE = 16 * 1024
_NO_LARGER = 2 << 20

_WHOLE_ADDRESS = re.compile(r"(?i:https?)://(?P<host>[!-~]*?)(?P<rest>[/?].*|)")
_PREFLIGHT = Reply(204, b"")
_FORBIDDEN = replies.error_reply(403, 4, "Forbidden")
_COMPRESSED = replies.error_reply(415, 9, "The body has a Content-Encoding: send it as it is, uncompressed")
#: Heads of answers that are remembered.
_MOST_HEADS = 256
_READ_BY_ALL = b"Access-Control-Allow-Origin: *\r\n"
#: What may be repeated in a header; ``null`` may not.
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.:\[\]_-]{0,300}")


class HeadersLike(Protocol):
    """The headers of a request, as a guard sees them."""

    def get(self, name: str, /) -> str | None:
        """The value of a header; the case of its name does not matter."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is such a header."""


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


class Judgement(NamedTuple):
    """What is decided from a head alone."""

    #: The answer that the request gets whatever its body says; None: the sessions decide.
    reply: Reply | None
    #: Lines for the head of its answer.
    extra_headers: bytes = b""


_FINE = Judgement(None)


class Policy:
    """The rules of one server, for all its connections. ``Front`` says what the arguments mean."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        guard: Admit | None = None,
        allow_origin: Iterable[str] = (),
        prefix: str = "",
        on_change: Callable[[], None] | None = None,
        clock: Callable[[], float] | None = None,
        idle_connection_timeout_s: float = IDLE_CONNECTION_TIMEOUT_S,
        head_timeout_s: float = HEAD_TIMEOUT_S,
        body_timeout_s: float = BODY_TIMEOUT_S,
        write_timeout_s: float = WRITE_TIMEOUT_S,
        drain_bytes: int = DRAIN_BYTES,
    ) -> None:
        self.sessions = sessions
        self.guard = guard
        self.allow_origin = frozenset(origin.lower() for origin in allow_origin)
        self.paths = frozenset({PATH, prefix + PATH})
        self.on_change = on_change
        self.clock = clock or SystemClock().monotonic
        self.idle_connection_timeout_s = idle_connection_timeout_s
        self.head_timeout_s = head_timeout_s
        self.body_timeout_s = body_timeout_s
        self.write_timeout_s = write_timeout_s
        self.drain_bytes = drain_bytes
        #: Told of a request that could not be read: code, what the client was told, remote address. It must be cheap.
        self.on_refusal: Callable[[str, str, str], None] | None = None
        #: Set it before closing connections: pages whose connection we close then do not count as gone.
        self.stopping = False
        #: The connections that have become WebSockets.
        self.wires: dict[Wire, WebSocket] = {}

    def lead_on(self, listener: Listener, guard: Admit, on_change: Callable[[], None]) -> None:
        """Lets in whom it refused until now."""
        self.sessions.open(listener)
        self.guard, self.on_change = guard, on_change

    def judge(self, method: str, headers: HeadersLike, remote: str, length: int) -> Judgement:
        """Whether a request for PATH may go to the sessions. ``length`` is what it says of its body."""
        extra, allowed = b"", False
        if self.allow_origin:
            origin = headers.get("Origin") or ""
            allowed = origin.lower() in self.allow_origin
            extra = _cors(origin) if allowed else b""
        if self.guard is not None:
            denial = self.guard(headers, method, remote)
            if denial is not None:
                if not allowed and method != "OPTIONS":
                    extra += _read_by(headers.get("Origin") or "")
                reply = replies.error_reply(
                    denial.status, denial.code, denial.message, retry_after_s=denial.retry_after_s
                )
                return Judgement(reply, extra)
        if method == "OPTIONS":
            return Judgement(_PREFLIGHT if allowed else _FORBIDDEN, extra)
        if method == "POST" and (headers.get("Content-Encoding") or "").strip().lower() not in ("", "identity"):
            return Judgement(_COMPRESSED, extra)
        if length > self.sessions.limits.post_limit:
            return Judgement(replies.TOO_LARGE, extra)
        return Judgement(None, extra) if extra else _FINE

    def drain_limit(self) -> int:
        """Bytes of a refused body after which its connection is closed."""
        return self.sessions.limits.post_limit + self.drain_bytes

    def settle(self, now: float) -> None:
        """After every event: write what waits, and let the timer be checked."""
        self.sessions.flush(now)
        if self.on_change is not None:
            self.on_change()

    def left(self, connection: Connection | None, *, was_idle: bool, was_cut: bool = False) -> None:
        """A connection has ended. It is no sign that a page has gone if we ended it: ``was_idle``, or a stop.

        ``was_cut``: not all of an answer had gone out.
        """
        if connection is not None and connection.sids and not (self.stopping or was_idle):
            now = self.clock()
            self.sessions.disconnected(connection, now, was_cut=was_cut)
            self.settle(now)

    # --- connections that have become WebSockets

    def carries(self, wire: Wire, socket: WebSocket) -> None:
        """From now on what comes on this wire goes to the WebSocket."""
        self.wires[wire] = socket
        wire.start(socket)

    def wire_closed(self, wire: Wire) -> None:
        """A wire tells this once, at its end. It is no sign that a page has gone if the server stops."""
        socket = self.wires.pop(wire)
        if not self.stopping:
            socket.closed()

    def close_wires(self) -> None:
        """The server stops, and tells each page so that reads what it is told."""
        for wire, socket in list(self.wires.items()):
            socket.close(CloseCode.SERVER_STOPS)
            if wire.waiting():
                wire.cut()
            else:
                wire.finish()


# --- time


def time_for(size: int, timeout_s: float) -> float:
    """How long ``size`` bytes may take, so that a page on a slow line can send a large result."""
    return timeout_s + min(size, _NO_LARGER) / _SLOWEST_LINE


class Patience:
    """By when the next bytes of one connection must have come.

    A connection may wait long for its next request. A head that has begun must be whole soon, and so must a body.
    """

    __slots__ = ("_head_s", "_idle_s", "awaits_head", "deadline", "has_begun")

    def __init__(self, idle_s: float, head_s: float) -> None:
        self._idle_s = idle_s
        self._head_s = head_s
        #: Whether a head is awaited; whether some of it has come.
        self.awaits_head = self.has_begun = False
        #: None: no bytes are awaited, or they may take for ever.
        self.deadline: float | None = None

    def await_head(self, now: float) -> None:
        """The next request may come."""
        self.awaits_head, self.has_begun = True, False
        self.deadline = now + self._idle_s

    def head_begins(self, now: float) -> None:
        """Some of a head has come, and not all of it."""
        self.has_begun = True
        self.deadline = now + self._head_s

    def head_is_whole(self) -> None:
        """A head has come; nothing more is awaited until a body is."""
        self.awaits_head = False
        self.deadline = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing of the next request has come. If we close the connection now, that says nothing of the
        other end."""
        return self.awaits_head and not self.has_begun


# --- heads of requests


class HeadRefusal(NamedTuple):
    """What a client is told whose head cannot be read; ``code`` is stable and stands in the log."""

    status: HTTPStatus
    code: str
    detail: str

    def answer(self) -> bytes:
        """The whole answer. It is text: what was asked for is not known."""
        body = f"{self.status} {self.status.phrase}: {self.detail}\n".encode()
        return (
            f"HTTP/1.1 {self.status} {self.status.phrase}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Cache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        ).encode() + body


HEAD_TOO_LARGE = HeadRefusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head_too_large",
    "Address and headers of a request may have 16 KiB together, and those of this one have more. "
    "Most often these are cookies: of other programs on the same host, or of a sign-in before this server.",
)
ADDRESS_TOO_LONG = HeadRefusal(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    "address_too_long",
    "Address and headers of a request may have 16 KiB together, and the address of this one leaves no room. "
    "Send long data in the body of a POST.",
)


def head_refusal(address_bytes: int) -> HeadRefusal:
    """Why a head that is too large is refused; ``address_bytes`` is the length of its first line."""
    return ADDRESS_TOO_LONG if address_bytes > LONG_ADDRESS else HEAD_TOO_LARGE


def has_odd_line_end(head: bytes) -> bool:
    """Whether a line of the head ends in a line feed alone. If a proxy before us reads it as no end, or we do not,
    the two see different requests."""
    return head.count(b"\n") != head.count(b"\r\n")


def host_and_path(target: str) -> tuple[str, str] | None:
    """Reads ``http://host/path``, as a client says it to a proxy. The host in it counts, not the header (RFC 9112,
    3.2.2): the guard must see where the request really goes. None: it is no such address."""
    match = _WHOLE_ADDRESS.fullmatch(target)
    if match is None:
        return None
    rest = match["rest"]
    return match["host"], rest if rest.startswith("/") else "/" + rest


def declared_length(headers: HeadersLike) -> int:
    """The declared length of a request's body; 0 if there is none, or it is not a number."""
    length = headers.get("Content-Length") or ""
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def keeps_alive(version: str, method: str, headers: HeadersLike) -> bool:
    """Whether the connection lives on after the answer. Decides as Tornado does, which tells nobody."""
    wish = (headers.get("Connection") or "").lower()
    if version == "HTTP/1.1":
        return wish != "close"
    bounded = method in ("GET", "HEAD") or "Content-Length" in headers
    return wish == "keep-alive" and bounded


# --- heads of answers


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


@lru_cache(_MOST_HEADS)
def answer_head(status: int, extra: bytes, length: int) -> bytes:
    """The head of an answer with a body of this length; ``extra`` are more lines. Most answers have one of a few."""
    if status == 204:
        return b"HTTP/1.1 204 No Content\r\nCache-Control: no-store, no-transform\r\n%b\r\n" % extra
    kind = "text/plain; charset=UTF-8" if status == 200 else "application/json; charset=utf-8"
    start = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: {kind}\r\n"
        "Cache-Control: no-store, no-transform\r\n"
        "X-Content-Type-Options: nosniff\r\n"
    ).encode()
    return b"%b%bContent-Length: %d\r\n\r\n" % (start, extra, length)
