"""Sessions whose packets polls carry: one GET and one POST at a time. No I/O, no clock.

A second GET is refused, ends the session and closes the first; a malformed body is refused and ends the session. A poll
whose connection is closed takes nothing with it.
"""

from __future__ import annotations

from dispatcher.transport import exchange as replies
from dispatcher.transport.book import Book
from dispatcher.transport.carrier import CloseCode
from dispatcher.transport.codec import CLOSE_PACKET, NOOP_PACKET, SEPARATOR, ProtocolError, decode
from dispatcher.transport.exchange import Connection, Exchange, Reply
from dispatcher.transport.session import Session

__all__ = ["Polling"]


class Polling:
    """Requests of pages, and the answers to their polls."""

    def __init__(self, book: Book) -> None:
        self._book = book

    # --- for a front

    def admit(self, session: Session, exchange: Exchange, now: float) -> Reply | None:
        """Whether a request of this session is taken, before its body has come; None: it is."""
        if session.on_socket:  # it has moved, and does not come back
            return replies.UNKNOWN_SID
        if exchange.method == "POST":
            if session.ending:
                return replies.UNKNOWN_SID
            if session.post is not None and session.post.is_open():
                return self._overlap(session, now)
            session.post = exchange
        exchange.session = session
        return None

    def _overlap(self, session: Session, now: float) -> Reply:
        self._book.counts.overlaps += 1
        self._book.end(session, CLOSE_PACKET, CloseCode.OVERLAP, now)
        return replies.BAD_REQUEST

    def open(self, exchange: Exchange, now: float) -> None:
        """A handshake."""
        book = self._book
        refusal = book.full()
        if refusal is not None:
            exchange.answer(refusal)
            return
        session = book.open(exchange.remote, exchange.user_agent, now, exchange.connection)
        if session is not None:
            session.key = exchange.key
        if session is None:
            exchange.answer(replies.INTERNAL_ERROR)
        elif not exchange.answer(Reply(200, book.open_packet(session.sid))):
            book.went_away(session, now)

    def poll(self, session: Session, exchange: Exchange, now: float) -> None:
        """A GET: it is answered now, or parked."""
        book = self._book
        if session.ended or session.on_socket:
            exchange.answer(replies.UNKNOWN_SID)
            return
        if session.poll is not None and session.poll.is_open():
            exchange.answer(self._overlap(session, now))
            return
        if session.poll is not None:  # its connection is closed, only nobody has said so yet
            session.poll = None
            book.went_away(session, now)
        book.counts.polls += 1
        session.poll = exchange
        book.carried_by(session, exchange.connection)
        was_away = book.came_back(session)
        if not session.ending:
            if was_away:
                book.tell(book.listener.back, session.sid, now)
            book.tell(book.listener.polled, session.sid, now)
        if session.ending or session.outbox.items or session.probed:
            book.touch(session)

    def post(self, session: Session, exchange: Exchange, body: bytes, now: float) -> None:
        """A POST with all of its body. One that began before the session moved to a socket is taken."""
        book = self._book
        session.post = None
        if session.ended or session.ending:
            exchange.answer(replies.UNKNOWN_SID)
            return
        try:
            packets = decode(body, book.limits.packet_limit)
        except ProtocolError:
            book.counts.protocol_errors += 1
            book.end(session, CLOSE_PACKET, CloseCode.PROTOCOL_ERROR, now)
            exchange.answer(replies.BAD_REQUEST)
            return
        book.counts.posts += 1
        book.tell(book.listener.heard, session.sid, now)
        exchange.answer(book.take(session, packets, now))

    def abandon(self, exchange: Exchange, now: float) -> None:
        """The connection of an unanswered request is closed, or it was refused for its size."""
        session = exchange.session
        if session is None or session.ended:
            return
        if session.post is exchange:
            session.post = None
        if session.poll is exchange:
            session.poll = None
            self._book.went_away(session, now)

    def disconnected(self, connection: Connection, now: float, *, was_cut: bool = False) -> None:
        """A connection that carried polls was closed by the other side; ``was_cut``: in the middle of an answer."""
        book = self._book
        for sid in sorted(connection.sids):
            session = book.sessions.get(sid)
            if session is None:
                continue
            if was_cut or session.poll is not None:
                session.poll = None
                book.went_away(session, now)
            else:
                book.may_have_left(session, now)

    # --- for the sessions

    def write(self, session: Session, now: float) -> None:
        """Answers the session's poll, if it has one and something to say."""
        poll = session.poll
        if poll is None:
            return
        if not (session.outbox.items or session.ending):
            if session.probed:  # the page waits for this, to move to its socket
                self._book.release_poll(session)
            return
        body, count, attempts = session.next_answer(self._book.limits.poll_limit)
        last = session.ending and count == len(session.outbox)
        if last:
            body = SEPARATOR.join([body, CLOSE_PACKET]) if body else CLOSE_PACKET
        session.poll = None
        if not poll.answer(Reply(200, body)):
            self._book.went_away(session, now)
            return
        session.taken(count)
        if last:
            self._book.remove(session).part(NOOP_PACKET, CloseCode.NORMAL)
        if attempts and not session.ending:
            self._book.tell(self._book.listener.written, session.sid, attempts, now)
