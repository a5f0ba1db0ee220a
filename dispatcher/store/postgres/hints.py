"""Hints between nodes: "I have told something". They spare the others the wait for their next beat, and no more.

A hint says in which lanes there are jobs, so that the next turn asks for them, and which jobs have settled, so that who
waits for one looks at it. It may be lost, say less than there is, or come for nothing: whoever gets one has a turn, and
reads what there is. Hints are sent outside of transactions, as a NOTIFY in one makes all commits wait for each other,
and at most some in a second. They are heard by a connection and a thread of their own.
"""

from __future__ import annotations

import contextlib
import threading
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import psycopg

from dispatcher.core.jobs.news import Hint, News
from dispatcher.core.jobs.states import SETTLED
from dispatcher.errors import StoreRefused
from dispatcher.store.postgres.link import Link

__all__ = ["HINTS_EVERY_S", "HintListener", "Hints", "send_hint"]

#: In the long run a node hints no more often than this; some may come at once. Jobs that come one right after the other
#: from one node to a page of another wait for it: each needs two hints.
HINTS_EVERY_S = 0.01
_AT_ONCE = 20
#: After a lost connection the listener tries again so soon.
_PAUSE_S = 1.0
#: How often it looks whether it must end.
_LOOK_S = 0.5
#: A NOTIFY may carry fewer than 8,000 bytes; a hint that would be longer says only that there is something.
_MOST_BYTES = 7_900

_Connection = psycopg.Connection[tuple[Any, ...]]


class _Note(msgspec.Struct, frozen=True, array_like=True):
    """A hint as it is sent."""

    node: str
    hint: Hint


_decode = msgspec.json.Decoder(_Note).decode


class Hints:
    """Decides when to send one: at once, or, if too many were sent, as soon as the last ones were long enough ago."""

    def __init__(self, node: str, loop: AbstractEventLoop, send: Callable[[str], None]) -> None:
        self._node, self._loop, self._send = node, loop, send
        #: What the next one says, in order.
        self._lanes: dict[str, None] = {}
        self._settled: dict[str, None] = {}
        #: When the next one would be due if they came evenly.
        self._even = 0.0
        self._waiting: TimerHandle | None = None

    def wanted(self, told: Iterable[News]) -> None:
        """A turn has told this, durably; nothing: there is nothing to hint at."""
        told = list(told)
        for news in told:
            self._lanes |= dict.fromkeys(news.ready)
            self._settled |= {change.job: None for change in news.changes if change.new in SETTLED}
        if not told or self._waiting is not None:
            return
        at = self._even - _AT_ONCE * HINTS_EVERY_S
        if at <= self._loop.time():
            self._due()  # in this step: a turn that begins in the next one would come before it
        else:
            self._waiting = self._loop.call_at(at, self._due)

    def _due(self) -> None:
        self._waiting = None
        self._even = max(self._even, self._loop.time()) + HINTS_EVERY_S
        hint = Hint(list(self._lanes), list(self._settled))
        self._lanes, self._settled = {}, {}
        text = msgspec.json.encode(_Note(self._node, hint))
        if len(text) > _MOST_BYTES:
            text = msgspec.json.encode(_Note(self._node, Hint()))
        self._send(text.decode())

    def close(self) -> None:
        """Sends none any more."""
        if self._waiting is not None:
            self._waiting.cancel()


def send_hint(link: Link, text: str) -> None:
    """In the store's thread. Raises psycopg.Error."""
    try:
        link.many([("begin", {}), ("hurry", {}), ("hint", {"text": text}), ("commit", {})])
    finally:
        link.leave()


class HintListener:
    """Hears the hints of other nodes. ``connect`` raises StoreRefused; ``hinted`` is called on the loop."""

    def __init__(
        self, loop: AbstractEventLoop, connect: Callable[[], _Connection], node: str, hinted: Callable[[Hint], None]
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
            self._tell(Hint())  # what was hinted at before
            while not self._ends.is_set():
                for sent in connection.notifies(timeout=_LOOK_S, stop_after=1):
                    note = _read(sent.payload)
                    if note.node != self._node:
                        self._tell(note.hint)

    def _tell(self, hint: Hint) -> None:
        if not self._ends.is_set():
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._hinted, hint)

    def close(self) -> None:
        """Calls nobody any more. The thread ends within half a second."""
        self._ends.set()


def _read(payload: str) -> _Note:
    """What another node, of another version perhaps, has sent: at least, that there is something."""
    try:
        return _decode(payload)
    except msgspec.DecodeError:
        return _Note("", Hint())
