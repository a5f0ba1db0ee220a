"""Sessions whose packets a WebSocket carries: they begin with one, or move to it from long-polling. No I/O, no clock.

One frame is one packet, and the socket keeps their order. A session moves in four steps (Engine.IO v4, "Upgrade"):
the page opens a socket for its session and says ``2probe``; we answer ``3probe``, and from then on each of its polls at
once; when its last poll has come back it says ``5``; what waits then goes to the socket. Until the ``5`` the session
lives by its polls, whatever becomes of the socket. After it the session lives and dies with the socket.

A poll proves that the answer before it has arrived. On a socket a pong proves it: of all that was written before the
ping. A closed socket is a sign that the page may be gone, as a closed connection of a poll is.
"""

from __future__ import annotations

from collections import OrderedDict

from dispatcher.transport import exchange as replies
from dispatcher.transport.book import Book
from dispatcher.transport.carrier import CloseCode, Socket
from dispatcher.transport.codec import CLOSE_PACKET, ProtocolError, decode_frame
from dispatcher.transport.exchange import Reply
from dispatcher.transport.session import Session

__all__ = ["UPGRADE_TIMEOUT_S", "Sockets"]

#: A page that does not finish its move within this time goes on by polling.
UPGRADE_TIMEOUT_S = 10.0
#: Bytes that are handed to a socket at once; between two such batches it may say that it has no room.
_BATCH_BYTES = 64 * 1024
_PROBE, _PROBED, _UPGRADE = "2probe", b"3probe", "5"


class Sockets:
    """Moves sessions to sockets, and packets through them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        #: The sockets that have not taken their session over yet, by the order of their deadlines.
        self._candidates: OrderedDict[Socket, float] = OrderedDict()

    # --- for a front

    def admit(self, session: Session | None) -> Reply | None:
        """Whether a socket may come, before its handshake is answered; None: it may."""
        if session is None:
            return self._book.full()
        return replies.BAD_REQUEST if session.ending else None

    def join(self, socket: Socket, session: Session | None, now: float) -> None:
        """The handshake has been answered: the socket carries a new session, or may take over this one.

        A second one is closed, and the first stays. It is let in before, since a page is told of no refused handshake
        why, but of each closed socket.
        """
        if session is None:
            self._open(socket, now)
        elif session.on_socket or session.candidate is not None:
            self._book.counts.overlaps += 1
            socket.close(CloseCode.OVERLAP)
        else:
            socket.session = session
            session.candidate = socket
            self._candidates[socket] = now + UPGRADE_TIMEOUT_S

    def frame(self, socket: Socket, data: str | bytes, now: float) -> None:
        """A whole message of a socket has come."""
        session = socket.session
        if session is None or session.ended:
            return
        if session.candidate is socket:
            self._probe(socket, session, data, now)
        else:
            self._take(socket, session, data, now)

    def hung_up(self, socket: Socket, now: float) -> None:
        """The socket is closed, by whomever."""
        session = socket.session
        if session is None or session.ended:
            self._candidates.pop(socket, None)
            return
        if session.candidate is socket:
            self._give_up(socket, session)
        elif session.socket is socket:
            session.socket = None
            self._book.went_away(session, now)

    def broke_rules(self, socket: Socket, now: float) -> None:
        """What came were no frames, or no text. The front has closed it and said why."""
        session = socket.session
        self._book.counts.protocol_errors += 1
        if session is None or session.ended:
            return
        if session.candidate is socket:
            self._give_up(socket, session)
        else:
            self._book.end(session, CLOSE_PACKET, CloseCode.PROTOCOL_ERROR, now)

    def drained(self, socket: Socket) -> None:
        """The page has read: there is room again."""
        session = socket.session
        if session is not None and session.socket is socket:
            self._book.touch(session)

    # --- for the sessions

    def write(self, session: Session, now: float) -> None:
        """Hands the socket what waits, as far as its page reads."""
        socket = session.socket
        while socket is not None and session.outbox and socket.has_room():
            batch = session.outbox.batch(_BATCH_BYTES)
            if not socket.send([packet for packet, _ in batch]):
                self.hung_up(socket, now)
                return
            self._written(session, [attempt for _, attempt in batch if attempt is not None], len(batch), now)
            socket = session.socket
        if socket is not None and session.ending and not session.outbox:
            socket.send([CLOSE_PACKET])
            self._book.remove(session).part(CLOSE_PACKET, CloseCode.NORMAL)

    def _written(self, session: Session, attempts: list[str], count: int, now: float) -> None:
        had_ping = session.ping == Session.QUEUED
        session.taken(count)
        if had_ping:  # a ping is first: its pong proves what went before it
            session.pinged.extend(session.unproved)
            session.unproved.clear()
        session.unproved.extend(attempts)
        session.forget_old_offers()
        if attempts and not session.ending:
            self._book.tell(self._book.listener.written, session.sid, attempts, now)

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return next(iter(self._candidates.values()), None)

    def tick(self, now: float) -> None:
        """Closes the sockets whose pages did not finish their move."""
        while self._candidates:
            socket, deadline = next(iter(self._candidates.items()))
            if deadline > now:
                return
            assert socket.session is not None
            self._give_up(socket, socket.session)
            socket.close(CloseCode.NOT_UPGRADED)

    def forgive(self, late_s: float) -> None:
        """The loop stood still for ``late_s``."""
        for socket in self._candidates:
            self._candidates[socket] += late_s

    # --- how a session comes to its socket

    def _open(self, socket: Socket, now: float) -> None:
        session = self._book.open(socket.remote, socket.user_agent, now)
        if session is None:
            socket.close(CloseCode.INTERNAL_ERROR)
            return
        socket.session = session
        self._book.moves(session, socket)
        socket.send([self._book.open_packet(session.sid)])
        self._book.tell(self._book.listener.upgraded, session.sid, now)

    def _probe(self, socket: Socket, session: Session, data: str | bytes, now: float) -> None:
        if data == _PROBE and not session.probed:
            session.probed = True
            socket.send([_PROBED])
            self._book.touch(session)
        elif data == _UPGRADE and session.probed:
            self._move(socket, session, now)
        else:
            socket.close(CloseCode.PROTOCOL_ERROR)
            self.broke_rules(socket, now)

    def _give_up(self, socket: Socket, session: Session) -> None:
        """The session stays with its polls."""
        del self._candidates[socket]
        session.candidate, session.probed = None, False

    def _move(self, socket: Socket, session: Session, now: float) -> None:
        book = self._book
        self._give_up(socket, session)
        self._book.moves(session, socket)
        book.release_poll(session)
        book.counts.upgrades += 1
        was_away = book.came_back(session)
        book.touch(session)
        if not session.ending:
            if was_away:
                book.tell(book.listener.back, session.sid, now)
            book.tell(book.listener.upgraded, session.sid, now)

    # --- what comes through it

    def _take(self, socket: Socket, session: Session, data: str | bytes, now: float) -> None:
        book = self._book
        if session.ending:
            return
        try:
            packet = decode_frame(data)
        except ProtocolError:
            self.broke_rules(socket, now)
            return
        book.counts.frames += 1
        book.tell(book.listener.heard, session.sid, now)
        if book.take(session, [packet], now) is replies.INTERNAL_ERROR:
            # The page hears of no frame what became of it. When the socket breaks, it says again what matters.
            book.end(session, CLOSE_PACKET, CloseCode.INTERNAL_ERROR, now)
