"""What operators order of workers: it is durable before it counts, and stands in the audit log.

One order is made at a time, so that two at once lose nothing of each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.clock import Clock
from dispatcher.core.jobs.acts.kept import MOST_KEPT, Hold, KeepWorker, KeptWorker
from dispatcher.core.jobs.acts.seen import ReloadPage
from dispatcher.core.jobs.model import OneWorkerView
from dispatcher.core.jobs.terms import MOST_LABELS
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import BadRequest, WorkerNotFound, WrongState
from dispatcher.node.joining import Joins
from dispatcher.node.turns.turns import Turns
from dispatcher.node.views import workerlist
from dispatcher.pages.pages import Pages
from dispatcher.store.port import Store

__all__ = ["WorkerOrders"]

#: How many are read from the store at once.
_SLICE = 1_000


class WorkerOrders:
    """Single workers: what is known of one, and the orders for it."""

    def __init__(self, store: Store, clock: Clock, turns: Turns, machine: Machine, pages: Pages, joins: Joins) -> None:
        self._store, self._clock, self._turns = store, clock, turns
        self._machine, self._pages, self._joins = machine, pages, joins
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Reads what is kept, in pieces."""
        after = ""
        while kept := await self._store.kept.workers(after, _SLICE):
            self._machine.operators.know(kept)
            after = kept[-1].id

    async def one(self, worker_id: str) -> OneWorkerView:
        """A worker that is here, or of which something is kept. Raises WorkerNotFound."""
        worker, kept = self._machine.workers.get(worker_id), self._machine.operators.kept.get(worker_id)
        joined = self._joins.of(worker_id)
        node = self._store.node
        if worker is not None:
            return workerlist.whole(worker, self._pages.sessions, self._clock.monotonic(), kept, joined, node=node)
        seen = await self._store.seen.one(worker_id)
        if seen is not None:
            shown = workerlist.seen_elsewhere(seen, kept)
            return OneWorkerView(shown=shown, kept=kept, name=seen.name, labels=seen.labels, joined=joined)
        if kept is None and joined is None:
            raise WorkerNotFound(
                f"no worker with the id {worker_id!r} is here, and nothing is kept of one: the list has all ids"
            )
        kept = kept or KeptWorker(id=worker_id)
        name = kept.name or kept.called
        known = await self._store.names.missing(name, None, 1) if name else []
        gone_at = known[0].gone_at if known and known[0].name == name else None
        return workerlist.absent(kept, gone_at, self._clock.utc(), joined)

    async def pause(self, worker_id: str, reason: str, *, actor: Actor, leaves: bool = False) -> OneWorkerView:
        """The worker, which gets no offers until an operator says otherwise. Raises WorkerNotFound, WrongState.

        ``leaves``: its page says goodbye when it has nothing to do any more.
        """
        hold = Hold(self._clock.utc(), actor.name, reason, leaves)
        return await self._keep(worker_id, "drain" if leaves else "pause", reason, actor, paused=hold)

    async def resume(self, worker_id: str, *, actor: Actor) -> OneWorkerView:
        """The worker, which no operator keeps from jobs any more. Raises WorkerNotFound."""
        return await self._keep(worker_id, "resume", "", actor, paused=None)

    async def block(self, worker_id: str, reason: str, *, actor: Actor) -> OneWorkerView:
        """The worker, whose page is turned away until it is unblocked. Raises WorkerNotFound, WrongState.

        If it has joined, it must join anew, even when it is unblocked.
        """
        hold = Hold(self._clock.utc(), actor.name, reason)
        shown = await self._keep(worker_id, "block", reason, actor, blocked=hold)
        self._joins.forget(worker_id)
        return replace(shown, joined=None)

    async def unblock(self, worker_id: str, *, actor: Actor) -> OneWorkerView:
        """The worker, whose page may come again. Raises WorkerNotFound."""
        return await self._keep(worker_id, "unblock", "", actor, blocked=None)

    async def end_credential(self, worker_id: str, *, actor: Actor) -> OneWorkerView:
        """The worker, which must join anew if it had joined. Raises WorkerNotFound."""
        async with self._lock:
            one = await self.one(worker_id)
            await self._joins.end(worker_id, actor)
            return replace(one, joined=None)

    async def describe(
        self,
        worker_id: str,
        *,
        actor: Actor,
        wanted: str = "",
        name: str | None = None,
        note: str | None = None,
        labels: Mapping[str, str | None] | None = None,
    ) -> OneWorkerView:
        """The worker under another name, with another note, with other labels; what is None stays.

        A label that is None is the page's own again. ``wanted``: the same for the audit log. Raises WorkerNotFound,
        WrongState, BadRequest.
        """
        fields: dict[str, object] = {"name": name, "note": note}
        changed = {field: value for field, value in fields.items() if value is not None}
        return await self._keep(worker_id, "change", wanted, actor, labels, **changed)

    async def reload(self, worker_id: str, *, actor: Actor, at_once: bool = False) -> OneWorkerView:
        """The worker, whose page was told to load anew: at once, or when it is idle. Raises as ``describe``."""
        async with self._lock:
            worker = self._machine.workers.get(worker_id)
            if worker is None or worker.session is None:
                if (await self.one(worker_id)).shown.node not in ("", self._store.node):
                    return await self._reload_elsewhere(worker_id, actor, at_once=at_once)
                raise WrongState("the worker's page is not connected: it cannot be told to reload")
            await self._turns.command(AuditNote(actor, "worker.reload", worker_id, "at once" if at_once else ""))
            self._turns.carry_out(self._machine.reload(worker, self._clock.monotonic(), at_once=at_once))
            self._pages.transport.flush(self._clock.monotonic())
            self._turns.kick()
            return await self.one(worker_id)

    async def _reload_elsewhere(self, worker_id: str, actor: Actor, *, at_once: bool) -> OneWorkerView:
        """The node that has it tells its page, as soon as it hears of it."""
        note = AuditNote(actor, "worker.reload", worker_id, "at once" if at_once else "")
        await self._turns.commands([note, ReloadPage(worker_id, at_once)])
        return await self.one(worker_id)

    async def _keep(
        self,
        worker_id: str,
        action: str,
        detail: str,
        actor: Actor,
        labels: Mapping[str, str | None] | None = None,
        **changed: object,
    ) -> OneWorkerView:
        async with self._lock:
            one = await self.one(worker_id)
            known = self._machine.operators.kept
            if worker_id not in known and len(known) >= MOST_KEPT:
                raise WrongState(f"of {MOST_KEPT:,} workers something is kept already: take back what is not needed")
            kept = replace(known.get(worker_id) or KeptWorker(id=worker_id), called=one.shown.name, **changed)
            if labels:
                kept = replace(kept, labels=_merged(kept, labels))
            report = await self._turns.command(KeepWorker(kept, f"worker.{action}", detail, actor))
            if not report.done:
                raise BadRequest("the store cannot hold this text: leave out what is not proper text", semantic=True)
            if kept.is_empty() and worker_id not in self._machine.workers:
                return workerlist.absent(kept, one.shown.gone_at, self._clock.utc())
            return await self.one(worker_id)


def _merged(kept: KeptWorker, labels: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    merged: dict[str, str | None] = {**dict(kept.labels), **labels}
    found = tuple((label, value) for label, value in sorted(merged.items()) if value is not None)
    if len(found) > MOST_LABELS:
        words = (
            f"would be more than {MOST_LABELS} with those that operators have given before: take some back with null"
        )
        raise BadRequest(words, code="invalid", pointer="/labels", semantic=True)
    return found
