"""Lets connections in, to a bound, and sends those away whose head cannot be read. Every front that listens has one."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from dispatcher.transport.fronts.http_door import Door
from dispatcher.transport.fronts.http_refusal import Farewell
from dispatcher.transport.fronts.policy import HeadRefusal, Policy

__all__ = ["MOST_FAREWELLS", "Doorkeeper", "room_for_connections"]

#: Descriptors that no connection takes.
SPARE_DESCRIPTORS = 40
#: Refused requests whose clients are given time to read why; others are closed at once.
MOST_FAREWELLS = 16
_NO_BOUND = 1 << 62
_TCP = (socket.AF_INET, socket.AF_INET6)


class Doorkeeper:
    """Owns the listening sockets, and the connections that hear a farewell."""

    #: More are closed as they come, so that store, log and files have descriptors left.
    max_connections = _NO_BOUND
    _open = 0
    _doors: tuple[Door, ...] = ()
    _farewells: frozenset[Farewell] = frozenset()

    def policy(self) -> Policy:
        """The rules of all connections."""
        raise NotImplementedError

    def let_in(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        """Serves a connection."""
        raise NotImplementedError

    async def close_all_connections(self) -> None:
        """Close everything; no page counts as gone because of it."""
        raise NotImplementedError

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Let connections in from now on."""
        self._doors += tuple(Door(sock, self._come) for sock in sockets)

    def add_socket(self, socket: socket.socket) -> None:
        """The same for one."""
        self.add_sockets([socket])

    def stop(self) -> None:
        """Let no more connections in; open ones stay."""
        for door in self._doors:
            door.close()
        self._doors = ()

    def standing(self) -> int:
        """How many connections there are."""
        return self._open

    def _come(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        if self.standing() >= self.max_connections:
            connection.close()
            return
        self._open += 1
        self.let_in(connection, address)

    def say_farewell(self, sock: socket.socket, refusal: HeadRefusal) -> None:
        """Answers a head that cannot be read, on a socket of its own."""
        on_refusal = self.policy().on_refusal
        if on_refusal is not None:
            remote = sock.getpeername() if sock.family in _TCP else ("",)
            on_refusal(refusal.code, refusal.detail, str(remote[0]))
        if len(self._farewells) < MOST_FAREWELLS:
            self._farewells |= {Farewell(sock, refusal.answer(), self._forget)}
        else:
            sock.close()

    def close_farewells(self) -> None:
        """Ends them at once."""
        for farewell in self._farewells:
            farewell.close()

    def _forget(self, farewell: Farewell) -> None:
        self._farewells -= {farewell}


def room_for_connections() -> int:
    """The number of descriptors, less those that store, log and files need."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return _NO_BOUND
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _NO_BOUND if soft == resource.RLIM_INFINITY else max(1, soft - SPARE_DESCRIPTORS)
