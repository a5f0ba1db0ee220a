"""Lets so many in at once, and so many a minute: whoever needs no token must not take the server's time or connections.

Pure. Instants are monotonic seconds. It counts all together, not by address: all pages of an office may come through
one proxy.
"""

from __future__ import annotations

from dispatcher.access.rates import Allowance
from dispatcher.errors import Unavailable

__all__ = ["Turnstile"]

#: Who finds all places taken is told to come back after this.
_PLACE_S = 15
#: A longer stamp is no page's.
_LONGEST_STAMP = 64


class Turnstile:
    """``at_once`` places. ``per_minute`` may come in a minute: at most all of them together, then each in its time."""

    def __init__(self, at_once: int, per_minute: int) -> None:
        self._at_once, self._per_minute = at_once, per_minute
        #: How many places are taken.
        self.inside = 0
        self._allowance = Allowance(float(per_minute), 0.0)
        #: Of requests that came last: those of a minute at most, which is as long as any of them waits.
        self._stamps: dict[str, None] = {}

    def enter(self, now: float) -> None:
        """Takes a place until ``leave``. Raises Unavailable, and then none is taken."""
        if self.inside >= self._at_once:
            raise self._refusal(_PLACE_S)
        if wait_s := self._allowance.wait_s(1.0, self._per_minute, now):
            raise self._refusal(wait_s)
        self._allowance.left -= 1.0
        self.inside += 1

    def leave(self) -> None:
        """Gives the place back."""
        self.inside -= 1

    def has_come_before(self, stamp: str) -> bool:
        """Whether a request had this stamp before. A page gives each its own; empty: it gave none.

        Some browsers send a request again, and do not tell their page, if its connection was reset: then something on
        the way has cut the first one.
        """
        if not stamp or len(stamp) > _LONGEST_STAMP:
            return False
        before = stamp in self._stamps
        self._stamps[stamp] = None
        if len(self._stamps) > self._per_minute:
            del self._stamps[next(iter(self._stamps))]
        return before

    @staticmethod
    def _refusal(retry_after_s: int) -> Unavailable:
        return Unavailable(
            "Many pages test their connections just now. Press the button again in a minute.",
            retry_after_s=retry_after_s,
        )
