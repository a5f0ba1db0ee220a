"""All sessions of Engine.IO v4: by long-polling, or by a WebSocket. No I/O, no clock, no tasks.

Owns every session and decides what happens to it. A front (``fronts``) brings requests, frames and closed connections;
the service sends through ``send`` and hears through a ``Listener``. ``now`` is monotonic seconds in every call and
never goes back. This class is the way in; ``book`` keeps the sessions, ``polling`` and ``sockets`` carry their packets.

It keeps the rules of the protocol (https://github.com/socketio/engine.io-protocol, v4), and adds one: nothing waits
without a limit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict
from hmac import compare_digest

from dispatcher.transport.book import Book
from dispatcher.transport.carrier import Carriers, CloseCode, Socket
from dispatcher.transport.codec import CLOSE_PACKET, message_packet
from dispatcher.transport.counts import Counts
from dispatcher.transport.exchange import UNKNOWN_SID, Connection, Exchange, Reply, examine
from dispatcher.transport.leaving import MOMENT_S
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.listener import Listener
from dispatcher.transport.polling import Polling
from dispatcher.transport.session import Session
from dispatcher.transport.sockets import Sockets

__all__ = ["Sessions", "new_sid"]


def new_sid() -> str:
    """128 random bits, safe in a URL."""
    return secrets.token_urlsafe(16)


class Sessions:
    """The sessions of one node."""

    def __init__(self, limits: SessionLimits, listener: Listener, *, new_sid: Callable[[], str] = new_sid) -> None:
        self.limits = limits
        self.book = Book(limits, listener, new_sid)
        self._polling = Polling(self.book)
        self._sockets = Sockets(self.book)
        #: Sessions that ended because nobody read their messages, with what carried them.
        self._overflowed: list[tuple[str, Carriers]] = []

    def __len__(self) -> int:
        return len(self.book.sessions)

    def __contains__(self, sid: str) -> bool:
        return self.book.living(sid) is not None

    @property
    def counts(self) -> Counts:
        """What has happened so far."""
        return self.book.counts

    @property
    def listener(self) -> Listener:
        """Who hears of it."""
        return self.book.listener

    def counted(self) -> dict[str, int]:
        """What has happened so far, by name, for metrics."""
        return asdict(self.counts)

    def carriers(self) -> dict[str, int]:
        """How many sessions there are, by what carries them."""
        return {"polling": len(self) - self.book.on_sockets, "websocket": self.book.on_sockets}

    def ids(self) -> list[str]:
        """The ids of all sessions, oldest first."""
        return list(self.book.sessions)

    def transport(self, sid: str) -> str:
        """``websocket`` or ``polling``. Raises KeyError: no such session."""
        return "websocket" if self.book.sessions[sid].on_socket else "polling"

    # --- for the service

    def open(self, listener: Listener) -> None:
        """From now on this listener is told everything; nothing has come in yet."""
        assert not self.book.sessions, "another listener knows these sessions"
        self.book.listener = listener

    def send(self, sid: str, data: str | bytes, attempt: str | None = None) -> bool:
        """Queue a message; it leaves with the next ``flush`` that finds a poll, or room in the socket.

        ``attempt`` marks an offer: the listener hears ``written`` when it has been written. False: there is no such
        session (any more). A session whose outbox is full ends here, and the listener hears ``ended`` at the
        next flush.
        """
        book = self.book
        session = book.living(sid)
        if session is None:
            return False
        packet = message_packet(data)
        outbox = session.outbox
        limits = self.limits
        if outbox.size + len(packet) >= limits.outbox_bytes or len(outbox.items) >= limits.outbox_packets:
            book.counts.overflows += 1
            self._overflowed.append((sid, book.remove(session)))
            return False
        outbox.put(packet, attempt)
        book.counts.messages_out += 1
        book.dirty[session] = None
        return True

    def withdraw(self, sid: str, attempt: str) -> bool:
        """Take the offer of this attempt out of the outbox. False: it is not there; it may have been written."""
        session = self.book.sessions.get(sid)
        return session is not None and session.outbox.take_out(attempt)

    def end(self, sid: str) -> None:
        """End a session from our side: its page gets the waiting packets and a close packet."""
        session = self.book.sessions.get(sid)
        if session is not None:
            session.ending = True
            self.book.touch(session)

    def probe(self, sid: str, now: float) -> bool:
        """Queue a PING at once; the listener hears ``heard`` when the page answers. False: no such session."""
        session = self.book.living(sid)
        if session is None:
            return False
        if session.ping == Session.NONE:
            self.book.put_ping(session, now)
        elif session.ping == Session.WRITTEN and not session.on_socket:  # a poll's answer may have been lost
            session.put_ping()
            self.book.touch(session)
        return True

    def flush(self, now: float) -> None:
        """Write to all sessions that have packets waiting, as far as their pages take them."""
        book = self.book
        while book.dirty or self._overflowed:
            dirty, book.dirty = book.dirty, {}
            for session in dirty:
                if session.on_socket:
                    self._sockets.write(session, now)
                else:
                    self._polling.write(session, now)
            overflowed, self._overflowed = self._overflowed, []
            for sid, carriers in overflowed:
                carriers.part(CLOSE_PACKET, CloseCode.NOT_READ)
                book.tell(book.listener.ended, sid, now)

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do; None while there are no sessions."""
        first = self.book.pings.next_deadline()
        for at in (self._sockets.next_deadline(), self.book.leaving.next_deadline()):
            if at is not None and (first is None or at < first):
                first = at
        return first

    def tick(self, now: float) -> None:
        """Send the pings that are due, and drop the sessions whose pong is overdue."""
        book = self.book
        for session in book.leaving.over(now):
            if not session.ended:  # by a listener, meanwhile
                book.went_away(session, now, MOMENT_S)
        for session in book.pings.overdue(now, lambda each: each.ping == Session.WRITTEN):
            if not session.ended:  # by a listener, meanwhile
                book.time_out(session, now)
        for session in book.pings.due(now):
            book.put_ping(session, now)
        self._sockets.tick(now)
        self.flush(now)

    def forgive(self, late_s: float, now: float) -> None:
        """The loop stood still for ``late_s``: no page is given up for that. Call it before ``tick``."""
        self.book.pings.forgive(late_s, now)
        self.book.leaving.forgive(now)
        self._sockets.forgive(late_s)

    # --- for a front: requests

    def begin(self, exchange: Exchange, now: float) -> Reply | None:
        """A request's head has arrived. Returns the reply that refuses it, whatever its body says, or None.

        If the request asks for an ``upgrade``, None says: answer its handshake, and then call ``join``.
        """
        refusal = self._admit(exchange, now)
        if refusal is not None:
            self.counts.refused_requests += 1
        return refusal

    def _admit(self, exchange: Exchange, now: float) -> Reply | None:
        known = self.book.sessions
        sid = examine(exchange.method, exchange.query, exchange.upgrade, known, websocket=self.limits.websocket)
        if isinstance(sid, Reply):
            return sid
        session = known[sid] if sid else None
        if session is not None and session.key and not compare_digest(session.key, exchange.key):
            return UNKNOWN_SID  # whoever has read the id somewhere learns nothing from it
        if exchange.upgrade:
            exchange.session = session
            return self._sockets.admit(session)
        return None if session is None else self._polling.admit(session, exchange, now)

    def complete(self, exchange: Exchange, body: bytes, now: float) -> None:
        """A request that ``begin`` did not refuse is complete: it is answered now, or parked. ``flush`` after it."""
        session = exchange.session
        if session is None:
            self._polling.open(exchange, now)
        elif exchange.method == "GET":
            self._polling.poll(session, exchange, now)
        else:
            self._polling.post(session, exchange, body, now)

    def abandon(self, exchange: Exchange, now: float) -> None:
        """The connection of an unanswered exchange is closed, or its request was refused for its size."""
        self._polling.abandon(exchange, now)

    def disconnected(self, connection: Connection, now: float, *, was_cut: bool = False) -> None:
        """A connection that carried polls was closed by the other side; ``was_cut``: in the middle of an answer."""
        self._polling.disconnected(connection, now, was_cut=was_cut)

    # --- for a front: sockets; ``flush`` after each

    def join(self, socket: Socket, session: Session | None, now: float) -> None:
        """A handshake that ``begin`` did not refuse has been answered; ``session`` is its exchange's."""
        self._sockets.join(socket, session, now)

    def frame(self, socket: Socket, data: str | bytes, now: float) -> None:
        """A whole message of a socket has come."""
        self._sockets.frame(socket, data, now)

    def drained(self, socket: Socket) -> None:
        """The socket has room again."""
        self._sockets.drained(socket)

    def broke_rules(self, socket: Socket, now: float) -> None:
        """What came were no frames, or no text; the front has closed the socket."""
        self._sockets.broke_rules(socket, now)

    def hung_up(self, socket: Socket, now: float) -> None:
        """The socket is closed, by whomever."""
        self._sockets.hung_up(socket, now)
