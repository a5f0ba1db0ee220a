"""Hints between nodes: "I have told something". They spare the others the wait for their next beat, and no more.

A hint may be lost or come for nothing: whoever gets one has a turn, and reads what there is. They are sent outside of
transactions, as a NOTIFY in one makes all commits wait for each other, and at most some in a second. They are heard by
a connection and a thread of their own.
"""

from __future__ import annotations

import contextlib
import threading
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from typing import Any

import psycopg

from dispatcher.errors import StoreRefused

__all__ = ["HINTS_EVERY_S", "HintListener", "Hints"]

#: In the long run a node hints no more often than this; some may come at once.
HINTS_EVERY_S = 0.05
_AT_ONCE = 20
#: After a lost connection the listener tries again so soon.
_PAUSE_S = 1.0
#: How often it looks whether it must end.
_LOOK_S = 0.5

_Connection = psycopg.Connection[tuple[Any, ...]]


class Hints:
    """Decides when to send one: at once, or, if too many were sent, as soon as the last ones were long enough ago."""

    def __init__(self, loop: AbstractEventLoop, send: Callable[[], None]) -> None:
        self._loop, self._send = loop, send
        #: When the next one would be due if they came evenly.
        self._even = 0.0
        self._waiting: TimerHandle | None = None

    def wanted(self) -> None:
        """There is something to hint at."""
        if self._waiting is None:
            at = self._even - _AT_ONCE * HINTS_EVERY_S
            self._waiting = self._loop.call_at(max(at, self._loop.time()), self._due)

    def _due(self) -> None:
        self._waiting = None
        self._even = max(self._even, self._loop.time()) + HINTS_EVERY_S
        self._send()

    def close(self) -> None:
        """Sends none any more."""
        if self._waiting is not None:
            self._waiting.cancel()


class HintListener:
    """Hears the hints of other nodes. ``connect`` raises StoreRefused; ``hinted`` is called on the loop."""

    def __init__(
        self, loop: AbstractEventLoop, connect: Callable[[], _Connection], node: str, hinted: Callable[[], None]
    ) -> None:
        self._loop, self._connect, self._node, self._hinted = loop, connect, node, hinted
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="hints", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._ends.is_set():
            with contextlib.suppress(psycopg.Error, StoreRefused):
                self._hear()
            self._ends.wait(_PAUSE_S)

    def _hear(self) -> None:
        """Until the connection is lost, or the listener must end."""
        with self._connect() as connection:
            connection.execute("LISTEN pagehand")
            self._tell()  # what was hinted at before
            while not self._ends.is_set():
                for hint in connection.notifies(timeout=_LOOK_S, stop_after=1):
                    if hint.payload != self._node:
                        self._tell()

    def _tell(self) -> None:
        if not self._ends.is_set():
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._hinted)

    def close(self) -> None:
        """Calls nobody any more. The thread ends within half a second."""
        self._ends.set()
