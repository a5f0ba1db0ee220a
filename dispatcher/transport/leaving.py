"""Sessions whose connection was closed behind a whole answer: has the page gone, or does its next poll come?

Some proxies ask the server to keep the connection, and close it behind each answer all the same: nginx does, unless it
is told to keep some (``keepalive``). Such a close says nothing of the page, whose next poll is on its way. So it is a
sign only after a moment without one. Here sessions are only keys.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["MOMENT_S", "Leaving"]

#: The next poll takes some ms behind a proxy on the same site, and some 100 ms over a slow line. It is no longer than
#: the second within which a page that has gone must be noticed (I8).
MOMENT_S = 1.0

_Key = TypeVar("_Key")


class Leaving(Generic[_Key]):
    """By when the next poll of each must have come; in the order of these instants, as each gets the same time."""

    def __init__(self) -> None:
        self._until: OrderedDict[_Key, float] = OrderedDict()

    def __contains__(self, key: _Key) -> bool:
        return key in self._until

    def begin(self, key: _Key, now: float) -> None:
        """Its connection has just been closed."""
        self._until.setdefault(key, now + MOMENT_S)

    def forget(self, key: _Key) -> None:
        """Its poll has come, or it has ended otherwise."""
        self._until.pop(key, None)

    def next_deadline(self) -> float | None:
        """When ``over`` will have something."""
        return next(iter(self._until.values()), None)

    def over(self, now: float) -> list[_Key]:
        """Those whose moment is over, no longer kept here."""
        gone: list[_Key] = []
        for key, until in self._until.items():
            if until > now:
                break
            gone.append(key)
        for key in gone:
            del self._until[key]
        return gone

    def forgive(self, now: float) -> None:
        """The loop stood still: each gets its moment anew, and what has arrived is read first."""
        for key in self._until:
            self._until[key] = now + MOMENT_S
