"""Virtual time: a heap of events, and an event loop for the server's coroutines that runs on it.

Nothing here sleeps, opens a socket or asks the machine's clocks. ``asyncio`` serves only as the library that steps
coroutines: ``VirtualLoop`` puts what tasks and futures schedule onto the heap, in order.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Event", "Events", "VirtualLoop"]


class Event:
    """Something that will happen."""

    __slots__ = ("at", "call", "is_step")

    def __init__(self, at: float, call: Callable[[], object], is_step: bool) -> None:
        self.at = at
        self.call: Callable[[], object] | None = call
        self.is_step = is_step

    def cancel(self) -> None:
        self.call = None


class Events:
    """Coming events in the order of time; those of the same instant, in the order in which they were scheduled."""

    def __init__(self) -> None:
        self.now = 0.0
        #: How much of it was skipped.
        self.skipped_s = 0.0
        self._heap: list[tuple[float, int, Event]] = []
        self._count = 0

    def at(self, when: float, call: Callable[[], object], *, is_step: bool = True) -> Event:
        """``is_step`` False: a coroutine goes on; it is part of the step that let it."""
        self._count += 1
        event = Event(max(when, self.now), call, is_step)
        heapq.heappush(self._heap, (event.at, self._count, event))
        return event

    def later(self, delay_s: float, call: Callable[[], object]) -> Event:
        return self.at(self.now + delay_s, call)

    def skip(self, seconds: float) -> None:
        """Nothing happens for this long: every coming event happens that much later."""
        self.now += seconds
        self.skipped_s += seconds
        for _, _, event in self._heap:
            event.at += seconds
        self._heap = [(event.at, number, event) for _, number, event in self._heap]

    def pop(self) -> Event | None:
        """The next event, with the time moved to it; None: nothing will ever happen."""
        while self._heap:
            event = heapq.heappop(self._heap)[2]
            if event.call is not None:
                self.now = event.at
                return event
        return None


class VirtualLoop(asyncio.AbstractEventLoop):
    """The part of an event loop that tasks, futures and the server's timer need.

    ``run(kind, call)`` is the process that executes it: it may be dead, or stand still for a while.
    """

    def __init__(self, events: Events, run: Callable[[str, Callable[[], None]], None]) -> None:
        self._events = events
        self._run = run
        self._tasks: list[asyncio.Task[Any]] = []
        #: Exceptions of callbacks, tasks and futures that nobody handled.
        self.errors: list[str] = []

    def time(self) -> float:
        return self._events.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(  # type: ignore[override]  # typeshed's variadic generics say no more
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._put(self._events.now, "soon", handle, is_step=False)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._put(when, "timer", handle, is_step=True)
        return handle

    def _put(self, when: float, kind: str, handle: asyncio.Handle, *, is_step: bool) -> None:
        def run() -> None:
            if not handle.cancelled():
                self._run(kind, handle._run)

        self._events.at(when, run, is_step=is_step)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leaves the timer in the heap; it will do nothing."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **kwargs: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        task = asyncio.Task(coro, loop=self, **kwargs)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # a killed process leaves tasks behind
        self._tasks = [other for other in self._tasks if not other.done()] + [task]
        return task

    def abandon(self) -> None:
        """The process is dead: its coroutines go no further."""
        for task in self._tasks:
            coro = task.get_coro()
            if not task.done() and isinstance(coro, Coroutine) and not getattr(coro, "cr_running", False):
                coro.close()
        self._tasks.clear()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")
