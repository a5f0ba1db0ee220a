"""A page that runs real task files: the worker's own script in a JavaScript engine, on the clock of the test.

It speaks with the server over real HTTP, as a browser does. A task's own requests go to what the test has scripted.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from ..simulator.http import HttpConnection, ServerAddress
from .clock import SkippedClock, SkippingLoop
from .engine import PageEngine, TaskFile

__all__ = ["Site", "TaskPage"]

#: What answers a request of a task: ``(method, url, body)``.
Site = Callable[[str, str, str | None], Any]

#: States in which it waits for a person.
_REFUSED = ("stopped", "not_allowed", "out_of_date")
#: The page itself gives up earlier.
_REQUEST_S = 3_600.0
_NO_ANSWER = (0, "", "")
_PLAIN = "text/plain;charset=UTF-8"


class TaskPage:
    """One page with its tasks. Use it on the loop's thread."""

    def __init__(
        self, loop: SkippingLoop, clock: SkippedClock, url: str, files: Sequence[TaskFile], *, run_limit_s: float
    ) -> None:
        self._loop, self._clock, self._files, self._run_limit_s = loop, clock, files, run_limit_s
        self._origin = ServerAddress.parse(url)
        self._base = url
        self._idle: list[HttpConnection] = []
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._options: dict[str, Any] = {}
        self._engine: PageEngine | None = None
        self._news = asyncio.Event()
        self._state = self._error = ""
        #: What its scripts have written to the console.
        self.console: list[str] = []
        #: By the beginning of their addresses: what answers the requests of tasks.
        self.sites: dict[str, Site] = {}
        #: Timers of tasks that have not rung yet.
        self.waits: set[int] = set()
        #: Why its scripts stand still, if they do.
        self.trouble = ""

    async def open(self, **options: Any) -> None:
        """Loads it; returns when the server knows it. Raises TaskFileFault, or RuntimeError if it is refused."""
        self._options = {"url": self._base, "transport": "polling", **options}
        self._load()
        while self._state not in ("ready", "working"):
            if self.trouble or self._state in _REFUSED:
                raise RuntimeError(f"the page cannot work: {self.trouble or self._error}")
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """It is gone, without a word. Raises RuntimeError if its scripts stood still."""
        requests = self._drop()
        self._engine = None  # here and now: it belongs to this thread
        await asyncio.gather(*requests, return_exceptions=True)
        await asyncio.gather(*(connection.closed() for connection in self._idle))
        if self.trouble:
            raise RuntimeError(self.trouble)

    def _load(self) -> None:
        self._engine = PageEngine(lambda: (self._loop.time(), self._clock.utc()), run_limit_s=self._run_limit_s)
        for file in self._files:
            self._engine.run(file)
        self._carry_out(self._engine.start(self._options))

    def _drop(self) -> list[asyncio.Task[None]]:
        """Everything that the page waits for."""
        requests = list(self._requests.values())
        for timer in self._timers.values():
            timer.cancel()
        for request in requests:
            request.cancel()
        self._timers, self._requests = {}, {}
        self.waits.clear()
        return requests

    def _tell(self, what: str, **given: Any) -> None:
        if self._engine is None or self.trouble:
            return
        try:
            self._carry_out(self._engine.tell(what, **given))
        except RuntimeError as error:
            self.trouble = str(error)
            self._drop()
            self._news.set()

    def _carry_out(self, wants: list[dict[str, Any]]) -> None:
        for want in wants:
            getattr(self, f"_on_{want.pop('want')}")(want)

    def _on_console(self, want: dict[str, Any]) -> None:
        self.console.append(want["line"])

    def _on_status(self, want: dict[str, Any]) -> None:
        self._state, self._error = want["state"], want["error"] or self._error
        self._news.set()

    def _on_names(self, want: dict[str, Any]) -> None:
        pass

    def _on_reload(self, want: dict[str, Any]) -> None:
        self._drop()
        self._load()

    # Timers.

    def _on_timer(self, want: dict[str, Any]) -> None:
        number = want["id"]
        self._timers[number] = self._loop.call_later(want["ms"] / 1000, self._ring, number)
        if want["task"]:
            self.waits.add(number)

    def _on_clear(self, want: dict[str, Any]) -> None:
        timer = self._timers.pop(want["id"], None)
        if timer is not None:
            timer.cancel()
        self.waits.discard(want["id"])

    def _ring(self, number: int) -> None:
        self._timers.pop(number, None)
        self.waits.discard(number)
        self._tell("ring", id=number)

    # Requests.

    def _on_request(self, want: dict[str, Any]) -> None:
        number = want["id"]
        if want["task"]:
            status, body, kind = self._of_site(want)
            self._loop.call_soon(lambda: self._tell("answer", id=number, status=status, body=body, type=kind))
        else:
            self._requests[number] = self._loop.create_task(self._exchange(want))

    def _on_abort(self, want: dict[str, Any]) -> None:
        request = self._requests.pop(want["id"], None)
        if request is not None:
            request.cancel()

    async def _exchange(self, want: dict[str, Any]) -> None:
        connection = self._idle.pop() if self._idle else HttpConnection(self._origin)
        target = "/" + want["url"].removeprefix(self._base).lstrip("/")
        body = None if want["body"] is None else want["body"].encode()
        kind = want["headers"].get("Content-Type", _PLAIN)
        try:
            reply = await connection.request(want["method"], target, body, content_type=kind, timeout_s=_REQUEST_S)
            answer = reply.status, reply.body.decode("utf-8", "replace"), reply.headers.get("content-type", "")
        except OSError:
            answer = _NO_ANSWER
        finally:
            self._idle.append(connection)
        self._requests.pop(want["id"], None)
        status, text, kind = answer
        self._tell("answer", id=want["id"], status=status, body=text, type=kind)

    def _of_site(self, want: dict[str, Any]) -> tuple[int, str, str]:
        """What a task is answered; a request to an address that the test has not scripted finds nobody."""
        known = [begin for begin in self.sites if want["url"].startswith(begin)]
        if not known:
            return _NO_ANSWER
        try:
            said = self.sites[max(known, key=len)](want["method"], want["url"], want["body"])
        except Exception as error:  # noqa: BLE001 (whatever the test's function raises)
            return 500, f"{type(error).__name__}: {error}", _PLAIN
        status, said = said if isinstance(said, tuple) else (200, said)
        return (status, said, _PLAIN) if isinstance(said, str) else (status, json.dumps(said), "application/json")
