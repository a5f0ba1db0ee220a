"""Refuses a request whose head is too large to be read: an answer, and a moment to read it.

A connection that is closed with bytes unread is reset, and then the client may never see the answer. So what still
comes is thrown away for a while. The stream is closed by then; this works on a socket of its own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from tornado.ioloop import IOLoop

__all__ = ["Farewell"]

#: How long, and how many bytes, a client may go on sending.
LINGER_S = 2.0
DRAIN_BYTES = 1 << 20


class Farewell:
    """Owns the socket from now on; ``over`` is called once, when it is closed."""

    def __init__(self, sock: socket.socket, answer: bytes, over: Callable[[Farewell], None]) -> None:
        self._sock = sock
        self._over = over
        self._left = DRAIN_BYTES
        self._loop = IOLoop.current()
        self._timer = self._loop.call_later(LINGER_S, self.close)
        self._loop.add_handler(sock, self._more, IOLoop.READ)
        try:
            sock.send(answer)
            sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client has gone already
            self.close()

    def _more(self, _sock: socket.socket, _events: int) -> None:
        try:
            size = len(self._sock.recv(65_536))
        except BlockingIOError:
            return
        except OSError:
            size = 0
        self._left -= size
        if not size or self._left <= 0:
            self.close()

    def close(self) -> None:
        """Ends it at once."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_timeout(self._timer)
        self._loop.remove_handler(self._sock)
        self._sock.close()
        self._over(self)
