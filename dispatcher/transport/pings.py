"""When each session's next ping is due, and when its pong is overdue. Knows sessions only as keys.

Each queue is in the order of its deadlines without sorting, because a deadline is always now + a
constant and ``now`` never goes back. So ten thousand idle sessions cost no more than the pings that are
sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Pings"]

#: The most extra time of a page whose pong is overdue. A pong that came while the loop was held up is then read first
#: (S19), even if the loop was held up too briefly for anybody to be told.
_CATCH_UP_S = 1.0

_Key = TypeVar("_Key")


class Pings(Generic[_Key]):
    """The ping clock of all sessions."""

    def __init__(self, interval_s: float, timeout_s: float) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._catch_up_s = min(_CATCH_UP_S, timeout_s / 4)
        self._to_send: OrderedDict[_Key, float] = OrderedDict()
        self._to_come: OrderedDict[_Key, float] = OrderedDict()
        #: By session whose pong is overdue: the end of its extra time.
        self._last_call: OrderedDict[_Key, float] = OrderedDict()

    def rest(self, key: _Key, now: float) -> None:
        """A new session, or a pong that came: the next ping is due after the interval."""
        self.forget(key)
        self._to_send[key] = now + self._interval_s

    def sent(self, key: _Key, now: float) -> None:
        """A ping has been sent: its pong is overdue after the timeout."""
        self.forget(key)
        self._to_come[key] = now + self._timeout_s

    def forget(self, key: _Key) -> None:
        self._to_send.pop(key, None)
        self._to_come.pop(key, None)
        self._last_call.pop(key, None)

    def next_deadline(self) -> float | None:
        """When ``due`` or ``overdue`` will have something; None while there are no sessions."""
        first = None
        for queue in (self._to_send, self._to_come, self._last_call):
            if queue:
                at = next(iter(queue.values()))
                first = at if first is None else min(first, at)
        return first

    def due(self, now: float) -> list[_Key]:
        """The sessions that need a ping now; call ``sent`` for each."""
        return _until(self._to_send, now)

    def overdue(self, now: float, was_written: Callable[[_Key], bool] = lambda _: True) -> list[_Key]:
        """The sessions whose pong has not come, even in the extra time; call ``forget`` for each.

        ``was_written``: whether a session's ping has left. If not, no pong can be waiting to be read, and there is no
        extra time.
        """
        gone = _until(self._last_call, now)
        for key in _until(self._to_come, now):
            if was_written(key):
                del self._to_come[key]
                self._last_call[key] = now + self._catch_up_s
            else:
                gone.append(key)
        return gone

    def forgive(self, late_s: float, now: float) -> None:
        """The loop stood still for ``late_s``: pages get that time, and what has arrived is read first."""
        for key, at in self._to_come.items():
            # No later than the pong of a ping that is sent now: the queue stays in order.
            self._to_come[key] = min(max(at + late_s, now + self._catch_up_s), now + self._timeout_s)
        for key in self._last_call:
            self._last_call[key] = now + self._catch_up_s


def _until(queue: OrderedDict[_Key, float], now: float) -> list[_Key]:
    keys = []
    for key, deadline in queue.items():
        if deadline > now:
            break
        keys.append(key)
    return keys
