"""When each session's next ping is due, and when its pong is overdue. Knows sessions only as keys.

Two queues are each in the order of their deadlines without sorting, because a deadline is always now + a
constant and ``now`` never goes back. So ten thousand idle sessions cost no more than the pings that are
really sent.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Pings"]

#: A tick that comes this much late means that the process stood still, not that the pages did (S19).
_LATE_S = 5.0
#: What the pages get on top of the lateness: what had arrived meanwhile must be read first.
_CATCH_UP_S = 1.0

_Key = TypeVar("_Key")


class Pings(Generic[_Key]):
    """The ping clock of all sessions."""

    def __init__(self, interval_s: float, timeout_s: float) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._to_send: OrderedDict[_Key, float] = OrderedDict()
        self._to_come: OrderedDict[_Key, float] = OrderedDict()

    def rest(self, key: _Key, now: float) -> None:
        """A new session, or a pong that came: the next ping is due after the interval."""
        self._to_come.pop(key, None)
        self._to_send[key] = now + self._interval_s

    def sent(self, key: _Key, now: float) -> None:
        """A ping is on its way: its pong is overdue after the timeout."""
        self._to_send.pop(key, None)
        self._to_come[key] = now + self._timeout_s

    def forget(self, key: _Key) -> None:
        self._to_send.pop(key, None)
        self._to_come.pop(key, None)

    def next_deadline(self) -> float | None:
        """When ``due`` or ``overdue`` has something to say; None while there are no sessions."""
        first = [next(iter(queue.values())) for queue in (self._to_send, self._to_come) if queue]
        return min(first, default=None)

    def due(self, now: float) -> list[_Key]:
        """The sessions that must be sent a ping now; tell of each with ``sent``."""
        return _until(self._to_send, now)

    def overdue(self, now: float) -> list[_Key]:
        """The sessions whose pong has not come; ``forget`` each."""
        return _until(self._to_come, now)

    def forgive_standstill(self, now: float) -> None:
        """If this tick is far too late, move the pages' deadlines by the lateness."""
        deadline = self.next_deadline()
        if deadline is None or now - deadline <= _LATE_S:
            return
        lateness_s = now - deadline + _CATCH_UP_S
        # The last of these may then lie up to a second after the next one that is added, which then waits for
        # it.
        for key, overdue in list(self._to_come.items()):
            self._to_come[key] = overdue + lateness_s


def _until(queue: OrderedDict[_Key, float], now: float) -> list[_Key]:
    keys = []
    for key, deadline in queue.items():
        if deadline > now:
            break
        keys.append(key)
    return keys
