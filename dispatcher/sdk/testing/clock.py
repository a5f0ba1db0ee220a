"""Time that can be skipped: a clock, and a loop on it that goes on at once to what is due next.

The clock runs as the machine's does. While somebody hurries, a loop with nothing to do waits for nothing: it moves the
clock to its next timer. So everything that is due happens, in order, and every answer comes before time goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from collections.abc import Callable, Iterator

__all__ = ["SkippedClock", "SkippingLoop"]


class SkippedClock:
    """The machine's clocks, ahead by what was skipped. It is what the server takes as its clock."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def monotonic(self) -> float:
        """Seconds since some instant; never goes back."""
        return time.monotonic() + self._ahead_s

    def utc(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time() + self._ahead_s

    def ahead_s(self, at: float) -> float:
        """As the machine's time zone says."""
        return time.localtime(at).tm_gmtoff

    def skip(self, seconds: float) -> None:
        """Moves it ahead."""
        self._ahead_s += seconds


class _SkippingSelector(selectors.DefaultSelector):
    """Says that the time is over, instead of waiting, while somebody hurries and nobody works."""

    def __init__(self, clock: SkippedClock) -> None:
        super().__init__()
        self._clock = clock
        #: Asked when nothing is left to do at this instant: is there a hurry?
        self.hurries: list[Callable[[], bool]] = []
        #: Called, once each, when nothing is left to do at this instant.
        self.on_idle: list[Callable[[], None]] = []
        #: Threads that work for the loop: what they do takes no time of the clock.
        self.workers = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As every selector. With a ``timeout`` of 0 the loop has something to do."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        events = super().select(0)
        if events or self._skipped(timeout):
            return events
        return super().select(timeout)

    def _skipped(self, timeout: float | None) -> bool:
        if self.workers:
            return False
        if self.on_idle:
            told, self.on_idle = self.on_idle, []
            for tell in told:
                tell()
            return True
        if timeout is None or not any(hurries() for hurries in self.hurries):
            return False
        self._clock.skip(timeout)
        return True


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop on a clock that can be skipped; see the module."""

    def __init__(self, clock: SkippedClock) -> None:
        self.clock = clock
        self._skipping = _SkippingSelector(clock)
        super().__init__(self._skipping)

    def time(self) -> float:
        """The clock's seconds."""
        return self.clock.monotonic()

    async def idle(self) -> None:
        """Returns when nothing is left to do at this instant."""
        future = self.create_future()
        self._skipping.on_idle.append(lambda: future.set_result(None) if not future.done() else None)
        await future

    async def advance(self, seconds: float) -> None:
        """Lets this time pass at once: all that is due happens, and is done with when this returns."""
        always = lambda: True  # noqa: E731
        self.hurry(always)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.stroll(always)
        await self.idle()

    def hurry(self, wanted: Callable[[], bool]) -> None:
        """Skips what there is to wait for, while ``wanted`` says so. Call it on the loop's thread."""
        self._skipping.hurries.append(wanted)

    def stroll(self, wanted: Callable[[], bool]) -> None:
        """Ends a hurry."""
        self._skipping.hurries.remove(wanted)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Meanwhile no time is skipped: a thread works for the loop."""
        self._skipping.workers += 1
        try:
            yield
        finally:
            self._skipping.workers -= 1
