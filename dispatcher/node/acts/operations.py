"""Orders for many jobs, or for many workers: each is counted first, then carried out, slice by slice, in its own task.

Only one slice is read or carried out at a time, of whichever order, and it goes into an ordinary turn. Between two of
them the loop and the store serve everybody else. Orders live as long as the process: the store has their one entry of
the audit log, and what their jobs have become. It knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from dispatcher.access.acts import AuditNote
from dispatcher.access.opened import Opening
from dispatcher.clock import Clock
from dispatcher.core.jobs.acts.operations import (
    Found,
    OperationAction,
    OperationOrder,
    OperationState,
    OperationView,
    Treated,
    command_for,
    found,
    treated,
)
from dispatcher.core.jobs.model import JobFilter, JobPage
from dispatcher.errors import Draining, OperationNotFound, PagehandError, Unavailable, WrongState
from dispatcher.node.turns.turns import Turns
from dispatcher.node.waits.waiters import Waiters

__all__ = ["MOST_KEPT", "MOST_RUNNING", "SLICE_JOBS", "JobTargets", "Operations", "Slice", "Targets"]

log = logging.getLogger("pagehand.operations")

#: Jobs that are changed at once. With 100 a turn of others took four times as long, measured.
SLICE_JOBS = 25
#: Jobs that are counted at once.
COUNT_JOBS = 200
#: So long at most it gives way after a slice, and otherwise as long as the slice took.
_MOST_REST_S = 1.0
#: Most orders that run at a time.
MOST_RUNNING = 10
#: Orders that are told of, with those that run: the newest.
MOST_KEPT = 100

_ENDING = "the server stopped; what was done stays done, and the rest can be asked for again"
_SHUT = "the token that asked for it opens nothing any more; what was done stays done"
_FAULT = "a fault of the server stopped it; its log says more. What was done stays done"


class _Stopped(Exception):
    """It is to go no further; the code and the words say why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Slice(NamedTuple):
    """Some of those that a filter finds."""

    ids: Collection[str]
    #: Where the list goes on; None: it ends.
    behind: str | None
    #: Where the first slice begins: what comes later stands before it, and is not touched. None: there is nothing.
    start: str | None
    #: How they are counted.
    found: Found


class Targets(Protocol):
    """What an order may be for."""

    async def slice(self, order: OperationOrder, most: int, cursor: str | None) -> Slice:
        """Some that its filter finds."""
        ...

    async def present(self, order: OperationOrder, ids: tuple[str, ...]) -> Found:
        """Those of these that are there."""
        ...

    async def carry_out(self, view: OperationView, ids: Collection[str]) -> Treated:
        """Does it to these."""
        ...


class JobTargets:
    """Jobs. ``read`` gives a page of a list."""

    def __init__(self, read: Callable[[JobFilter], Awaitable[JobPage]], turns: Turns, clock: Clock) -> None:
        self._read, self._turns, self._clock = read, turns, clock

    async def slice(self, order: OperationOrder, most: int, cursor: str | None) -> Slice:
        """See Targets."""
        assert isinstance(order.wanted, JobFilter), "it is an order for jobs"
        page = await self._read(replace(order.wanted, limit=most, cursor=cursor))
        counted = found(order, page.items, 0, self._clock.utc())
        return Slice([job.id for job in page.items], page.next_cursor, page.start, counted)

    async def present(self, order: OperationOrder, ids: tuple[str, ...]) -> Found:
        """See Targets."""
        page = await self._read(JobFilter(ids=ids, limit=len(ids)))
        return found(order, page.items, len(ids), self._clock.utc())

    async def carry_out(self, view: OperationView, ids: Collection[str]) -> Treated:
        """See Targets."""
        reports = await self._turns.commands([command_for(view.order, view.id, job_id) for job_id in ids])
        return treated(dict(zip(ids, reports, strict=True)))


class _Running:
    """One order, and the task that carries it out."""

    def __init__(self, view: OperationView) -> None:
        self.view = view
        #: The cursor above the newest job that it may touch, found by the count.
        self.top: str | None = None
        #: Nothing has been read: there is no cursor yet.
        self.begins = True
        #: Why it is to stop.
        self.stopping: _Stopped | None = None
        self.task: asyncio.Task[None]

    def stop(self, code: str, detail: str) -> None:
        """It goes no further than to the end of its slice."""
        self.stopping = self.stopping or _Stopped(code, detail)

    @property
    def is_over(self) -> bool:
        return self.view.ended_at is not None


class Operations:
    """The orders of one node."""

    def __init__(
        self,
        *,
        jobs: Targets,
        workers: Targets,
        turns: Turns,
        waiters: Waiters,
        clock: Clock,
        new_id: Callable[[], str],
        opens: Callable[[str, Callable[[], None]], Opening],
    ) -> None:
        self._jobs, self._workers, self._turns, self._waiters = jobs, workers, turns, waiters
        self._clock, self._new_id, self._opens = clock, new_id, opens
        self._one_steps = asyncio.Lock()
        #: The oldest first.
        self._known: dict[str, _Running] = {}
        self._closed = False

    def begin(self, order: OperationOrder) -> OperationView:
        """Begins to count, and then to act. Raises Unavailable, Draining."""
        if self._closed:
            raise Draining("the server is stopping: ask again in a moment")
        if sum(not one.is_over for one in self._known.values()) >= MOST_RUNNING:
            raise Unavailable(f"{MOST_RUNNING} operations run already: wait for one, or stop it", retry_after_s=5)
        running = _Running(OperationView(id=self._new_id(), order=order, started_at=self._clock.utc()))
        self._known[running.view.id] = running
        self._forget()
        running.task = asyncio.get_running_loop().create_task(self._run(running))
        opening = self._opens(order.actor.token, lambda: running.stop("token_ended", _SHUT))
        running.task.add_done_callback(lambda task: opening.close())
        return running.view

    def _forget(self) -> None:
        over = [name for name, one in self._known.items() if one.is_over]
        for name in over[: max(0, len(self._known) - MOST_KEPT)]:
            del self._known[name]

    def all(self) -> list[OperationView]:
        """Those that are known, the newest first."""
        return [one.view for one in reversed(self._known.values())]

    def one(self, operation_id: str) -> OperationView:
        """Raises OperationNotFound."""
        return self._one(operation_id).view

    def _one(self, operation_id: str) -> _Running:
        if operation_id not in self._known:
            raise OperationNotFound.named(operation_id)
        return self._known[operation_id]

    async def wait(self, operation_id: str, timeout_s: float) -> OperationView:
        """It when it has ended, or as it is after ``timeout_s``. Raises OperationNotFound, Unavailable."""
        running = self._one(operation_id)
        if timeout_s > 0 and not running.is_over:
            place = self._waiters.add()
            try:
                waits = (running.task, place.future)
                await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._waiters.remove(place)
        return running.view

    async def stop(self, operation_id: str, who: str) -> OperationView:
        """It, when its slice is over and nothing more is done. Raises OperationNotFound, WrongState."""
        running = self._one(operation_id)
        if running.is_over:
            raise WrongState(f"the operation is over: it is {running.view.state.value}")
        running.stop("asked", f"stopped by {who}; what was done stays done")
        await asyncio.wait([running.task])
        return running.view

    async def close(self) -> None:
        """Ends those that run, each after its slice; the store may be closed then."""
        self._closed = True
        left = [one for one in self._known.values() if not one.is_over]
        for running in left:
            running.stopping = _Stopped("server_stopped", _ENDING)
        if left:
            await asyncio.wait([one.task for one in left])

    # -- one order

    async def _run(self, running: _Running) -> None:
        try:
            await self._count(running)
            if not running.view.order.dry_run:
                await self._act(running)
            self._end(running, OperationState.DONE)
        except _Stopped as why:
            self._end(running, OperationState.STOPPED, why.code, why.detail)
        except PagehandError as error:
            self._end(running, OperationState.STOPPED, error.code, error.detail)
        except Exception:  # the boundary of its task
            log.exception("an operation failed", extra={"action": "operation_failed"})
            self._end(running, OperationState.STOPPED, "fault", _FAULT)

    def _end(
        self, running: _Running, state: OperationState, stopped: str | None = None, detail: str | None = None
    ) -> None:
        now_at = self._clock.utc()
        running.view = replace(running.view, state=state, stopped=stopped, detail=detail, ended_at=now_at)
        view = running.view
        log.info(
            "the operation %s (%s) is %s: %d matched, %d done, %d skipped", view.id, view.order.action, view.state,
            view.matched, view.done, sum(view.skipped.values()), extra={"action": "operation"},
        )  # fmt: skip

    async def _count(self, running: _Running) -> None:
        order = running.view.order
        await self._each_slice(running, self._add, COUNT_JOBS)
        matched = running.view.matched
        if order.expect is not None and order.expect != matched:
            noun = order.noun
            found = f"1 {noun} matches" if matched == 1 else f"{matched:,} {noun}s match"
            words = f"{found}, and {order.expect:,} were expected: look again. Nothing was done"
            raise _Stopped("count_changed", words)

    def _targets(self, running: _Running) -> Targets:
        return self._jobs if running.view.order.noun == "job" else self._workers

    async def _add(self, running: _Running, some: Slice) -> None:
        running.view = running.view.with_found(some.found)

    async def _act(self, running: _Running) -> None:
        running.view = replace(running.view, state=OperationState.RUNNING)
        await self._turns.command(_note(running.view))
        await self._each_slice(running, self._carry_out, SLICE_JOBS)

    async def _carry_out(self, running: _Running, some: Slice) -> None:
        running.view = running.view.with_done(await self._targets(running).carry_out(running.view, some.ids))

    async def _each_slice(
        self, running: _Running, use: Callable[[_Running, Slice], Awaitable[None]], jobs: int
    ) -> None:
        """Gives ``use`` those that it is for, so many at a time. The lock is held for one slice, and not between two.

        Half of the time belongs to everybody else.
        """
        cursor: str | None = running.top
        while cursor is not None or running.begins:
            async with self._one_steps:
                began = self._clock.monotonic()
                # Whoever waits for the lock goes on one turn of the loop later, even if the store answers at once.
                await asyncio.sleep(0)
                if running.stopping is not None:
                    raise running.stopping
                some = await self._slice(running, cursor, jobs)
                cursor = some.behind
                if some.ids:
                    await use(running, some)
                await asyncio.sleep(min(self._clock.monotonic() - began, _MOST_REST_S))

    async def _slice(self, running: _Running, cursor: str | None, jobs: int) -> Slice:
        """The next of them."""
        order, running.begins = running.view.order, False
        if order.wanted is None:
            return await self._named(running, int(cursor or 0), jobs)
        some = await self._targets(running).slice(order, jobs, cursor or None)
        running.top = some.start if running.top is None else running.top
        return some

    async def _named(self, running: _Running, first: int, jobs: int) -> Slice:
        """The next of those that were named. They are looked at when they are counted; a turn looks for itself."""
        order, behind, running.top = running.view.order, first + jobs, "0"
        ids = order.ids[first:behind]
        counts = running.view.state is OperationState.COUNTING
        counted = await self._targets(running).present(order, ids) if counts else Found(0)
        return Slice(ids, str(behind) if behind < len(order.ids) else None, None, counted)


def _note(view: OperationView) -> AuditNote:
    """The one entry of the audit log. What was asked stands first: the end of a long one is cut."""
    order = view.order
    told: dict[str, object] = {"matched": view.matched}
    if order.action is OperationAction.SET_PRIORITY:
        told["priority"] = order.priority
    if order.labels:
        told["labels"] = dict(order.labels)
    if len(order.examples) == 1:
        told["type"] = order.examples[0].type
    if order.free_key:
        told["free_key"] = True
    told |= {"ids": len(order.ids)} if order.wanted is None else {"filter": msgspec.Raw(order.asked.encode())}
    told |= {"reason": order.reason} if order.reason else {}
    return AuditNote(order.actor, f"{order.noun}s.{order.action.value}", view.id, msgspec.json.encode(told).decode())
