"""The book of all sessions: who there is, whose ping is due, who has something to write. No I/O, no clock.

It owns what is the same whether polls or a socket carry a session (``polling``, ``sockets``): a session's beginning and
end, its packets, its pings, and the one boundary to the listener.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from dispatcher.transport import exchange as replies
from dispatcher.transport.carrier import Carriers, CloseCode, Socket
from dispatcher.transport.codec import CLOSE, CLOSE_PACKET, MESSAGE, NOOP_PACKET, OPEN, PONG, Incoming, message_packet
from dispatcher.transport.counts import Counts
from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.leaving import Leaving
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.listener import BinaryListener, Listener
from dispatcher.transport.pings import Pings
from dispatcher.transport.session import Session

__all__ = ["Book"]

_log = logging.getLogger("dispatcher.transport.sessions")


class Book:
    """The sessions of one node."""

    def __init__(self, limits: SessionLimits, listener: Listener, new_sid: Callable[[], str]) -> None:
        self.limits = limits
        self.listener = listener
        self.counts = Counts()
        #: How many of the sessions a socket carries.
        self.on_sockets = 0
        self.sessions: dict[str, Session] = {}
        self.pings: Pings[Session] = Pings(limits.ping_interval_s, limits.ping_timeout_s)
        #: Those whose connection was closed between two polls.
        self.leaving: Leaving[Session] = Leaving()
        #: Sessions that may have something to write; in order, so that nobody is always last.
        self.dirty: dict[Session, None] = {}
        self._new_sid = new_sid

    def living(self, sid: str) -> Session | None:
        """The session, if we do not want it ended."""
        session = self.sessions.get(sid)
        return None if session is None or session.ending else session

    def touch(self, session: Session) -> None:
        """It may have something to write."""
        self.dirty[session] = None

    # --- the beginning

    def full(self) -> Reply | None:
        """The reply to a handshake that is one too many; None: there is room."""
        if len(self.sessions) < self.limits.sessions:
            return None
        self.counts.refused_sessions += 1
        return replies.TOO_MANY_SESSIONS._replace(retry_after_s=self.limits.retry_after_s)

    def open(self, remote: str, user_agent: str, now: float, connection: Connection | None = None) -> Session | None:
        """A new session; None: the listener failed, and there is none."""
        session = Session(self._new_sid())
        self.sessions[session.sid] = session
        self.pings.rest(session, now)
        self.carried_by(session, connection)
        self.counts.opened += 1
        if self.tell(self.listener.opened, session.sid, remote, user_agent, now):
            return session
        self.remove(session)
        return None

    def open_packet(self, sid: str) -> bytes:
        """What a page is told first."""
        limits = self.limits
        handshake = {
            "sid": sid,
            "upgrades": ["websocket"] if limits.websocket and not self.sessions[sid].on_socket else [],
            "pingInterval": round(limits.ping_interval_s * 1000),
            "pingTimeout": round(limits.ping_timeout_s * 1000),
            "maxPayload": limits.post_limit,
        }
        return b"%d%b" % (OPEN, msgspec.json.encode(handshake))

    # --- packets

    def take(self, session: Session, packets: list[Incoming], now: float) -> Reply:
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
                self.end(session, NOOP_PACKET, CloseCode.NORMAL, now)
        return reply

    def _tell_message(self, sid: str, data: str | bytes, now: float) -> bool:
        self.counts.messages_in += 1
        if isinstance(data, str):
            return self.tell(self.listener.message, sid, data, now)
        if isinstance(self.listener, BinaryListener):
            return self.tell(self.listener.binary, sid, data, now)
        return self.tell(self.listener.message, sid, message_packet(data).decode(), now)

    # --- pings

    def put_ping(self, session: Session, now: float) -> None:
        """Its pong must come in time, from now on."""
        self.pings.sent(session, now)
        session.put_ping()
        self.touch(session)

    def _pong(self, session: Session, now: float) -> None:
        """A pong counts only if a ping has been written: a page cannot stay alive by guessing, without reading."""
        if session.ping != Session.WRITTEN:
            return
        session.ping = Session.NONE
        self.pings.rest(session, now)
        if session.pinged:
            attempts = list(session.pinged)
            session.pinged.clear()
            self.tell(self.listener.received, session.sid, attempts, now)

    def time_out(self, session: Session, now: float) -> None:
        """No pong has come."""
        has_left = session.away or session in self.leaving
        self.remove(session).part(CLOSE_PACKET, CloseCode.NO_PONG)
        if session.ending:
            return
        if has_left:
            self.tell(self.listener.dropped, session.sid, now)
            return
        self.counts.quiet += 1
        self.tell(self.listener.quiet, session.sid, now)

    # --- what carries it

    def carried_by(self, session: Session, connection: Connection | None) -> None:
        """The connection that carries its polls, or carried the last one."""
        if session.connection is connection:
            return
        if session.connection is not None:
            session.connection.sids.discard(session.sid)
        session.connection = connection
        if connection is not None:
            connection.sids.add(session.sid)

    def release_poll(self, session: Session) -> None:
        """Its page moves to a socket: the parked poll comes back, and its connection says nothing of the page."""
        poll, session.poll = session.poll, None
        if session.on_socket:
            self.carried_by(session, None)
        if poll is not None:
            poll.answer(Reply(200, NOOP_PACKET))

    def may_have_left(self, session: Session, now: float) -> None:
        """The connection of its last poll is closed, behind the whole answer: its next poll may be on its way."""
        self.carried_by(session, None)
        if not session.away:
            self.leaving.begin(session, now)

    def went_away(self, session: Session, now: float, ago_s: float = 0.0) -> None:
        """What carried it was closed, so long ago."""
        self.carried_by(session, None)
        self.leaving.forget(session)
        if session.away:
            return
        session.away = True
        if not session.ending:
            self.counts.away += 1
            self.tell(self.listener.away, session.sid, now, ago_s)

    def came_back(self, session: Session) -> bool:
        """Its next poll or its socket has come. Returns whether it had been away."""
        self.leaving.forget(session)
        was_away, session.away = session.away, False
        return was_away

    # --- the end

    def end(self, session: Session, packet: bytes, code: CloseCode, now: float) -> None:
        """The page ended it, with a close or by breaking the rules."""
        self.remove(session).part(packet, code)
        if not session.ending:
            self.tell(self.listener.ended, session.sid, now)

    def moves(self, session: Session, socket: Socket) -> None:
        """From now on the socket carries it."""
        session.socket, session.on_socket = socket, True
        self.on_sockets += 1

    def remove(self, session: Session) -> Carriers:
        """It is known no more. What carried it must be told."""
        del self.sessions[session.sid]
        self.on_sockets -= session.on_socket
        self.pings.forget(session)
        self.leaving.forget(session)
        self.dirty.pop(session, None)
        self.carried_by(session, None)
        session.outbox.clear()
        carriers = session.let_go()
        session.ended = True
        return carriers

    def tell(self, event: Callable[..., None], sid: str, *arguments: object) -> bool:
        """The one boundary to the listener: a failure there is logged, counted and told to the caller, nothing more."""
        try:
            event(sid, *arguments)
        except Exception:  # noqa: BLE001  # a fault of the service must not end the sessions of pages
            self.counts.listener_errors += 1
            _log.exception("the listener failed in %s", getattr(event, "__name__", event))
            return False
        return True
