"""One request and the reply to it, without HTTP: what a front and the sessions say to each other.

Owns also the few replies that Engine.IO knows, with its error codes, and the reading of a query. Knows no session.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from dispatcher.transport.session import Session

__all__ = [
    "BAD_HANDSHAKE_METHOD",
    "BAD_REQUEST",
    "INTERNAL_ERROR",
    "OK",
    "TOO_LARGE",
    "TOO_MANY_SESSIONS",
    "TRY_AGAIN_LATER",
    "UNKNOWN_SID",
    "UNKNOWN_TRANSPORT",
    "UNSUPPORTED_VERSION",
    "Connection",
    "Exchange",
    "Reply",
    "error_reply",
    "examine",
    "parse_query",
]


class Reply(NamedTuple):
    """What goes back: 200 carries text/plain, 204 nothing, any other status one JSON object."""

    status: int
    body: bytes
    #: Seconds for Retry-After; 0 for none.
    retry_after_s: int = 0


def error_reply(status: int, code: int, message: str, *, retry_after_s: int = 0) -> Reply:
    """An error in engine.io's style; ``message`` is ours and needs no escaping."""
    return Reply(status, b'{"code":%d,"message":"%s"}' % (code, message.encode("ascii")), retry_after_s)


# Codes 0 to 5 are engine.io's (https://github.com/socketio/engine.io, lib/server.ts); the others are ours.
UNKNOWN_TRANSPORT = error_reply(400, 0, "Transport unknown")
UNKNOWN_SID = error_reply(400, 1, "Session ID unknown")
BAD_HANDSHAKE_METHOD = error_reply(400, 2, "Bad handshake method")
BAD_REQUEST = error_reply(400, 3, "Bad request")
UNSUPPORTED_VERSION = error_reply(400, 5, "Unsupported protocol version")
TRY_AGAIN_LATER = 6
TOO_MANY_SESSIONS = error_reply(503, TRY_AGAIN_LATER, "Too many sessions, try again later", retry_after_s=5)
TOO_LARGE = error_reply(413, 7, "Body too large, see maxPayload in the OPEN packet")
INTERNAL_ERROR = error_reply(500, 8, "Internal error, the messages may not have been taken, send them again")
OK = Reply(200, b"ok")


class Connection:
    """Stands for a connection that carries polls; the front makes one for each connection that it keeps alive."""

    __slots__ = ("sids",)

    def __init__(self) -> None:
        #: The sessions whose last poll it carried; behind a proxy there can be several.
        self.sids: set[str] = set()


class Exchange(Protocol):
    """One request, read from the front; answered once, now or later."""

    method: str
    #: The text after the question mark.
    query: str
    #: The request asks for another protocol.
    upgrade: bool
    #: The address of the peer.
    remote: str
    #: The connection of a poll. None if it is closed after the answer: then its end says nothing about the page.
    connection: Connection | None
    #: Set by ``Sessions.begin``; None for a handshake.
    session: Session | None

    @property
    def key(self) -> str:
        """A secret of the client's own, which is in no address; "": it shows none. ASCII."""

    @property
    def user_agent(self) -> str:
        """What the client calls itself; asked for in a handshake only."""

    def answer(self, reply: Reply) -> bool:
        """Write the reply. False: the connection is closed and nothing has been written."""

    def is_open(self) -> bool:
        """Whether the peer may still be there to read an answer."""


def parse_query(query: str) -> dict[str, str] | None:
    """The fields of a query; None if one is repeated (two readers could then disagree on what it says).

    Nothing is unquoted: no value that we obey ever needs quoting.
    """
    fields: dict[str, str] = {}
    for item in query.split("&"):
        name, _, value = item.partition("=")
        if name in fields and name:
            return None
        fields[name] = value
    return fields


def examine(method: str, query: str, upgrade: bool, known: Container[str], *, websocket: bool) -> Reply | str:
    """The sid of a known session, or "" for a handshake; or the reply that refuses the request.

    ``websocket``: whether that transport is open.
    """
    fields = parse_query(query)
    if fields is None:
        return BAD_REQUEST
    transport = fields.get("transport")
    if transport != "polling" and not (websocket and transport == "websocket"):
        return UNKNOWN_TRANSPORT
    if upgrade is (transport == "polling") or "j" in fields:  # each transport has its kind of request; and JSONP
        return BAD_REQUEST
    sid = fields.get("sid")
    if sid is None and method != "GET":
        return BAD_HANDSHAKE_METHOD
    if sid is not None and sid not in known:  # also an empty one: that is not a handshake
        return UNKNOWN_SID
    if fields.get("EIO") != "4":
        return UNSUPPORTED_VERSION
    if method not in ("GET",) if upgrade else method not in ("GET", "POST"):
        return BAD_REQUEST
    return sid or ""
