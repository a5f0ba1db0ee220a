"""Bugs planted in what carries sessions by sockets; ``controls`` hunts them with the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from dispatcher.transport.book import Book
from dispatcher.transport.carrier import Socket
from dispatcher.transport.session import Outbox, Session
from dispatcher.transport.sockets import Sockets
from tests.sim.knobs import Knobs
from tests.sim.planting import instead

__all__ = ["SOCKET_CONTROLS", "slow_readers"]


def _deaf(real: Any, self: Sockets, *told: Any) -> None:
    """Nothing comes of it."""


def _proves_too_much(real: Any, self: Book, session: Session, now: float) -> None:
    session.pinged.extend(session.unproved)
    session.unproved.clear()
    real(self, session, now)


def _moves_at_once(real: Any, self: Sockets, socket: Socket, session: Session, data: Any, now: float) -> None:
    real(self, socket, session, data, now)
    if session.probed:
        self._move(socket, session, now)


def _takes_it_along(real: Any, self: Sockets, socket: Socket, session: Session) -> None:
    real(self, socket, session)
    self._book.went_away(session, 0.0)


def _keeps_polls(real: Any, self: Book, session: Session) -> None:
    connection, session.connection = session.connection, None
    real(self, session)
    session.connection = connection


def _drops_what_waits(real: Any, self: Sockets, socket: Socket, session: Session, now: float) -> None:
    session.outbox.clear()
    real(self, socket, session, now)


def _newest_first(real: Any, self: Outbox, limit: int) -> Any:
    return real(self, limit)[::-1]


def _sockets(knobs: Knobs) -> None:
    knobs.by_socket, knobs.moves, knobs.pages = 1.0, 0.3, 4


def _cuts(knobs: Knobs) -> None:
    _sockets(knobs)
    knobs.cut_poll_every_s, knobs.unseen_by_server = 5.0, 0.3


def _proxies(knobs: Knobs) -> None:
    knobs.by_socket, knobs.parting, knobs.jobs_every_s = 0.0, True, 0.3


def _parts_at_once(real: Any, self: Book, session: Session, now: float) -> None:
    self.went_away(session, now)


def slow_readers(knobs: Knobs) -> None:
    """All pages use sockets and read little at a time."""
    _sockets(knobs)
    knobs.slow_reader, knobs.jobs_every_s = 1.0, 0.3
    knobs.settings = replace(knobs.settings, ping_interval_s=5.0)


def _moves(knobs: Knobs) -> None:
    knobs.by_socket, knobs.moves, knobs.jobs_every_s, knobs.cut_poll_every_s = 1.0, 1.0, 0.3, 5.0


def _broken_moves(knobs: Knobs) -> None:
    _moves(knobs)
    knobs.break_move, knobs.horizon_s = 0.5, 150.0


#: As ``controls.CONTROLS``.
SOCKET_CONTROLS: dict[str, tuple[Callable[[], AbstractContextManager[Any]], Callable[[Knobs], None]]] = {
    "the end of a socket is not told": (instead(Sockets, "hung_up", _deaf), _cuts),
    "nobody hears that a page has read": (instead(Sockets, "drained", _deaf), slow_readers),
    "a pong proves what was written after its ping": (instead(Book, "_pong", _proves_too_much), slow_readers),
    "a session moves before its poll has come back": (instead(Sockets, "_probe", _moves_at_once), _moves),
    "a socket that breaks in its move takes the session along": (
        instead(Sockets, "_give_up", _takes_it_along),
        _broken_moves,
    ),
    "a session that has moved goes with its old connection": (instead(Book, "release_poll", _keeps_polls), _moves),
    "a proxy that keeps no connection makes pages go away": (
        instead(Book, "may_have_left", _parts_at_once),
        _proxies,
    ),
    "what waits at the move is lost": (instead(Sockets, "_move", _drops_what_waits), _moves),
    "packets leave in the wrong order": (instead(Outbox, "batch", _newest_first), slow_readers),
}
