"""One thread with one loop, for everything that a test needs beside itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from .clock import SkippedClock, SkippingLoop

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """It is ready when it is made; ``close`` ends it."""

    def __init__(self, clock: SkippedClock) -> None:
        self._clock = clock
        self._end: asyncio.Event
        self._made: Future[SkippingLoop] = Future()
        self._thread = threading.Thread(target=self._run, name="pagehand.testing", daemon=True)
        self._thread.start()
        self.loop = self._made.result()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs it on the loop; returns or raises what comes of it."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("this would wait for itself: call it from the test, not from a callback of the loop")
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def tell(self, function: Callable[[], object]) -> None:
        """Calls it on the loop, soon."""
        self.loop.call_soon_threadsafe(function)

    def hurry(self, wanted: Callable[[], bool]) -> None:
        """From now on, skips what there is to wait for while ``wanted`` says so."""
        self.tell(lambda: self.loop.hurry(wanted))

    def stroll(self, wanted: Callable[[], bool]) -> None:
        """Ends a hurry."""
        self.tell(lambda: self.loop.stroll(wanted))

    def close(self) -> None:
        """Ends the loop, what still runs on it, and the thread."""
        self.tell(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: SkippingLoop(self._clock)) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self._end = asyncio.Event()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SkippingLoop)
        self._made.set_result(loop)
        await self._end.wait()
