"""Types of jobs: the list of them, and the pauses and defaults that operators order.

An order is durable before it counts, and stands in the audit log. One is made at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from dispatcher.access.acts import Actor
from dispatcher.clock import Clock
from dispatcher.core.jobs.acts.kept import EVERY_TYPE, MOST_KEPT, Hold, KeepType, KeptType
from dispatcher.core.jobs.model import TypeFilter, TypePage, TypeView
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.views.deployed import Deployed
from dispatcher.core.jobs.views.endings import ALL_TYPES, Summary, steps_of, summary_of
from dispatcher.core.jobs.views.quarters import Quarter, hour_of, steps_of_quarter
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import BadRequest, TypeNotFound, WrongState
from dispatcher.node.taskfiles import TaskFiles
from dispatcher.node.turns.readers import Readers
from dispatcher.node.turns.turns import Turns
from dispatcher.node.views import catalogue
from dispatcher.node.views.deployed import deployed
from dispatcher.store.port import Store

__all__ = ["MOST_OF_QUARTER", "Types"]

#: How many are read from the store at once.
_SLICE = 1_000
#: The types of which one quarter of an hour tells.
MOST_OF_QUARTER = 20


class Types:
    """The types of one node. ``files``: the tasks that the server offers."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        turns: Turns,
        machine: Machine,
        readers: Readers,
        files: TaskFiles,
    ) -> None:
        self._store, self._clock, self._turns = store, clock, turns
        self._machine, self._readers, self._files = machine, readers, files
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Reads what is kept, in pieces: before the machine is told which jobs are ready."""
        after = ""
        while kept := await self._store.kept.types(after, _SLICE):
            self._machine.know_types(kept)
            after = kept[-1].type

    async def page(self, wanted: TypeFilter | None = None) -> TypePage:
        """Types that a job, a worker or a shipped task has named, by name. Raises BadRequest for a bad cursor."""
        wanted = wanted or TypeFilter()
        with self._readers:
            known = await self._store.types(wanted.prefix, catalogue.after(wanted), wanted.limit + 1)
        known = catalogue.with_shipped(known, self._files.versions(), wanted)
        return catalogue.page(known, wanted, self._machine)

    async def one(self, name: str) -> TypeView:
        """A type that a job, a worker, a shipped task or an operator has named, or EVERY_TYPE. Raises TypeNotFound."""
        if name == EVERY_TYPE:
            return await self._every()
        with self._readers:
            known = await self._store.named_types([name])
        if not known and not self._is_named(name):
            raise TypeNotFound(f"no job, no worker and no task has named a type {name!r}: the list has all types")
        return catalogue.view(known[0] if known else catalogue.unnamed(name), self._machine)

    async def _every(self) -> TypeView:
        """All types together."""
        with self._readers:
            counts = await self._store.counts()
        every = catalogue.unnamed(EVERY_TYPE)
        return replace(catalogue.view(every, self._machine), counts=counts, workers=len(self._machine.workers))

    async def ended(self, name: str, window_s: int) -> Summary:
        """How its jobs have ended in the last ``window_s``; those of all types: ``ALL_TYPES``."""
        steps = steps_of(window_s, self._clock.utc())
        with self._readers:
            return summary_of(name, steps, await self._store.endings.window(name, steps))

    async def quarter(self, start: int) -> Quarter:
        """How jobs ended in the quarter of an hour that begins then."""
        steps, endings = steps_of_quarter(start, self._clock.utc()), self._store.endings
        with self._readers:
            names = await endings.types_of(hour_of(start), 2 * MOST_OF_QUARTER)
            found = await endings.windows([ALL_TYPES, *names], steps)
        total, *types = (summary_of(name, steps, points) for name, points in found.items())
        types = [one for one in types if one.points]
        more = len(types) > MOST_OF_QUARTER or len(names) == 2 * MOST_OF_QUARTER
        types.sort(key=lambda one: (-one.total.failed, -one.total.jobs, one.type))
        return Quarter(
            at=start, until=steps.until, total=total, types=types[:MOST_OF_QUARTER], more_types=more
        )  # fmt: skip

    def deployed(self, name: str) -> Deployed:
        """Which versions of this task the pages have that are connected to this node."""
        return deployed(name, self._files.versions().get(name), self._machine.kinds.all(), self._files.withheld())

    def _is_named(self, name: str) -> bool:
        known = self._machine.operators.types, self._files.versions()
        return any(name in names for names in known) or self._machine.unloaded(name) is not None

    def paused(self) -> list[KeptType]:
        """All paused types, by name."""
        kept = self._machine.operators.types
        return [kept[name] for name in sorted(kept) if kept[name].paused is not None]

    async def pause(self, name: str, reason: str, *, actor: Actor) -> TypeView:
        """The type, or EVERY_TYPE, whose jobs wait from here on; those that run go on. It need not be known.

        Raises WrongState.
        """
        hold = Hold(self._clock.utc(), actor.name, reason)
        return await self._keep(name, lambda kept: replace(kept, paused=hold), "type.pause", reason, actor)

    async def resume(self, name: str, reason: str = "", *, actor: Actor) -> TypeView:
        """The type, whose jobs are offered again. Raises TypeNotFound."""
        return await self._keep(name, lambda kept: replace(kept, paused=None), "type.resume", reason, actor)

    async def change_defaults(
        self, name: str, changes: Mapping[str, int | float | str | None], reason: str, *, actor: Actor
    ) -> TypeView:
        """The type, whose new jobs have these terms where their submitters name none; None takes one away.

        Jobs that are there keep the terms that they have. The type need not be known. Raises WrongState, TypeNotFound.
        """
        if name == EVERY_TYPE:
            raise WrongState(
                "all types can be paused together, and have no defaults together: the server's settings are"
            )
        told = msgspec.json.encode({"defaults": changes} | ({"reason": reason} if reason else {})).decode()
        changed = partial(_with_defaults, changes=changes)
        return await self._keep(name, changed, "type.defaults", told, actor)

    def terms_of(self, name: str, terms: Terms) -> Terms:
        """The terms of a new job of this type whose submitter names none; ``terms``: those of the server."""
        kept = self._machine.operators.types.get(name)
        return terms if kept is None else kept.defaults.over(terms)

    async def _keep(
        self, name: str, change: Callable[[KeptType], KeptType], action: str, detail: str, actor: Actor
    ) -> TypeView:
        async with self._lock:
            known = self._machine.operators.types
            kept = change(known.get(name) or KeptType(type=name))
            if kept.is_empty():
                await self.one(name)
            elif name not in known and len(known) >= MOST_KEPT:
                raise WrongState(f"{MOST_KEPT:,} types are paused or have defaults already: take back what need not be")
            report = await self._turns.command(KeepType(kept, action, detail, actor))
            if not report.done:
                raise BadRequest("the store cannot hold this text: leave out what is not proper text", semantic=True)
            return await self._shown(kept.type)

    async def _shown(self, name: str) -> TypeView:
        """The type; one that only operators had named may be unknown again."""
        try:
            return await self.one(name)
        except TypeNotFound:
            return catalogue.view(catalogue.unnamed(name), self._machine)


def _with_defaults(kept: KeptType, changes: Mapping[str, int | float | str | None]) -> KeptType:
    return replace(kept, defaults=replace(kept.defaults, **changes))
