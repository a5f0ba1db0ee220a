"""The door: a listening socket that shuts for a moment when no descriptor is left.

Tornado's own would try again at once, for ever, with a traceback in the log each time. Connections that come while
the door is shut wait in the kernel's queue. This module knows nothing of requests.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

from tornado.ioloop import IOLoop

__all__ = ["Door"]

_log = logging.getLogger("pagehand.transport")

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
#: How long the door stays shut when no descriptor is left.
REST_S = 1.0
#: The most connections that are let in before other work has its turn.
_AT_ONCE = 128


class Door:
    """Owns the socket; ``come`` is called with each connection and its address."""

    def __init__(self, sock: socket.socket, come: Callable[[socket.socket, Any], None]) -> None:
        self._sock = sock
        self._come = come
        self._loop = IOLoop.current()
        self._timer: object | None = None
        self._open()

    def close(self) -> None:
        """Lets no more connections in."""
        if self._timer is None:
            self._loop.remove_handler(self._sock)
        else:
            self._loop.remove_timeout(self._timer)
        self._sock.close()

    def _open(self) -> None:
        self._timer = None
        self._loop.add_handler(self._sock, self._knocked, IOLoop.READ)

    def _knocked(self, _sock: socket.socket, _events: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._sock.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._rest(error)
                return
            self._come(connection, address)

    def _rest(self, error: OSError) -> None:
        _log.warning("no connections for %g s: %s", REST_S, error.strerror, extra={"action": "exhausted"})
        self._loop.remove_handler(self._sock)
        self._timer = self._loop.call_later(REST_S, self._open)
