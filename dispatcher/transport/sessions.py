"""All sessions: polls, posts, pings and deadlines of Engine.IO v4 over long-polling. No I/O, no clock, no
tasks.

Owns every session and decides what happens to it. A front (``http``) brings requests and closed connections; the
service sends through ``send`` and hears through a ``Listener``. ``now`` is monotonic seconds in every call
and never goes back.

It keeps these rules of the protocol (https://github.com/socketio/engine.io-protocol, v4):
one GET and one POST at a time; a second GET is refused, ends the session and closes the first; a malformed
body is refused and ends the session; the server pings. It adds two rules: a poll whose connection is closed
takes nothing with it; nothing waits without a limit.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable

from dispatcher.transport import exchange as replies
from dispatcher.transport.codec import (
    CLOSE,
    CLOSE_PACKET,
    MESSAGE,
    NOOP_PACKET,
    OPEN,
    PONG,
    SEPARATOR,
    Incoming,
    ProtocolError,
    decode,
    message_packet,
)
from dispatcher.transport.counts import Counts
from dispatcher.transport.exchange import Connection, Exchange, Reply, examine
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.listener import BinaryListener, Listener
from dispatcher.transport.pings import Pings
from dispatcher.transport.session import Session

__all__ = ["Sessions", "new_sid"]

_log = logging.getLogger(__name__)


def new_sid() -> str:
    """128 random bits, safe in a URL."""
    return secrets.token_urlsafe(16)


class Sessions:
    """The sessions of one node."""

    def __init__(self, limits: SessionLimits, listener: Listener, *, new_sid: Callable[[], str] = new_sid) -> None:
        self.limits = limits
        self.listener = listener
        self.counts = Counts()
        self._new_sid = new_sid
        self._sessions: dict[str, Session] = {}
        self._pings: Pings[Session] = Pings(limits.ping_interval_s, limits.ping_timeout_s)
        #: Sessions that may have something to write; in order, so that nobody is always last.
        self._dirty: dict[Session, None] = {}
        #: Sessions that ended because nobody read their messages, with a poll that may have come too late.
        self._overflowed: list[tuple[str, Exchange | None]] = []

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, sid: str) -> bool:
        session = self._sessions.get(sid)
        return session is not None and not session.ending

    def ids(self) -> list[str]:
        """The ids of all sessions, oldest first."""
        return list(self._sessions)

    # --- for the service

    def open(self, listener: Listener) -> None:
        """From now on this listener is told everything; nothing has come in yet."""
        assert not self._sessions, "another listener knows these sessions"
        self.listener = listener

    def send(self, sid: str, data: str | bytes, attempt: str | None = None) -> bool:
        """Queue a message; it leaves with the next ``flush`` that finds a poll.

        ``attempt`` marks an offer: the listener hears ``written`` when its answer is. False: there is no such
        session (any more). A session whose outbox is full ends here, and the listener hears ``ended`` at the
        next flush.
        """
        session = self._sessions.get(sid)
        if session is None or session.ending:
            return False
        packet = message_packet(data)
        outbox = session.outbox
        limits = self.limits
        if outbox.size + len(packet) >= limits.outbox_bytes or len(outbox) >= limits.outbox_packets:
            self.counts.overflows += 1
            self._overflowed.append((sid, session.poll))
            self._remove(session)
            return False
        outbox.put(packet, attempt)
        self.counts.messages_out += 1
        self._dirty[session] = None
        return True

    def withdraw(self, sid: str, attempt: str) -> bool:
        """Take the offer of this attempt out of the outbox. False: it is not there; a poll may have taken it."""
        session = self._sessions.get(sid)
        return session is not None and session.outbox.take_out(attempt)

    def end(self, sid: str) -> None:
        """End a session from our side: its poll, or its next one, gets the waiting packets and a close packet."""
        session = self._sessions.get(sid)
        if session is not None:
            session.ending = True
            self._dirty[session] = None

    def probe(self, sid: str, now: float) -> bool:
        """Queue a PING at once; the listener hears ``heard`` when the page answers. False: no such session."""
        session = self._sessions.get(sid)
        if session is None or session.ending:
            return False
        if session.ping == Session.QUEUED:
            return True
        if session.ping == Session.NONE:
            self._pings.sent(session, now)
        session.put_ping()
        self._dirty[session] = None
        return True

    def flush(self, now: float) -> None:
        """Answer the polls of all sessions that have packets waiting."""
        while self._dirty or self._overflowed:
            dirty, self._dirty = self._dirty, {}
            for session in dirty:
                self._answer_poll(session, now)
            overflowed, self._overflowed = self._overflowed, []
            for sid, poll in overflowed:
                if poll is not None:
                    poll.answer(Reply(200, CLOSE_PACKET))
                self._tell(self.listener.ended, sid, now)

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do; None while there are no sessions."""
        return self._pings.next_deadline()

    def tick(self, now: float) -> None:
        """Send the pings that are due and drop the sessions whose pong is overdue."""
        for session in self._pings.overdue(now):
            if not session.ended:  # by a listener, meanwhile
                self._time_out(session, now)
        for session in self._pings.due(now):
            self._pings.sent(session, now)
            session.put_ping()
            self._dirty[session] = None
        self.flush(now)

    def forgive(self, late_s: float, now: float) -> None:
        """The loop stood still for ``late_s``: no page is given up for that. Call it before ``tick``."""
        self._pings.forgive(late_s, now)

    # --- for a front

    def begin(self, exchange: Exchange, now: float) -> Reply | None:
        """A request's head has arrived. Returns the reply that refuses it, whatever its body says, or None."""
        sid = examine(exchange.method, exchange.query, exchange.upgrade, self._sessions)
        if isinstance(sid, Reply):
            refusal: Reply | None = sid
        else:
            refusal = self._admit(self._sessions[sid], exchange, now) if sid else None
        if refusal is not None:
            self.counts.refused_requests += 1
        return refusal

    def complete(self, exchange: Exchange, body: bytes, now: float) -> None:
        """A request that ``begin`` did not refuse is complete: it is answered now, or parked. ``flush`` after it."""
        session = exchange.session
        if session is None:
            self._open(exchange, now)
        elif exchange.method == "GET":
            self._poll(session, exchange, now)
        else:
            self._post(session, exchange, body, now)

    def abandon(self, exchange: Exchange, now: float) -> None:
        """The connection of an unanswered exchange is closed, or its request was refused for its size."""
        session = exchange.session
        if session is None or session.ended:
            return
        if session.post is exchange:
            session.post = None
        if session.poll is exchange:
            session.poll = None
            self._went_away(session, now)

    def disconnected(self, connection: Connection, now: float) -> None:
        """A connection that carried polls was closed by the other side."""
        for sid in sorted(connection.sids):
            session = self._sessions.get(sid)
            if session is not None:
                session.poll = None
                self._went_away(session, now)

    # --- requests

    def _admit(self, session: Session, exchange: Exchange, now: float) -> Reply | None:
        if exchange.method == "POST":
            if session.ending:
                return replies.UNKNOWN_SID
            if session.post is not None and session.post.is_open():
                self.counts.overlaps += 1
                self._end(session, CLOSE_PACKET, now)
                return replies.BAD_REQUEST
            session.post = exchange
        exchange.session = session
        return None

    def _open(self, exchange: Exchange, now: float) -> None:
        if len(self._sessions) >= self.limits.sessions:
            self.counts.refused_sessions += 1
            exchange.answer(replies.TOO_MANY_SESSIONS._replace(retry_after_s=self.limits.retry_after_s))
            return
        session = Session(self._new_sid())
        self._sessions[session.sid] = session
        self._pings.rest(session, now)
        self._carried_by(session, exchange.connection)
        self.counts.opened += 1
        if not self._tell(self.listener.opened, session.sid, exchange.remote, exchange.user_agent, now):
            self._remove(session)
            exchange.answer(replies.INTERNAL_ERROR)
        elif not exchange.answer(Reply(200, self._open_packet(session.sid))):
            self._went_away(session, now)

    def _open_packet(self, sid: str) -> bytes:
        limits = self.limits
        handshake = {
            "sid": sid,
            "upgrades": [],
            "pingInterval": round(limits.ping_interval_s * 1000),
            "pingTimeout": round(limits.ping_timeout_s * 1000),
            "maxPayload": limits.post_limit,
        }
        return f"{OPEN}{json.dumps(handshake, separators=(',', ':'))}".encode()

    def _poll(self, session: Session, exchange: Exchange, now: float) -> None:
        if session.ended:
            exchange.answer(replies.UNKNOWN_SID)
            return
        if session.poll is not None and session.poll.is_open():
            self.counts.overlaps += 1
            self._end(session, CLOSE_PACKET, now)
            exchange.answer(replies.BAD_REQUEST)
            return
        if session.poll is not None:  # its connection is closed, only nobody has said so yet
            session.poll = None
            self._went_away(session, now)
        self.counts.polls += 1
        session.poll = exchange
        self._carried_by(session, exchange.connection)
        was_away, session.away = session.away, False
        if not session.ending:
            if was_away:
                self._tell(self.listener.back, session.sid, now)
            self._tell(self.listener.polled, session.sid, now)
        if session.ending or session.outbox:
            self._dirty[session] = None

    def _post(self, session: Session, exchange: Exchange, body: bytes, now: float) -> None:
        session.post = None
        if session.ended or session.ending:
            exchange.answer(replies.UNKNOWN_SID)
            return
        try:
            packets = decode(body, self.limits.packet_limit)
        except ProtocolError:
            self.counts.protocol_errors += 1
            self._end(session, CLOSE_PACKET, now)
            exchange.answer(replies.BAD_REQUEST)
            return
        self.counts.posts += 1
        self._tell(self.listener.heard, session.sid, now)
        exchange.answer(self._take(session, packets, now))

    def _take(self, session: Session, packets: list[Incoming], now: float) -> Reply:
        """Hand the packets on. If one fails, the others go on, but the page hears 500 and repeats them all."""
        reply = replies.OK
        for kind, data in packets:
            if session.ended or session.ending:  # by the listener: what follows is not taken, and we say so
                return replies.UNKNOWN_SID
            if kind == MESSAGE:
                if not self._tell_message(session.sid, data, now):
                    reply = replies.INTERNAL_ERROR
            elif kind == PONG:
                self._pong(session, now)
            elif kind == CLOSE:
                self._end(session, NOOP_PACKET, now)
        return reply

    def _tell_message(self, sid: str, data: str | bytes, now: float) -> bool:
        self.counts.messages_in += 1
        if isinstance(data, str):
            return self._tell(self.listener.message, sid, data, now)
        if isinstance(self.listener, BinaryListener):
            return self._tell(self.listener.binary, sid, data, now)
        return self._tell(self.listener.message, sid, message_packet(data).decode(), now)

    # --- answers to polls

    def _answer_poll(self, session: Session, now: float) -> None:
        poll = session.poll
        if poll is None or not (session.outbox or session.ending):
            return
        body, count, attempts = session.next_answer(self.limits.poll_limit)
        last = session.ending and count == len(session.outbox)
        if last:
            body = SEPARATOR.join([body, CLOSE_PACKET]) if body else CLOSE_PACKET
        session.poll = None
        if not poll.answer(Reply(200, body)):
            self._went_away(session, now)
            return
        session.taken(count)
        if last:
            self._remove(session)
        if attempts and not session.ending:
            self._tell(self.listener.written, session.sid, attempts, now)

    # --- pings

    def _pong(self, session: Session, now: float) -> None:
        """A pong counts only if a ping has been written: a page cannot stay alive by guessing, without polling."""
        if session.ping == Session.WRITTEN:
            session.ping = Session.NONE
            self._pings.rest(session, now)

    def _time_out(self, session: Session, now: float) -> None:
        poll = session.poll
        self._remove(session)
        if poll is not None:
            poll.answer(Reply(200, CLOSE_PACKET))
        if session.ending:
            return
        if session.away:
            self._tell(self.listener.dropped, session.sid, now)
            return
        self.counts.quiet += 1
        self._tell(self.listener.quiet, session.sid, now)

    # --- the end of sessions

    def _carried_by(self, session: Session, connection: Connection | None) -> None:
        if session.connection is connection:
            return
        if session.connection is not None:
            session.connection.sids.discard(session.sid)
        session.connection = connection
        if connection is not None:
            connection.sids.add(session.sid)

    def _went_away(self, session: Session, now: float) -> None:
        self._carried_by(session, None)
        if session.away:
            return
        session.away = True
        if not session.ending:
            self.counts.away += 1
            self._tell(self.listener.away, session.sid, now)

    def _end(self, session: Session, packet: bytes, now: float) -> None:
        """The page ended the session, with a close or by breaking the rules: its parked poll gets ``packet``."""
        poll = session.poll
        self._remove(session)
        if poll is not None:
            poll.answer(Reply(200, packet))
        if not session.ending:
            self._tell(self.listener.ended, session.sid, now)

    def _remove(self, session: Session) -> None:
        del self._sessions[session.sid]
        self._pings.forget(session)
        self._dirty.pop(session, None)
        self._carried_by(session, None)
        session.outbox.clear()
        session.poll = session.post = None
        session.ended = True

    def _tell(self, event: Callable[..., None], sid: str, *arguments: object) -> bool:
        """The one boundary to the listener: a failure there is logged, counted and told to the caller, nothing more."""
        try:
            event(sid, *arguments)
        except Exception:  # noqa: BLE001  # a fault of the service must not end the sessions of pages
            self.counts.listener_errors += 1
            _log.exception("the listener failed in %s", getattr(event, "__name__", event))
            return False
        return True
