"""A day of work in an office, done in seconds: the real dispatcher on a file, with a clock that is turned by hand.

The figures are made up: an office works from seven to seven, faxes fail while a line is dead, and some desks have gone.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from dispatcher import __version__
from dispatcher.access.acts import Actor, AuditNote
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.views.deployed import version_text, versions_text
from dispatcher.node.acts.notes import SERVER, ServerNotes
from dispatcher.node.service import Dispatcher
from dispatcher.store.applier.hand import Ids
from dispatcher.store.sqlite.store import SqliteStore
from tests.support.clock import ManualClock
from tests.support.house import House
from tests.support.jobs import spec

__all__ = ["DESKS", "DESK_TYPES", "FAXES", "FAX_TYPES", "TYPES", "write_history"]

TYPES = ("print-label", "fax", "thumbnail")
#: What desks and faxes do, and how many there are. The last desks leave before the day ends.
DESK_TYPES, FAX_TYPES = ("print-label", "thumbnail"), ("fax",)
DESKS, FAXES, _GONE = 24, 6, 3
_SITES = ("berlin", "rome", "bonn")
_DAY_S, _STEP_S = 86_400, 300
_ANNA = Actor("anna")
#: The share of faxes that fail, and that of all jobs.
_DEAD_LINE, _SELDOM = 0.6, 0.02


async def write_history(path: Path, ends_at: float, *, seed: int = 7) -> int:
    """Writes the day before an instant (UTC seconds) into a new store. Returns the number of its jobs."""
    clock = ManualClock(utc=ends_at - _DAY_S)
    ids = Ids(lambda: str(uuid.uuid4()), lambda: uuid.uuid4().hex)
    house = await House(store=await SqliteStore.open(path, ids), clock=clock).start()
    jobs = await _Day(house, random.Random(seed)).pass_by()
    await house.dispatcher.close()
    return jobs


class _Day:
    """Desks that work, and people who give them work."""

    def __init__(self, house: House, rng: random.Random) -> None:
        self._house, self._rng = house, rng
        self._orders = count(4_000)
        self._faxes = [f"FAX-{number}" for number in range(1, FAXES + 1)]
        self._desks = [*self._faxes, *(f"DESK-{number}" for number in range(1, DESKS + 1))]

    async def pass_by(self) -> int:
        """Returns how many jobs there were."""
        for number, desk in enumerate(self._desks):
            types = FAX_TYPES if desk in self._faxes else DESK_TYPES
            await self._house.register(desk, *types, name=desk, labels={"site": _SITES[number % len(_SITES)]})
        jobs = 0
        for step in range(_DAY_S // _STEP_S):
            await self._happen(_DAY_S - step * _STEP_S)
            jobs += await self._work(step)
        await self._leave_something_to_do()
        return jobs

    async def _work(self, step: int) -> int:
        """Some minutes: jobs come, desks do them, and time passes."""
        hour = self._house.clock.utc() % _DAY_S / 3_600
        share = 1.0 if 7 <= hour < 19 else 0.08
        wanted = [name for name in TYPES for _ in range(self._rng.randint(0, 8)) if self._rng.random() < share]
        for name in wanted:
            await self._submit(name)
        took_s = 0.0
        for round_s in self._rounds():
            if not await self._answer(round_s, dead_line=13 <= hour < 14):
                break
            took_s += round_s
        await self._house.pass_time(max(1.0, _STEP_S - took_s))
        return len(wanted)

    def _rounds(self) -> Iterator[float]:
        while True:
            yield self._rng.uniform(0.5, 6.0)

    async def _submit(self, name: str, **options: Any) -> None:
        order = next(self._orders)
        told = {"max_attempts": 2, **options}
        await self._house.dispatcher.submit(
            spec(name, json.dumps({"order": order, "copies": 1}), summary=f"order {order}", **told)
        )

    async def _answer(self, run_s: float, *, dead_line: bool) -> bool:
        """All desks take what they are offered, work for so long, and answer. Returns whether any had something."""
        house = self._house
        await house.dispatcher.idle(housekeeping=True)
        offers = [(desk, m) for desk in self._desks for m in await house.hear(desk) if m["op"] == "job"]
        if not offers:
            return False
        for desk, offer in offers:
            self._say(desk, op="accept", attempt=offer["attempt"])
        await house.dispatcher.idle(housekeeping=True)  # they begin now
        await house.pass_time(run_s)
        for desk, offer in offers:
            self._say(desk, **self._outcome(offer, dead_line=dead_line))
        await house.dispatcher.idle(housekeeping=True)
        return True

    def _outcome(self, offer: dict[str, Any], *, dead_line: bool) -> dict[str, Any]:
        fails = _DEAD_LINE if dead_line and offer["type"] == "fax" else _SELDOM
        if self._rng.random() >= fails:
            return {"op": "result", "attempt": offer["attempt"], "value": {"pages": self._rng.randint(1, 4)}}
        message = "the line is dead" if offer["type"] == "fax" else f"tray {self._rng.randint(1, 4)} is empty"
        return {"op": "error", "attempt": offer["attempt"], "message": message, "code": "E_DEVICE"}

    def _say(self, desk: str, **message: Any) -> None:
        self._house.pages.message(desk, json.dumps(message), self._house.clock.monotonic())
        self._house.dispatcher.changed()

    async def _happen(self, left_s: int) -> None:
        """What is due in these minutes: by the hours that are left of the day, or by the clock."""
        if left_s == 3 * 3_600:
            await self._leave()
        hour = self._house.clock.utc() % _DAY_S / 3_600
        due: dict[float, Callable[[], Awaitable[None]]] = {
            6.5: self._restart, 10.0: self._deploy, 13.5: self._pause_faxes, 14.25: self._resume_faxes,
            16.0: self._pause_desks, 16.5: self._resume_desks, 19.5: self._restart,
        }  # fmt: skip
        for at, happens in due.items():
            if 0.0 <= hour - at < _STEP_S / 3_600:
                await happens()

    async def _restart(self) -> None:
        access = self._house.dispatcher.access
        notes = ServerNotes(access, node="main", version=__version__, offered=dict)
        notes.end()
        await notes.begin()

    async def _deploy(self) -> None:
        """Another version of a task comes to all desks."""
        access, now_at = self._house.dispatcher.access, self._house.clock.utc()
        old, new = (version_text(digit * 12, now_at - 60.0) for digit in "ab")
        access.note(AuditNote(SERVER, "task.version", "print-label", versions_text(new, old)))
        access.note(AuditNote(_ANNA, "rollout.begin", "", '{"at_a_time":5,"canary":true,"reason":"larger letters"}'))
        access.note(AuditNote(SERVER, "rollout.end", "", f'{{"state":"done","reloaded":{DESKS}}}'))

    async def _pause_faxes(self) -> None:
        await self._house.dispatcher.types.pause("fax", "the line is dead", actor=_ANNA)

    async def _resume_faxes(self) -> None:
        await self._house.dispatcher.types.resume("fax", actor=_ANNA)

    async def _pause_desks(self) -> None:
        for worker in self._house.dispatcher.workers(WorkerFilter(name="DESK-", limit=5)).items:
            await self._house.dispatcher.orders.pause(worker.id, "new printers", actor=Actor("bob"))

    async def _resume_desks(self) -> None:
        for worker in self._house.dispatcher.workers(WorkerFilter(name="DESK-", limit=5)).items:
            await self._house.dispatcher.orders.resume(worker.id, actor=Actor("bob"))

    async def _leave(self) -> None:
        """The last desks are switched off."""
        for desk in self._desks[-_GONE:]:
            await self._house.say(desk, op="bye")
            self._house.pages.ended(desk, self._house.clock.monotonic())
        del self._desks[-_GONE:]

    async def _leave_something_to_do(self) -> None:
        """What somebody who looks must see to: a doubt, jobs that nobody can do, a type that is paused."""
        dispatcher: Dispatcher = self._house.dispatcher
        while await self._answer(1.0, dead_line=False):  # a job that had failed is tried again
            pass
        await self._submit("print-label", effects="once")
        [(desk, offer)] = [(desk, m) for desk in self._desks for m in await self._house.hear(desk) if m["op"] == "job"]
        await self._house.say(desk, op="accept", attempt=offer["attempt"])
        await self._house.say(desk, op="bye")
        await self._submit("scan")
        await self._submit("print-label", requires=requirement_of({"site": "oslo"}))
        await dispatcher.types.pause("thumbnail", "the new printers come today", actor=_ANNA)
        await self._submit("thumbnail")
        await dispatcher.idle(housekeeping=True)
