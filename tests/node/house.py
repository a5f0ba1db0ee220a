"""A whole dispatcher with a store in memory, a clock turned by hand and a transport that only takes notes."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobView
from dispatcher.errors import StorageTrouble
from dispatcher.node.service import Dispatcher
from dispatcher.pages.protocol import VERSION
from dispatcher.store.memory import MemoryStore
from dispatcher.store.rows import Limits
from tests.support.clock import ManualClock
from tests.support.jobs import spec

__all__ = ["JSON", "House", "run_one"]

JSON = dict[str, Any]


class Notes:
    """A transport that only takes notes."""

    def __init__(self) -> None:
        self.told: dict[str, list[JSON]] = {}
        self.offers: dict[str, list[str]] = {}
        self.ended: list[str] = []
        self.probed: list[str] = []
        self.ticks: list[float] = []
        #: How much every page had been told, at each flush.
        self.flushed: list[int] = []
        self.deadline: float | None = None

    def send(self, sid: str, data: str | bytes, attempt: str | None = None) -> bool:
        self.told.setdefault(sid, []).append(json.loads(data))
        if attempt is not None:
            self.offers.setdefault(sid, []).append(attempt)
        return True

    def withdraw(self, sid: str, attempt: str) -> bool:
        if attempt not in self.offers.get(sid, []):
            return False
        self.told[sid] = [m for m in self.told.get(sid, []) if (m["op"], m.get("attempt")) != ("job", attempt)]
        self.offers[sid].remove(attempt)
        return True

    def end(self, sid: str) -> None:
        self.ended.append(sid)

    def probe(self, sid: str, now: float) -> bool:
        self.probed.append(sid)
        return True

    def said(self) -> int:
        return sum(map(len, self.told.values()))

    def flush(self, now: float) -> None:
        self.flushed.append(self.said())

    def next_deadline(self) -> float | None:
        return self.deadline

    def forgive(self, late_s: float, now: float) -> None:
        """No page of it waits for anything."""

    def tick(self, now: float) -> None:
        self.ticks.append(now)


class House:
    """Makes a dispatcher; ``page_*`` play pages, ``said`` is what they were told."""

    def __init__(self, store: Any = None, **settings: Any) -> None:
        self.clock = ManualClock()
        self.settings = Settings(**settings)
        numbers = itertools.count(1)
        self.store = store or MemoryStore(
            new_job_id=lambda: f"job-{next(numbers)}",
            new_attempt_id=lambda: f"{next(numbers):032x}",
            key=b"k" * 32,
            limits=Limits(queue_depth=self.settings.queue_depth),
        )
        self.failures: list[StorageTrouble] = []
        self.dispatcher = Dispatcher(
            store=self.store,
            settings=self.settings,
            clock=self.clock,
            rng=random.Random(7),
            new_worker_id=lambda: f"worker{next(numbers):026d}",
            shipped_types=lambda: ["shipped"],
            failed=self.failures.append,
        )
        self.pages = self.dispatcher.pages
        self.transport = Notes()
        self.dispatcher.attach(self.transport)
        self.told, self.ended, self.probed = self.transport.told, self.transport.ended, self.transport.probed

    async def start(self) -> House:
        await self.dispatcher.start()
        return self

    # -- pages

    def open(self, sid: str) -> None:
        self.pages.opened(sid, "10.0.0.9", "IE 11", self.clock.monotonic())

    async def say(self, sid: str, **message: Any) -> list[JSON]:
        """A message of a page, and everything that turns make of it. Returns what the page is told."""
        self.pages.message(sid, json.dumps(message), self.clock.monotonic())
        self.dispatcher.changed()
        return await self.hear(sid)

    async def hear(self, sid: str) -> list[JSON]:
        """Lets turns end; the poll answer of this page: what it was told since the last one."""
        await self.dispatcher.idle(housekeeping=True)
        told = self.told.pop(sid, [])
        if offers := self.transport.offers.pop(sid, []):
            self.pages.written(sid, offers, self.clock.monotonic())
        self.dispatcher.changed()
        return told

    async def register(self, sid: str, *types: str, **fields: Any) -> JSON:
        """A page joins; returns the ``registered`` message. Offers that came with it are told again by ``hear``."""
        self.open(sid)
        body = {"types": types or ("echo",), "boot": f"boot-{sid}", "version": VERSION} | fields
        self.pages.message(sid, json.dumps({"op": "register", **body}), self.clock.monotonic())
        self.dispatcher.changed()
        await self.dispatcher.idle(housekeeping=True)
        answer = next(m for m in self.told[sid] if m["op"] == "registered")
        self.told[sid].remove(answer)
        return answer

    async def pass_time(self, seconds: float) -> None:
        """Time passes, and whatever it makes due happens."""
        now = self.clock.advance(seconds)
        self.dispatcher.tick(now)
        await self.dispatcher.idle(housekeeping=True)

    # -- submitters

    async def submit(self, type_name: str = "echo", data: str = '{"x":1.0}', **options: Any) -> JobView:
        accepted = await self.dispatcher.submit(spec(type_name, data, **options))
        assert accepted.job is not None
        await self.dispatcher.idle(housekeeping=True)
        return accepted.job

    async def state(self, job: JobView) -> str:
        return str((await self.dispatcher.job(job.id)).state)


async def run_one(house: House, sid: str = "s1") -> JSON:
    """Takes the offer that waits for a page, accepts it and answers; returns the offer."""
    offer = next(m for m in await house.hear(sid) if m["op"] == "job")
    await house.say(sid, op="accept", attempt=offer["attempt"])
    await house.say(sid, op="result", attempt=offer["attempt"], value={"ok": 1.0})
    return offer
