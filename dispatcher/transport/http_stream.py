"""The bytes of a connection: how fast they must come and go, and where the lines of a head end.

Three rules that Tornado has not, for every address:

- A head that has begun must be whole soon, while a connection may wait long for its next request: Tornado knows one
  time for both.
- What is written must be taken off our hands; otherwise it stays in memory for as long as the reader likes.
- The lines of a head end in CR LF. Tornado takes a line feed alone for an end too (until its version 6.7): where a
  proxy before us does not, the two see different requests.
"""

from __future__ import annotations

import socket
from asyncio import Future

from tornado.httputil import HTTPInputError
from tornado.iostream import IOStream

__all__ = ["BoundedStream", "time_for"]

#: Bytes per second that we wait for, on top of the timeouts; and the size up to which we do.
_SLOWEST_LINE = 16 * 1024
_NO_LARGER = 2 << 20


def time_for(size: int, timeout_s: float) -> float:
    """How long ``size`` bytes may take: a page on a slow line could otherwise never get a large result across."""
    return timeout_s + min(size, _NO_LARGER) / _SLOWEST_LINE


class BoundedStream(IOStream):
    """A connection of ours."""

    def __init__(
        self, sock: socket.socket, *, head_timeout_s: float, write_timeout_s: float, max_buffer_size: int | None
    ) -> None:
        super().__init__(sock, max_buffer_size=max_buffer_size)
        self._head_timeout_s = head_timeout_s
        self._write_timeout_s = write_timeout_s
        self._awaits_head = False
        #: Runs iff a head has begun and is not whole.
        self._head_timer: object | None = None

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Future[bytes]:
        """Tornado reads heads so, and nothing else. The future raises HTTPInputError: Tornado then answers 400."""
        self._awaits_head = True
        checked: Future[bytes] = Future()
        head = super().read_until_regex(regex, max_bytes)
        assert isinstance(head, Future)
        head.add_done_callback(lambda done: self._hand_on(done, checked))
        return checked

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Called when bytes have come."""
        size = super().read_from_fd(buf)
        if size and self._awaits_head and self._head_timer is None and b"\r\n\r\n" not in bytes(buf[:size]):
            self._head_timer = self.io_loop.call_later(self._head_timeout_s, self.close)
        return size

    def _hand_on(self, head: Future[bytes], checked: Future[bytes]) -> None:
        self._awaits_head = False
        if self._head_timer is not None:
            self.io_loop.remove_timeout(self._head_timer)
            self._head_timer = None
        error = head.exception()
        if checked.done():
            return
        if error is not None:
            checked.set_exception(error)
        elif (data := head.result()).count(b"\n") != data.count(b"\r\n"):
            checked.set_exception(HTTPInputError("a line ends in a line feed alone"))
        else:
            checked.set_result(data)

    def write(self, data: bytes | memoryview) -> Future[None]:
        """What the kernel does not take at once has its time, then the connection is closed."""
        written = super().write(data)
        if not written.done():
            timer = self.io_loop.call_later(time_for(len(data), self._write_timeout_s), self.close)
            written.add_done_callback(lambda _: self.io_loop.remove_timeout(timer))
        return written
