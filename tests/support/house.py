"""A whole dispatcher with a store in memory, a clock turned by hand and a transport that only takes notes."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobFilter, JobPage, JobStanding, JobView
from dispatcher.core.jobs.news import Hint
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Turn, TurnReport
from dispatcher.core.jobs.views.deployed import WithheldTask, digest_of
from dispatcher.core.workers.registration import Registration
from dispatcher.errors import StorageTrouble
from dispatcher.node.service import Dispatcher
from dispatcher.node.taskfiles import TaskFiles
from dispatcher.node.webhooks.posting import Poster
from dispatcher.pages.protocol import VERSION
from dispatcher.store.applier.hand import Ids
from dispatcher.store.memory import MemoryStore
from dispatcher.store.port import Limits
from tests.support.clock import ManualClock
from tests.support.jobs import numbered, spec

__all__ = ["JSON", "House", "TroubledStore", "memory_store", "run_one"]

JSON = dict[str, Any]
AnyStore = TypeVar("AnyStore", bound=MemoryStore)


class Notes:
    """A transport that only takes notes."""

    def __init__(self) -> None:
        self.told: dict[str, list[JSON]] = {}
        self.offers: dict[str, list[str]] = {}
        self.ended: list[str] = []
        self.probed: list[str] = []
        self.ticks: list[float] = []
        #: How many messages each page had got, at each flush.
        self.flushed: list[int] = []
        self.deadline: float | None = None
        #: Sessions by what carries them.
        self.carried = {"polling": 0, "websocket": 0}

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
        """Does nothing: no page here has a deadline."""

    def counted(self) -> dict[str, int]:
        return {"messages_out": self.said()}

    def carriers(self) -> dict[str, int]:
        return self.carried

    def tick(self, now: float) -> None:
        self.ticks.append(now)
        self.deadline = None


class TroubledStore(MemoryStore):
    """A store in memory that notes its turns and its reports. A test can make it slow, full or broken."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.turns: list[Turn] = []
        self.reports: list[TurnReport] = []
        #: The error that each turn raises.
        self.trouble: Exception | None = None
        #: Whether the disk has room for new jobs, as the next turn finds it.
        self.has_space = True
        #: Whether a list finds nothing in the slice that it searches, and has to go on.
        self.in_vain = False
        #: A turn begins when this is set.
        self.go = asyncio.Event()
        self.go.set()
        #: Hears what other nodes hint at, if there were any.
        self.hinted: Callable[[Hint], None] | None = None
        #: Called before each turn, and between a read and its answer.
        self.gate: Callable[[], Awaitable[object]] | None = None
        self.after_read: Callable[[], Awaitable[object]] | None = None

    def listen(self, hinted: Callable[[Hint], None]) -> None:
        self.hinted = hinted

    async def apply(self, turn: Turn) -> TurnReport:
        self.turns.append(turn)
        await self.go.wait()
        if self.gate is not None:
            await self.gate()
        if self.trouble is not None:
            raise self.trouble
        self.reports.append(replace(await super().apply(turn), has_space=self.has_space))
        return self.reports[-1]

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        return JobPage(items=[], next_cursor="later") if self.in_vain else await super().jobs(job_filter)

    async def state(self, job_id: str) -> JobState | None:
        state = await super().state(job_id)
        if self.after_read is not None:
            await self.after_read()
        return state

    async def standing(self, job_ids: Sequence[str]) -> dict[str, JobStanding]:
        found = await super().standing(job_ids)
        if self.after_read is not None:
            await self.after_read()
        return found


def memory_store(kind: type[AnyStore], **given: Any) -> AnyStore:
    """An empty store of this kind; unless another way is given, its jobs are job-1, job-2 and so on."""
    usual: dict[str, Any] = {"ids": numbered(), "key": b"k" * 32}
    return kind(**(usual | given))


class ShippedFiles:
    """The site's task files, as the test says."""

    def __init__(self, house: House) -> None:
        self._house = house

    def versions(self) -> Mapping[str, str]:
        return self._house.shipped | {one.type: one.version for one in self.withheld()}

    def withhold(self, wanted: Iterable[WithheldTask], needed: Collection[str] = ()) -> list[WithheldTask]:
        kept = {digest_of(version): version for version in self._house.former}
        found = [replace(one, version=kept[one.version]) for one in wanted if one.version in kept]
        found = found if {one.type for one in found} >= set(needed) else []
        self._house.withheld |= {one.type: one for one in found}
        return found

    def withheld(self) -> list[WithheldTask]:
        return [one for one in self._house.withheld.values() if self._house.shipped.get(one.type) == one.failed]

    def release(self) -> list[WithheldTask]:
        released = self.withheld()
        self._house.withheld.clear()
        return released


class House:
    """Makes a dispatcher, of this ``kind``; plays pages (``open``, ``say``, ``hear``) and submitters."""

    def __init__(
        self,
        store: Any = None,
        *,
        clock: ManualClock | None = None,
        kind: type[Dispatcher] = Dispatcher,
        poster: Poster | None = None,
        files: TaskFiles | None = None,
        first_worker: int = 1,
        **settings: Any,
    ) -> None:
        self.clock = clock or ManualClock()
        self.settings = Settings(**settings)
        #: Identities of pages; houses that share a store begin with different ones.
        numbers = itertools.count(first_worker)
        #: Ids of the jobs that come next; without any they are job-1, job-2 and so on.
        self.job_ids: list[str] = []
        ids = numbered()
        self.store = store or memory_store(
            TroubledStore,
            ids=Ids(lambda: self.job_ids.pop(0) if self.job_ids else ids.job(), ids.attempt),
            limits=Limits(queue_depth=self.settings.queue_depth),
        )
        self.failures: list[StorageTrouble] = []
        #: Versions of the site's own tasks.
        self.shipped = {"shipped": "0123456789ab-1700000000"}
        #: Former versions that the site has kept; what it withholds.
        self.former: set[str] = set()
        self.withheld: dict[str, WithheldTask] = {}
        self.dispatcher = kind(
            store=self.store,
            settings=self.settings,
            clock=self.clock,
            rng=random.Random(7),
            new_worker_id=lambda: f"worker{next(numbers):026d}",
            files=files or ShippedFiles(self),
            failed=self.failures.append,
            poster=poster,
        )
        self.pages = self.dispatcher.pages
        self.transport = Notes()
        self.dispatcher.attach(self.transport)
        self.told, self.ended, self.probed = self.transport.told, self.transport.ended, self.transport.probed

    async def start(self) -> House:
        await self.dispatcher.start()
        return self

    # -- pages

    def open(self, sid: str, remote: str = "10.0.0.9") -> None:
        self.pages.opened(sid, remote, "IE 11", self.clock.monotonic())

    async def say(self, sid: str, **message: Any) -> list[JSON]:
        """A message of a page, and everything that turns make of it. Returns what the page is told."""
        return await self.send(sid, json.dumps(message))

    async def send(self, sid: str, text: str) -> list[JSON]:
        """Like ``say``, with the message as text."""
        self.pages.message(sid, text, self.clock.monotonic())
        self.dispatcher.changed()
        return await self.hear(sid)

    async def hear(self, sid: str) -> list[JSON]:
        """Lets turns end. Returns this page's poll answer: its messages since the last one."""
        await self.dispatcher.idle(housekeeping=True)
        told = self.told.pop(sid, [])
        if offers := self.transport.offers.pop(sid, []):
            self.pages.written(sid, offers, self.clock.monotonic())
        self.dispatcher.changed()
        return told

    async def register(self, sid: str, *types: str, **fields: Any) -> JSON:
        """A page joins; returns the ``registered`` message. Offers that came with it are told again by ``hear``."""
        self.open(sid)
        body = {"types": types or ("echo",), "boot": f"boot-{sid}", "version": VERSION, "token": self.settings.token}
        body |= fields
        self.pages.message(sid, json.dumps({"op": "register", **body}), self.clock.monotonic())
        self.dispatcher.changed()
        await self.dispatcher.idle(housekeeping=True)
        answer = next(m for m in self.told[sid] if m["op"] == "registered")
        self.told[sid].remove(answer)
        return answer

    def enlist(self, sid: str, *types: str, remote: str = "10.0.0.9", **fields: Any) -> None:
        """A page joins the core directly, without a message; the test runs the turns."""
        now = self.clock.monotonic()
        self.open(sid, remote)
        known: dict[str, Any] = {"worker": f"w-{sid}", "spare": f"spare-{sid}", "boot": f"boot-{sid}", "name": ""}
        self.pages._carry_out(self.dispatcher.machine.register(sid, Registration(types=types, **(known | fields)), now))

    async def pass_time(self, seconds: float) -> None:
        """Lets time pass, and does what becomes due."""
        now = self.clock.advance(seconds)
        self.dispatcher._timer.stop()  # it goes by the machine's clock, and would take this for a standstill
        self.dispatcher.tick(now)
        await self.dispatcher.idle(housekeeping=True)

    # -- submitters

    async def submit(
        self, type_name: str = "echo", data: str = '{"x":1.0}', *, id: str | None = None, **options: Any
    ) -> JobView:
        """A durable job, after all the turns that it leads to."""
        self.job_ids += [] if id is None else [id]
        accepted = await self.dispatcher.submit(spec(type_name, data, **options))
        assert accepted.job is not None
        await self.dispatcher.idle(housekeeping=True)
        return accepted.job

    async def kept(self) -> list[JobView]:
        """All jobs in full, oldest first."""
        found: list[JobView] = []
        page = JobPage(items=[], next_cursor="")
        while page.next_cursor is not None:
            page = await self.dispatcher.jobs(JobFilter(limit=100, cursor=page.next_cursor or None))
            found += page.items
        return [await self.dispatcher.job(job.id) for job in reversed(found)]

    async def state(self, job: JobView) -> str:
        return str((await self.dispatcher.job(job.id)).state)


async def run_one(house: House, sid: str = "s1") -> JSON:
    """Takes a page's waiting offer, accepts it and answers; returns the offer."""
    offer = next(m for m in await house.hear(sid) if m["op"] == "job")
    await house.say(sid, op="accept", attempt=offer["attempt"])
    await house.say(sid, op="result", attempt=offer["attempt"], value={"ok": 1.0})
    return offer
