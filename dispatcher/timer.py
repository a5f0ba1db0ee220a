"""The one timer of the server: armed for the earliest deadline, never early, spared needless moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dispatcher.clock import Clock

__all__ = ["Timer"]

#: ``call_later`` with years would overflow some platforms' waits; it is armed again after this.
_LONGEST_S = 3_600.0


class Timer:
    """Calls ``fire(now, late_s)`` when the deadline has come; ``now`` is never before it."""

    def __init__(self, clock: Clock, fire: Callable[[float, float], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0

    def arm(self, deadline: float | None) -> None:
        """Fires at this instant. One that is armed for earlier stays: it fires, finds nothing and is armed anew."""
        if deadline is None or (self._handle is not None and self._at <= deadline):
            return
        if self._handle is not None:
            self._handle.cancel()
        self._at = deadline
        delay_s = min(max(0.0, deadline - self._clock.monotonic()), _LONGEST_S)
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._due)

    def _due(self) -> None:
        self._handle = None
        now = self._clock.monotonic()
        # The loop may fire a hair early; without the max it would be armed for the same instant for ever.
        now = max(now, self._at) if self._at - now < 1.0 else now
        self._fire(now, max(0.0, now - self._at))

    def stop(self) -> None:
        """Fires no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
