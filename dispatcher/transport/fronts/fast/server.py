"""All connections of the fast front. From outside it is like ``http.FrontServer``."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.doorkeeper import Doorkeeper, room_for_connections
from dispatcher.transport.fronts.fast.heads import HeadReader
from dispatcher.transport.fronts.fast.protocol import FastConnection
from dispatcher.transport.fronts.http import Front
from dispatcher.transport.fronts.policy import HeadRefusal, Policy

__all__ = ["FastServer", "make_fast_server"]

_ONE_READ = 64 * 1024
_TCP = (socket.AF_INET, socket.AF_INET6)


class FastServer(Doorkeeper):
    """Serves the connections of one front."""

    def __init__(self, front: Front, *, max_body_size: int) -> None:
        self.front = front
        self.max_body_size = max_body_size
        self.heads = HeadReader()
        self.bytes_of_one_read = memoryview(bytearray(_ONE_READ))
        self._connections: set[FastConnection] = set()
        #: They become connections in a moment.
        self._coming: set[asyncio.Task[Any]] = set()

    def policy(self) -> Policy:
        """The rules of all connections."""
        return self.front

    def let_in(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        """Serves a connection."""
        remote_ip = str(address[0]) if connection.family in _TCP else "0.0.0.0"  # noqa: S104  # as Tornado has it
        protocol = FastConnection(self, connection, remote_ip)
        coming = asyncio.get_running_loop().create_task(self._serve(protocol, connection))
        self._coming.add(coming)
        coming.add_done_callback(self._coming.discard)

    async def _serve(self, protocol: FastConnection, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
        except OSError:  # the client has gone already
            connection.close()
            if protocol not in self._connections:
                self._open -= 1

    def made(self, connection: FastConnection) -> None:
        """A connection stands."""
        self._connections.add(connection)

    def lost(self, connection: FastConnection) -> None:
        """A connection has ended."""
        self._open -= 1
        self._connections.discard(connection)
        self.front.left(connection.carrier, was_idle=connection.was_idle, was_cut=connection.was_cut)
        self.front.app.on_close(connection)

    def refuse(self, sock: socket.socket, refusal: HeadRefusal) -> None:
        """Answers a head that cannot be read; ``sock`` may be closed then."""
        with contextlib.suppress(OSError):  # no descriptor is left
            self.say_farewell(sock.dup(), refusal)

    async def close_all_connections(self) -> None:
        """Close everything; no page counts as gone because of it."""
        self.front.stopping = True
        self.front.close_wires()
        self.close_farewells()
        while self._connections or self._coming:
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)


def make_fast_server(front: Front, settings: Settings, *, max_body_size: int | None = None) -> FastServer:
    """The server for ``front``; ``max_body_size`` is the application's (default: four times ``post_limit``)."""
    server = FastServer(front, max_body_size=max_body_size or 4 * settings.post_limit)
    server.max_connections = room_for_connections()
    return server
