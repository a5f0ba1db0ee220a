"""A clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["ManualClock"]


class ManualClock:
    """Both clocks: ``advance`` moves them together, ``step_wall`` moves only the wall clock."""

    def __init__(self, monotonic: float = 1_000.0, utc: float = 1_800_000_000.0) -> None:
        self._monotonic = monotonic
        self._utc = utc
        #: How far the clocks on the walls are ahead at an instant.
        self.zone: Callable[[float], float] = lambda at: 0.0

    def monotonic(self) -> float:
        return self._monotonic

    def utc(self) -> float:
        return self._utc

    def ahead_s(self, at: float) -> float:
        return self.zone(at)

    def advance(self, seconds: float) -> float:
        """Lets time pass. Returns the monotonic now."""
        self._monotonic += seconds
        self._utc += seconds
        return self._monotonic

    def step_wall(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._utc += seconds
