"""The one thread that a store's connection lives in.

Calls go in through a plain queue, and each comes back to the loop as one callback; a pool of the standard library would
cost a turn five callbacks and two locks more.

A turn goes before all waiting reads, however many there are; it waits only for the one that runs. After each turn one
read has its go, so that turns without end do not keep reads waiting for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

__all__ = ["StoreThread"]

T = TypeVar("T")


class _Kind(Enum):
    TURN = 1
    READ = 2
    #: Calls that were made earlier run before it, calls that were made later run after it.
    IN_PLACE = 3


class _Call(NamedTuple):
    kind: _Kind
    call: Callable[[], Any]
    future: asyncio.Future[Any]


class _CallsWaiting:
    """Calls that the thread has taken from the queue and has not run. Only the thread uses it."""

    def __init__(self, queue: SimpleQueue[_Call | None]) -> None:
        self._queue = queue
        self._turns: deque[_Call] = deque()
        self._reads: deque[_Call] = deque()
        #: A call that keeps its place; calls behind it stay in the queue.
        self._in_place: _Call | None = None
        #: Nothing more comes.
        self._ended = False
        self._was_turn = False

    def next(self) -> _Call | None:
        """Waits for the call that must run next. None: there will be none."""
        if not (self._held() or self._ended):
            self._take(self._queue.get())
        while not (self._in_place or self._ended or self._queue.empty()):
            self._take(self._queue.get())
        self._was_turn = bool(self._turns) and not (self._was_turn and self._reads)
        if self._was_turn:
            return self._turns.popleft()
        if self._reads:
            return self._reads.popleft()
        call, self._in_place = self._in_place, None
        return call

    def _held(self) -> bool:
        return bool(self._turns or self._reads or self._in_place)

    def _take(self, call: _Call | None) -> None:
        if call is None:
            self._ended = True
        elif call.kind is _Kind.IN_PLACE:
            self._in_place = call
        else:
            (self._turns if call.kind is _Kind.TURN else self._reads).append(call)


class StoreThread:
    """Runs calls one after the other: turns first, and each kind in the order of its calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def turn(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """What ``call`` returns or raises; it runs before the waiting reads. Raises RuntimeError after ``stop``."""
        return self._ask(_Kind.TURN, call)

    def read(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """The same for a read, which runs behind the waiting turns."""
        return self._ask(_Kind.READ, call)

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """The same for a call that keeps its place: behind all earlier calls, before all later ones."""
        return self._ask(_Kind.IN_PLACE, call)

    def _ask(self, kind: _Kind, call: Callable[[], T]) -> asyncio.Future[T]:
        if self._stopped:
            raise RuntimeError("the store is closed")
        future: asyncio.Future[T] = self.loop.create_future()
        self._queue.put(_Call(kind, call, future))
        return future

    def stop(self) -> None:
        """Lets queued calls run, then ends the thread."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        waiting = _CallsWaiting(self._queue)
        while (asked := waiting.next()) is not None:
            value, error = None, None
            try:
                value = asked.call()
            except BaseException as raised:  # noqa: BLE001 - the boundary: whoever awaits the call gets it
                error = raised
            self.loop.call_soon_threadsafe(_settle, asked.future, value, error)


def _settle(future: asyncio.Future[Any], value: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
