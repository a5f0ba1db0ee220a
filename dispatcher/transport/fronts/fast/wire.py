"""A WebSocket's wire on a fast connection, once its HTTP is over: another protocol on the same transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dispatcher.transport.fronts.fast.stream import FastStream
from dispatcher.transport.fronts.websocket import WebSocket

if TYPE_CHECKING:
    from dispatcher.transport.fronts.fast.protocol import FastConnection

__all__ = ["FastWire"]


class FastWire(FastStream):
    """``FastStream`` ends it if what is written is not read in time."""

    def __init__(self, conn: FastConnection, transport: asyncio.Transport, early: bytes, room: memoryview) -> None:
        """``early`` came with the handshake; ``room`` is what all connections read into."""
        super().__init__(conn.front, conn.sock)
        self._conn = conn
        self._early = early
        self._room = room
        self._websocket: WebSocket
        self._transport = transport
        transport.set_protocol(self)
        transport.resume_reading()

    # --- what asyncio calls

    def get_buffer(self, sizehint: int) -> memoryview:
        """The same bytes for all connections."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Frames, or pieces of them."""
        self._websocket.received(bytes(self._room[:nbytes]))

    def eof_received(self) -> None:
        """The transport closes."""

    def resume_writing(self) -> None:
        """The kernel has taken all."""
        super().resume_writing()
        self._patience.deadline = None
        self._websocket.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever wanted it."""
        super().connection_lost(exc)
        self._conn.front.wire_closed(self)
        self._conn.connection_lost(exc)

    # --- what a WebSocket sees

    def start(self, websocket: WebSocket) -> None:
        """Leads all that comes to this WebSocket."""
        self._websocket = websocket
        if self._early:
            self._loop.call_soon(websocket.received, self._early)

    def waiting(self) -> int:
        """Bytes that the kernel has not taken."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def close_within(self, timeout_s: float) -> None:
        """Closes it at the latest then."""
        self.must_end_in(timeout_s)

    def finish(self) -> None:
        """Closes it behind what waits."""
        self.close()

    def cut(self) -> None:
        """Closes it now."""
        self.abort()
