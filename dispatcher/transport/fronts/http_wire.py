"""A WebSocket's wire on one of Tornado's streams, once its HTTP is over."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from typing import cast

from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError

from dispatcher.transport.fronts.http_stream import BoundedStream
from dispatcher.transport.fronts.websocket import ROOM_BYTES, WebSocket

__all__ = ["StreamWire"]

_CHUNK = 64 * 1024


class StreamWire:
    """Owns the stream; ``BoundedStream`` closes it if what is written is not read in time."""

    def __init__(self, stream: BoundedStream, closed: Callable[[StreamWire], None]) -> None:
        """``closed`` is called once, at the end."""
        self._stream = stream
        if stream.closed():  # then Tornado does not tell
            IOLoop.current().add_callback(closed, self)
        else:
            stream.set_close_callback(lambda: closed(self))
        self._waiting = 0
        self._last_write: Future[None] | None = None
        self._websocket: WebSocket

    def start(self, websocket: WebSocket) -> None:
        """Leads all that comes to this WebSocket."""
        self._websocket = websocket
        self._read()

    def _read(self) -> None:
        try:
            read = self._stream.read_bytes(_CHUNK, partial=True)
        except StreamClosedError:
            return
        cast("Future[bytes]", read).add_done_callback(self._come)

    def _come(self, read: Future[bytes]) -> None:
        if read.exception() is not None:
            return
        self._websocket.received(read.result())
        self._read()

    # --- what a WebSocket sees

    def write(self, data: bytes) -> None:
        """Behind what waits."""
        if self._stream.closed():
            return
        written = self._last_write = self._stream.write(data)
        if not written.done():
            self._waiting += len(data)
            written.add_done_callback(lambda done: self._taken(len(data), done))

    def _taken(self, size: int, written: Future[None]) -> None:
        had_room = self._waiting < ROOM_BYTES
        self._waiting -= size
        if written.exception() is None and not had_room and self._waiting < ROOM_BYTES:
            self._websocket.drained()

    def waiting(self) -> int:
        """Bytes that the kernel has not taken."""
        return self._waiting

    def close_within(self, timeout_s: float) -> None:
        """Closes it at the latest then."""
        self._stream.must_come_within(timeout_s)

    def finish(self) -> None:
        """Closes it behind the last write."""
        if self._last_write is None or self._last_write.done():
            self._stream.close()
        else:
            self._last_write.add_done_callback(lambda _: self._stream.close())

    def cut(self) -> None:
        """Closes it now."""
        self._stream.close()
