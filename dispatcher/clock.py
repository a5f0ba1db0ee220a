"""The two clocks, never mixed. The only module of the server that reads the time."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Tells the time; tests use one that is turned by hand."""

    def monotonic(self) -> float:
        """Seconds since some instant; never goes back. For every deadline and duration."""
        ...

    def utc(self) -> float:
        """Seconds since 1970, UTC; may jump. Only for instants that are stored and shown."""
        ...

    def ahead_s(self, at: float) -> float:
        """How far the clocks on the walls here are ahead of UTC at this instant (UTC seconds)."""
        ...


class SystemClock:
    """The machine's clocks."""

    #: Seconds of CLOCK_MONOTONIC.
    monotonic = staticmethod(time.monotonic)

    def utc(self) -> float:
        """Seconds of the wall clock."""
        return time.time()

    def ahead_s(self, at: float) -> float:
        """As the machine's time zone says."""
        return time.localtime(at).tm_gmtoff
