"""Ports for what a test starts: of this process alone, and none that the system gives to a connection.

A port that the system chose (``bind`` to 0) and that was let go is from the range of outgoing connections: until the
program listens on it, or while a server is killed and started again, any connection on the machine may get it. So ports
lie below that range here. Processes that run tests side by side agree by the UDP port of the same number: who has bound
it has reserved the port, and the system lets it go when the process ends.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections import deque

__all__ = ["FIRST", "LAST", "free_port", "is_free"]

#: The range: above what a desk's own servers like to have, below what systems give to connections (Linux 32,768).
FIRST, LAST = 16_000, 32_000
#: So many ports stay reserved: more than a process has servers at one time, fewer than it may have open files.
_KEPT = 200

_reserved: deque[socket.socket] = deque()
#: Processes begin at different places, so they seldom ask for the same port.
_numbers = itertools.count(os.getpid() * 97)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no other test and no connection gets."""
    for number in itertools.islice(_numbers, LAST - FIRST):
        port = FIRST + number % (LAST - FIRST)
        if (reservation := _reservation(port)) is not None:
            _reserved.append(reservation)
            if len(_reserved) > _KEPT:
                _reserved.popleft().close()
            return port
    raise AssertionError(f"every port from {FIRST} to {LAST} is in use")


def is_free(port: int) -> bool:
    """Whether nobody has reserved it or listens on it."""
    reservation = _reservation(port)
    if reservation is not None:
        reservation.close()
    return reservation is not None


def _reservation(port: int) -> socket.socket | None:
    """The UDP port of that number, bound; None: somebody has reserved it, or listens on the TCP port."""
    reservation = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        reservation.bind(("127.0.0.1", port))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        reservation.close()
        return None
    return reservation
