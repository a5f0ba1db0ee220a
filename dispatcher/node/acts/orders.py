"""What operators order of workers: it is durable before it counts, and stands in the audit log.

One order is made at a time, so that two at once lose nothing of each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.access.credentials import Credential
from dispatcher.clock import Clock
from dispatcher.core.jobs.acts.kept import MOST_KEPT, ForgetWorker, Hold, KeepWorker, KeptWorker
from dispatcher.core.jobs.acts.operations import OperationOrder, OperationView, WorkerAction
from dispatcher.core.jobs.acts.seen import ReloadPage
from dispatcher.core.jobs.diaries import KnownWorker
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import OneWorkerView, WorkerFilter, WorkerStatus
from dispatcher.core.jobs.terms import MOST_LABELS
from dispatcher.core.jobs.turn import Command
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import BadRequest, WorkerNotFound, WrongState
from dispatcher.node.joining import Joins
from dispatcher.node.turns.diaries import Diaries
from dispatcher.node.turns.turns import Turns
from dispatcher.node.views import workerlist
from dispatcher.pages.pages import Pages
from dispatcher.store.port import Store

__all__ = ["BY_PERSON", "NAMED", "WorkerOrders"]

#: How many are read from the store at once.
_SLICE = 1_000
#: What the audit log says of it.
BY_PERSON = "by the person at the page"
#: So many comings and goings of a worker are told.
MOST_LATELY = 50
#: Before the name of a worker that has gone, in the place of an id.
NAMED = f"{NAME}:"


class WorkerOrders:
    """Single workers: what is known of one, and the orders for it."""

    def __init__(
        self, store: Store, clock: Clock, turns: Turns, machine: Machine, pages: Pages, joins: Joins, diaries: Diaries
    ) -> None:
        self._store, self._clock, self._turns = store, clock, turns
        self._machine, self._pages, self._joins, self._diaries = machine, pages, joins, diaries
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Reads what is kept, in pieces."""
        after = ""
        while kept := await self._store.kept.workers(after, _SLICE):
            self._machine.operators.know(kept)
            after = kept[-1].id

    async def one(self, worker_id: str) -> OneWorkerView:
        """A worker that is here, or was here, or of which something is kept. Raises WorkerNotFound.

        An id may be ``name:`` and a name: of who has gone nothing else may be known.
        """
        found = await self._found(worker_id)
        diary = found.diary or (await self._diaries.of(found.shown.id) if found.shown.id else None)
        if diary is None:
            return found
        now_at = self._clock.utc()
        lately = [(passage, max(0.0, now_at - at)) for at, passage in reversed(diary.passages)]
        return replace(found, diary=diary, lately=lately[:MOST_LATELY])

    async def _found(self, worker_id: str) -> OneWorkerView:
        if worker_id.startswith(NAMED):
            return await self._one_named(worker_id.removeprefix(NAMED))
        worker, kept = self._machine.workers.get(worker_id), self._machine.operators.kept.get(worker_id)
        joined = self._joins.of(worker_id)
        node = self._store.node
        if worker is not None:
            now, today = self._clock.monotonic(), self._machine.today(worker)
            return workerlist.whole(worker, self._pages.sessions, now, kept, joined, today=today, node=node)
        seen = await self._store.seen.one(worker_id)
        if seen is not None:
            shown = workerlist.seen_elsewhere(seen, kept)
            return OneWorkerView(shown=shown, kept=kept, name=seen.name, labels=seen.labels, joined=joined)
        name = "" if kept is None else kept.name or kept.called
        found = await self._store.names.known([worker_id], [name] if name else [])
        # Where nobody has noted whose a name is, it is the one of which something is kept.
        known = next((one for one in found if one.worker in (worker_id, None)), None)
        if kept is None and joined is None and known is None:
            raise WorkerNotFound(
                f"no worker with the id {worker_id!r} is here, and nothing is known of one: the list has all ids"
            )
        return self._absent(kept or KeptWorker(id=worker_id), known, joined)

    def _absent(self, kept: KeptWorker, known: KnownWorker | None, joined: Credential | None = None) -> OneWorkerView:
        if known is not None and not kept.name:
            kept = replace(kept, called=known.name)
        gone_at, diary = (None, None) if known is None else (known.gone_at, known.diary)
        return workerlist.absent(kept, gone_at, self._clock.utc(), joined, diary, day=self._machine.day)

    async def _one_named(self, name: str) -> OneWorkerView:
        """The worker that has this name, or had it last."""
        here, _ = self._machine.roster.page(WorkerFilter(label=f"{NAMED}{name}", limit=1), None)
        if here:
            return await self._found(here[0])
        found = await self._store.names.known(names=[name])
        if not found:
            raise WorkerNotFound(f"no worker with the name {name!r} is here, or was here: the list has all names")
        if found[0].worker is not None:
            return await self._found(found[0].worker)
        kept = next((one for one in self._machine.operators.kept.values() if name == (one.name or one.called)), None)
        return self._absent(kept or KeptWorker(id="", called=name), found[0])

    async def pause(self, worker_id: str, reason: str, *, actor: Actor, leaves: bool = False) -> OneWorkerView:
        """The worker, which gets no offers until an operator says otherwise. Raises WorkerNotFound, WrongState.

        ``leaves``: its page says goodbye when it has nothing to do any more.
        """
        hold = Hold(self._clock.utc(), actor.name, reason, leaves)
        return await self._keep(worker_id, "drain" if leaves else "pause", reason, actor, paused=hold)

    async def resume(self, worker_id: str, reason: str = "", *, actor: Actor) -> OneWorkerView:
        """The worker, which no operator keeps from jobs any more. Raises WorkerNotFound."""
        return await self._keep(worker_id, "resume", reason, actor, paused=None)

    async def end_hold(self, worker_id: str, since_ms: int, *, actor: Actor) -> None:
        """The person at the worker's page ends the hold that began then, if a page may. Raises StorageTrouble."""
        async with self._lock:
            kept = self._machine.operators.without_hold(worker_id, since_ms)
            if kept is not None:
                await self._turns.command(KeepWorker(kept, "worker.resume", BY_PERSON, actor))

    async def block(self, worker_id: str, reason: str, *, actor: Actor) -> OneWorkerView:
        """The worker, whose page is turned away until it is unblocked. Raises WorkerNotFound, WrongState.

        If it has joined, it must join anew, even when it is unblocked.
        """
        hold = Hold(self._clock.utc(), actor.name, reason)
        shown = await self._keep(worker_id, "block", reason, actor, blocked=hold)
        self._joins.forget(shown.shown.id)
        return replace(shown, joined=None)

    async def unblock(self, worker_id: str, reason: str = "", *, actor: Actor) -> OneWorkerView:
        """The worker, whose page may come again. Raises WorkerNotFound."""
        return await self._keep(worker_id, "unblock", reason, actor, blocked=None)

    async def forget(self, worker_id: str, reason: str, *, actor: Actor) -> OneWorkerView:
        """The worker, of which nothing is known any more. Raises WorkerNotFound, WrongState if it may come back."""
        async with self._lock:
            one, command = await self._forgetting(worker_id, reason, actor)
            await self._turns.command(command)
            self._joins.forget(one.shown.id)
        gone = KeptWorker(id=one.shown.id, called=one.shown.name)
        return workerlist.absent(gone, one.shown.gone_at, self._clock.utc())

    async def _forgetting(self, worker_id: str, reason: str, actor: Actor) -> tuple[OneWorkerView, ForgetWorker]:
        one = await self.one(worker_id)
        if one.shown.state is not WorkerStatus.GONE:
            raise WrongState("the worker is here and would come back at once: close its page first")
        if one.shown.blocked is not None:
            raise WrongState("the worker is blocked, and its page would come in again: unblock it first")
        return one, ForgetWorker(one.shown.id, one.shown.name, reason, actor)

    async def end_credential(self, worker_id: str, reason: str = "", *, actor: Actor) -> OneWorkerView:
        """The worker, which must join anew if it had joined. Raises WorkerNotFound."""
        async with self._lock:
            one = await self.one(worker_id)
            await self._joins.end(one.shown.id, actor, reason)
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

    async def reload(self, worker_id: str, reason: str = "", *, actor: Actor, at_once: bool = False) -> OneWorkerView:
        """The worker, whose page was told to load anew: at once, or when it is idle. Raises as ``describe``."""
        detail = ": ".join(filter(None, ("at once" if at_once else "", reason)))
        async with self._lock:
            one = (await self.one(worker_id)).shown
            worker_id, worker = one.id, self._machine.workers.get(one.id)
            note = AuditNote(actor, "worker.reload", worker_id, detail)
            if worker is None or worker.session is None:
                if one.node not in ("", self._store.node):
                    # The node that has it tells its page, as soon as it hears of it.
                    await self._turns.commands([note, ReloadPage(worker_id, at_once)])
                    return await self.one(worker_id)
                raise WrongState("the worker's page is not connected: it cannot be told to reload")
            await self._turns.command(note)
            self._turns.carry_out(self._machine.reload(worker, self._clock.monotonic(), at_once=at_once))
            self._pages.transport.flush(self._clock.monotonic())
            self._turns.kick()
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
            worker_id = one.shown.id
            command = self._keeping(one, action, detail, actor, labels, **changed)
            report = await self._turns.command(command)
            if not report.done:
                raise BadRequest("the store cannot hold this text: leave out what is not proper text", semantic=True)
            if command.worker.is_empty() and worker_id not in self._machine.workers:
                return workerlist.absent(command.worker, one.shown.gone_at, self._clock.utc())
            return await self.one(worker_id)

    def _keeping(
        self,
        one: OneWorkerView,
        action: str,
        detail: str,
        actor: Actor,
        labels: Mapping[str, str | None] | None = None,
        **changed: object,
    ) -> KeepWorker:
        worker_id, known = one.shown.id, self._machine.operators.kept
        if not worker_id:
            raise WrongState("of this worker nothing but its name is known: it can only be forgotten")
        if worker_id not in known and len(known) >= MOST_KEPT:
            raise WrongState(f"of {MOST_KEPT:,} workers something is kept already: take back what is not needed")
        kept = replace(known.get(worker_id) or KeptWorker(id=worker_id), called=one.shown.name, **changed)
        if labels:
            kept = replace(kept, labels=_merged(kept, labels))
        return KeepWorker(kept, f"worker.{action}", detail, actor)

    # -- many of them

    async def are_known(self, worker_ids: Collection[str]) -> list[str]:
        """Those of these that are here, or of which something is known."""
        return [worker_id for worker_id in worker_ids if await self._is_known(worker_id)]

    async def _is_known(self, worker_id: str) -> bool:
        try:
            if worker_id.startswith(NAMED):
                await self._gone(worker_id.removeprefix(NAMED))
            else:
                await self.one(worker_id)
        except WorkerNotFound:
            return False
        except WrongState:  # somebody of this name is here again
            return True
        return True

    async def several(self, view: OperationView, worker_ids: Collection[str]) -> dict[str, str | None]:
        """Orders some workers about in one turn. Of each why it was let be; None: it was done.

        An id may be ``name:`` and a name: of who has gone nothing else may be known.
        """
        order = replace(view.order, actor=replace(view.order.actor, operation=view.id))
        done: dict[str, str | None] = {}
        commands: list[Command] = []
        async with self._lock:
            for worker_id in worker_ids:
                try:
                    commands += await self._planned(order, worker_id)
                    done[worker_id] = None
                except (WorkerNotFound, WrongState, BadRequest) as refused:
                    done[worker_id] = refused.code
            await self._turns.commands(commands)
        self._ended([one for one in commands if isinstance(one, ForgetWorker | KeepWorker)])
        return done

    def _ended(self, commands: Iterable[ForgetWorker | KeepWorker]) -> None:
        """What is durable now; whoever is blocked or forgotten must join anew."""
        for command in commands:
            if isinstance(command, KeepWorker):
                forgotten = "" if command.worker.blocked is None else command.worker.id
            else:
                forgotten = command.worker
            if forgotten:
                self._joins.forget(forgotten)
        self._pages.transport.flush(self._clock.monotonic())
        self._turns.kick()

    async def _planned(self, order: OperationOrder, worker_id: str) -> list[Command]:
        """What it means for one; a page of this node is told already. Raises WorkerNotFound, WrongState, BadRequest."""
        action, reason, actor = order.action, order.reason, order.actor
        if worker_id.startswith(NAMED):
            return await self._planned_by_name(order, worker_id.removeprefix(NAMED))
        if action is WorkerAction.FORGET:
            return [(await self._forgetting(worker_id, reason, actor))[1]]
        if action is WorkerAction.RELOAD:
            return await self._reloading(worker_id)
        one = await self.one(worker_id)
        if action is WorkerAction.LABELS:
            return [self._labelling(one, order)]
        hold = Hold(self._clock.utc(), actor.name, reason, action is WorkerAction.DRAIN)
        value = None if action in (WorkerAction.RESUME, WorkerAction.UNBLOCK) else hold
        is_gate = action in (WorkerAction.BLOCK, WorkerAction.UNBLOCK)
        was = None if one.kept is None else one.kept.blocked if is_gate else one.kept.paused
        if (was and was.leaves) == (value and value.leaves):
            raise WrongState("it is so already")
        if is_gate:
            return [self._keeping(one, action.value, reason, actor, blocked=value)]
        return [self._keeping(one, action.value, reason, actor, paused=value)]

    def _labelling(self, one: OneWorkerView, order: OperationOrder) -> KeepWorker:
        command = self._keeping(one, "change", order.reason, order.actor, dict(order.labels))
        if command.worker.labels == (() if one.kept is None else one.kept.labels):
            raise WrongState("it is so already")
        return command

    async def _reloading(self, worker_id: str) -> list[Command]:
        worker = self._machine.workers.get(worker_id)
        if worker is not None and worker.session is not None:
            self._turns.carry_out(self._machine.reload(worker, self._clock.monotonic(), at_once=False))
            return []
        if (await self.one(worker_id)).shown.node in ("", self._store.node):
            raise WrongState("its page is not connected")
        return [ReloadPage(worker_id, at_once=False)]

    async def _planned_by_name(self, order: OperationOrder, name: str) -> list[Command]:
        """Of one that has gone. Whatever operators have said of workers that were called so goes with it."""
        await self._gone(name)
        reason, actor = order.reason, order.actor
        if order.action is not WorkerAction.FORGET:
            raise WrongState("it is not here")
        kept = [one for one in self._machine.operators.kept.values() if name == (one.name or one.called)]
        known = [one.id for one in kept if one.id not in self._machine.workers]
        if not known:
            return [ForgetWorker("", name, reason, actor)]
        return [(await self._forgetting(worker_id, reason, actor))[1] for worker_id in known]

    async def _gone(self, name: str) -> None:
        """Raises WorkerNotFound if nobody of this name has gone, WrongState if somebody of this name is here."""
        found = await self._store.names.missing(name, None, 1)
        if [one.name for one in found] != [name]:
            raise WorkerNotFound(f"no worker with the name {name!r} has gone")
        if self._machine.roster.is_here(name):
            raise WrongState("a worker of this name is here")


def _merged(kept: KeptWorker, labels: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    merged: dict[str, str | None] = {**dict(kept.labels), **labels}
    found = tuple((label, value) for label, value in sorted(merged.items()) if value is not None)
    if len(found) > MOST_LABELS:
        words = (
            f"would be more than {MOST_LABELS} with those that operators have given before: take some back with null"
        )
        raise BadRequest(words, code="invalid", pointer="/labels", semantic=True)
    return found
