"""The one timer of the server: armed for the earliest deadline, never early, moved only if it must be.

It also keeps a pulse: it fires at least once in ``PULSE_S``. So its lateness shows how long the process stood
still (a suspended machine, a blocked loop), whatever was due meanwhile. It knows nothing of what is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dispatcher.clock import Clock

__all__ = ["PULSE_S", "Timer"]

PULSE_S = 1.0
#: A loop may fire a hair early: by no more than the resolution of a clock, which is 16 ms on Windows.
HAIR_S = 0.02


class Timer:
    """Calls ``fire(now, late_s)`` when the deadline or the pulse has come; ``now`` is never before it."""

    def __init__(self, clock: Clock, fire: Callable[[float, float], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0

    def arm(self, deadline: float | None) -> None:
        """Fires at this instant. An earlier one stays: it fires, finds nothing and is armed anew."""
        if self._handle is not None and (deadline is None or self._at <= deadline):
            return  # the pulse lies no later than a second ahead
        now = self._clock.monotonic()
        # A deadline that had passed when it was set is no standstill: a first turn may take long.
        at = now + PULSE_S if deadline is None else min(max(deadline, now), now + PULSE_S)
        if self._handle is not None:
            if self._at <= at:
                return  # it is overdue, and keeps how late it is
            self._handle.cancel()
        self._at = at
        self._handle = asyncio.get_running_loop().call_later(max(0.0, self._at - now), self._due)

    def _due(self) -> None:
        self._handle = None
        now = self._clock.monotonic()
        if self._at - now > HAIR_S:  # our clock goes slower than the loop's: what is due waits for ours
            self.arm(self._at)
            return
        # Without the max a hair would have it armed for the same instant, for ever.
        now = max(now, self._at)
        try:
            self._fire(now, now - self._at)
        finally:
            # A failure must not keep everything else from its deadline, nor be tried again at once, for ever.
            if self._handle is None:
                self.arm(now + PULSE_S)

    def stop(self) -> None:
        """Stops firing."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
