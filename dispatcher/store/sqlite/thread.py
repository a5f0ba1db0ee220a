"""The one thread that a store's connection lives in.

Plain calls go in through a queue and come back to the loop as one callback each; a pool of the standard library would
cost a turn five callbacks and two locks more.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["StoreThread"]

T = TypeVar("T")

Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class StoreThread:
    """Runs calls one after the other, in the order in which they were made."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """What ``call`` returns or raises, when it has run. Raises RuntimeError after ``stop``."""
        if self._stopped:
            raise RuntimeError("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((call, future))
        return future

    def stop(self) -> None:
        """Lets what is queued run, then ends the thread."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            call, future = job
            value, error = None, None
            try:
                value = call()
            except BaseException as raised:  # noqa: BLE001 - the boundary: whoever awaits the call gets it
                error = raised
            self._loop.call_soon_threadsafe(_settle, future, value, error)


def _settle(future: asyncio.Future[Any], value: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
