"""Many simulated pages in one loop: for ``pagehand simulate``, and for tests.

    farm = Farm("http://127.0.0.1:8888", workers=8, types=("echo",), faults=Faults(drop_polls=0.1), seed=1)
    await farm.start()
    await farm.until(lambda: farm.stats["recorded"] >= 100, timeout_s=10)
    await farm.stop()

A farm outlives its server: pages reconnect, with backoff and jitter, to any server at the address.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .carrier import PollingCarrier, SocketCarrier
from .driver import Driver, Reconnect, new_boot
from .faults import Faults
from .hands import HeldAttempt
from .http import ServerAddress
from .journal import Execution, Journal, Outcome
from .page import Page, Profile
from .tasks import answer

__all__ = ["TRANSPORTS", "Farm"]

#: How pages may connect.
TRANSPORTS = ("polling", "websocket", "both")

#: How long pages may take to say goodbye.
_LEAVE_S = 2.0


def _checked(transport: str) -> str:
    if transport not in TRANSPORTS:
        raise ValueError(f"a transport is one of {', '.join(TRANSPORTS)}, not {transport}")
    return transport


class Farm:
    """``workers`` pages of one kind. The constructor does not start it; it works once."""

    def __init__(
        self,
        url: str,
        *,
        workers: int = 1,
        slots: int = 1,
        types: Sequence[str] = ("echo",),
        token: str | None = None,
        name_prefix: str = "sim",
        name: str = "",
        quick: bool = False,
        progress_s: float = 0.0,
        labels: Mapping[str, str] | None = None,
        faults: Faults | None = None,
        task: Callable[[str, str], str] = answer,
        reconnect: Reconnect | None = None,
        seed: int | None = None,
        keep: int = 0,
        transport: str = "polling",
        play: Callable[[HeldAttempt], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``transport``: ``polling``, ``websocket``, or ``both`` for every second page each.

        ``name``: what all pages are called, instead of the prefix and a number.
        ``play`` does the tasks instead of ``task``, see Profile. ``clock``: monotonic seconds, those of the loop.
        """
        self._transport = _checked(transport)
        self._clock = clock
        self.journal = Journal(keep=keep, changed=self._changed)
        self.drivers: list[Driver] = []
        self._origin = ServerAddress.parse(url)
        self._rng = random.Random(seed)
        self._reconnect = reconnect or Reconnect()
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._name_prefix, self._name = name_prefix, name
        self._profile = Profile(
            types=tuple(types),
            slots=slots,
            token=token,
            quick=quick,
            progress_s=progress_s,
            labels=labels or {},
            faults=faults or Faults(),
            task=task,
            play=play,
        )
        for _ in range(workers):
            self._add()

    @property
    def executed(self) -> list[Execution]:
        """Each start of a task: job id, attempt id, worker id."""
        return self.journal.executed

    @property
    def outcomes(self) -> list[Outcome]:
        """Each verdict: job id, attempt id, worker id, verdict, kind of report."""
        return self.journal.outcomes

    @property
    def stats(self) -> Counter[str]:
        """How often each thing happened."""
        return self.journal.stats

    @property
    def pages(self) -> list[Page]:
        """The pages as they are now; a reload replaces one."""
        return [driver.page for driver in self.drivers]

    @property
    def idle(self) -> bool:
        """No page runs a task or waits for a verdict."""
        return all(page.idle for page in self.pages)

    async def start(self) -> None:
        """Open all pages; returns at once, see ``registered``."""
        for driver in self.drivers[len(self._tasks) :]:
            self._tasks.append(asyncio.create_task(driver.run()))

    async def registered(self, *, timeout_s: float = 10.0) -> None:
        """Wait until every page is registered. Raises TimeoutError."""
        await self.until(lambda: all(page.registered for page in self.pages), timeout_s=timeout_s)

    async def until(self, condition: Callable[[], bool], *, timeout_s: float | None) -> None:
        """Wait until the condition holds; asked again after each thing that happens. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._raise_failures()
                self._news.clear()
                await self._news.wait()

    async def stop(self, *, bye: bool = True) -> None:
        """Close all pages: with a ``bye``, or like a crash."""
        if bye:
            await self._leave()
        await self._cancel()
        await asyncio.gather(*(driver.close() for driver in self.drivers))

    async def duplicate(self, index: int) -> Driver:
        """Open a second tab of a page: the same stored identity, another boot. Returns its driver."""
        original = self.drivers[index].page
        driver = self._add()
        driver.page.identity = original.identity
        await self.start()
        return driver

    def reload(self, index: int, *, keep_stash: bool = True) -> None:
        """Load a page anew, as its host does."""
        self.drivers[index].page.reload(keep_stash=keep_stash)
        self.drivers[index].wake()

    def offer(self, index: int, types: Sequence[str]) -> None:
        """Let a page offer other types from now on; see ``registered``."""
        self.drivers[index].page.offer(types, self._clock())
        self.drivers[index].wake()

    def say(self, index: int, op: str) -> None:
        """Make a page send ``pause``, ``resume`` or ``bye``."""
        self.drivers[index].page.say(op)
        self.drivers[index].wake()

    def _add(self) -> Driver:
        profile = replace(self._profile, name=self._name or f"{self._name_prefix}-{len(self.drivers) + 1}")
        rng = random.Random(self._rng.getrandbits(64))
        page = Page(profile, boot=new_boot(), rng=rng, journal=self.journal)
        by_socket = self._transport == "websocket" or (self._transport == "both" and len(self.drivers) % 2 == 0)
        carrier = SocketCarrier(self._origin) if by_socket else PollingCarrier(self._origin, rng)
        driver = Driver(page, carrier, rng=rng, journal=self.journal, reconnect=self._reconnect, clock=self._clock)
        self.drivers.append(driver)
        return driver

    async def _leave(self) -> None:
        leaving = [task for task, driver in zip(self._tasks, self.drivers, strict=False) if driver.session]
        for driver in self.drivers:
            driver.leave()
        if leaving:
            await asyncio.wait(leaving, timeout=_LEAVE_S)

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        done = await asyncio.gather(*self._tasks, return_exceptions=True)
        failures = [error for error in done if isinstance(error, Exception)]
        if failures:
            raise ExceptionGroup("simulated pages failed", failures)

    def _raise_failures(self) -> None:
        """A page's task ends early only through a bug of ours: say so instead of waiting for ever."""
        for task in self._tasks:
            if task.done():
                task.result()

    def _changed(self) -> None:
        self._news.set()
