"""Rollouts: pages with old tasks load anew, some at a time, until none is left or something is wrong.

There is one at a time, and it lives as long as the process. It looks once a second, and sees in each turn how the jobs
of a canary end. It reloads pages of this node alone: each server has its own files.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from math import inf

import msgspec
from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.access.opened import Opening
from dispatcher.clock import Clock
from dispatcher.core.fleet.rolling import Rolling
from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.acts.rollouts import (
    CANARY_STEPS,
    ENOUGH_JOBS,
    WATCH_S,
    RolloutOrder,
    RolloutState,
    RolloutView,
    harm,
)
from dispatcher.core.jobs.news import Change
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.deployed import Deployed
from dispatcher.core.workers.effects import Request
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import Draining, WrongState
from dispatcher.node.acts.notes import SERVER
from dispatcher.node.turns.turns import Turns
from dispatcher.node.views.deployed import deployed

__all__ = ["MOST_TYPES_TOLD", "Rollouts"]

log = logging.getLogger("pagehand.rollouts")

#: How often it looks at the pages.
LOOK_S = 1.0
#: The types with old pages that are told.
MOST_TYPES_TOLD = 20
_SHUT = "the token that asked for it opens nothing any more"
#: Into these a job goes from ``running`` if its try has failed.
_FAILED = frozenset({JobState.FAILED, JobState.IN_DOUBT, JobState.SCHEDULED})


class Rollouts:
    """The rollouts of one node. ``offered``: the versions of the site's tasks; ``flush`` sends what pages are told.

    A page may come back at another node that shares the store: the machine says so.
    """

    def __init__(
        self,
        *,
        machine: Machine,
        turns: Turns,
        clock: Clock,
        offered: Callable[[], Mapping[str, str]],
        opens: Callable[[str, Callable[[], None]], Opening],
        flush: Callable[[], None],
        armed: Callable[[], None],
    ) -> None:
        self._machine, self._turns, self._clock = machine, turns, clock
        self._offered, self._opens, self._flush, self._armed = offered, opens, flush, armed
        self._lock = asyncio.Lock()
        machine.moved_away = lambda worker: self._rolling.came_elsewhere(worker)
        self._rolling = Rolling()
        self._opening: Opening | None = None
        #: When it looks next, in monotonic seconds; None: nothing runs.
        self.next_at: float | None = None
        #: Since when all pages of a canary's step are back; infinity: they are not.
        self._watched_from = inf
        self._step = 0
        self.view: RolloutView | None = None

    def old(self) -> tuple[int, list[str]]:
        """How many connected pages have an old task, and the types of which they have one, by name: the first ones."""
        kinds = self._machine.kinds.old(self._offered())
        names = {name for kind in kinds for name in kind.old or ()}
        return sum(len(kind.workers) for kind in kinds), sorted(names)[:MOST_TYPES_TOLD]

    def deployed(self) -> tuple[int, list[Deployed]]:
        """The same, and which versions of these types the pages have."""
        (pages, names), offered = self.old(), self._offered()
        return pages, [deployed(name, offered.get(name), self._machine.kinds.all()) for name in names]

    def _old_pages(self) -> list[Worker]:
        workers = self._machine.workers
        return [workers[one] for kind in self._machine.kinds.old(self._offered()) for one in kind.workers]

    async def begin(self, order: RolloutOrder) -> RolloutView:
        """Begins one. Raises WrongState if one runs, or if no page is old; Draining."""
        async with self._lock:
            if self._machine.draining:
                raise Draining("the server is stopping: ask again in a moment")
            if self.next_at is not None:
                raise WrongState("a rollout runs already: wait for its end, or stop it")
            if not self._machine.kinds.old(self._offered()):
                raise WrongState("no connected page is known to have an old task: there is nothing to load anew")
            await self._note(order.actor, "rollout.begin", _asked(order))
            self._rolling, self._step, self._watched_from = Rolling(), 0, inf
            self.view = RolloutView(order=order, started_at=self._clock.utc())
            self.next_at = self._clock.monotonic()
        self._opening = self._opens(order.actor.token, lambda: self._end(RolloutState.STOPPED, "token_ended", _SHUT))
        self.tick(self._clock.monotonic())
        self._armed()
        return self._known()

    def _known(self) -> RolloutView:
        assert self.view is not None, "it has begun"
        return self.view

    async def stop(self, actor: Actor) -> RolloutView:
        """Tells no more pages. Raises WrongState if none runs."""
        if self.next_at is None:
            raise WrongState("no rollout runs")
        self._end(RolloutState.STOPPED, "asked", f"{actor.name} stopped it")
        await self._note(actor, "rollout.stop", "")
        return self._known()

    async def _note(self, actor: Actor, action: str, detail: str) -> None:
        await self._turns.command(AuditNote(actor, action, "", detail))

    def close(self) -> None:
        """The server stops."""
        if self.next_at is not None:
            self._end(RolloutState.STOPPED, "server_stopped", "the server stopped")

    def _end(self, state: RolloutState, stopped: str | None = None, detail: str | None = None) -> None:
        self.next_at = None
        if self._opening is not None:
            self._opening.close()
            self._opening = None
        self.view = replace(
            self._known(), state=state, stopped=stopped, detail=detail, ended_at=self._clock.utc(), watching=False
        )
        log.info("the rollout is %s: %d pages, %s", state, self.view.reloaded, detail, extra={"action": "rollout"})
        if stopped != "asked":  # whoever asks for it is noted
            self._turns.carry_out([Request(AuditNote(SERVER, "rollout.end", "", _ended(self.view)))])
            self._turns.kick()

    # -- as time goes by

    def seen(self, changes: Iterable[Change]) -> None:
        """Counts how tries of the changed types end, while one runs."""
        if self.next_at is None:
            return
        view, rolling = self._known(), self._rolling
        new, rest = view.new, view.rest
        for change in changes:
            if change.type not in rolling.types or not _is_end(change):
                continue
            if change.worker in rolling.reloaded:
                new = new.more(failed=change.new in _FAILED)
            else:
                rest = rest.more(failed=change.new in _FAILED)
        self.view = replace(view, new=new, rest=rest)

    def tick(self, now: float) -> None:
        """Looks at the pages, if it is time, and tells the next ones."""
        if self.next_at is None or now < self.next_at:
            return
        if self._machine.draining:
            self.close()
            return
        self.next_at = now + LOOK_S
        workers, offered, rolling, order = self._machine.workers, self._offered(), self._rolling, self._known().order
        trouble = rolling.see(workers, offered, now)
        room = 0 if trouble is not None else self._room(now)
        old = self._old_pages()
        wanted = [worker for worker in old if not order.leaves_out(worker.name, worker.labels)]
        told = rolling.step(wanted, offered, now, most=order.at_a_time, room=room)
        for worker in told:
            self._turns.carry_out(self._machine.reload(worker, now, at_once=False))
        if told:
            self._flush()
            self._turns.kick()
        self.view = replace(
            self._known(), reloaded=len(rolling.reloaded), reloading=rolling.reloading, left=rolling.left,
            types=sorted(rolling.types), watching=self._watched_from < inf, left_out=len(old) - len(wanted),
        )  # fmt: skip
        if trouble is not None:
            self._end(RolloutState.STOPPED, trouble.code, trouble.words)
        elif words := self._harm():
            self._end(RolloutState.STOPPED, "failures", words)
        elif rolling.is_over:
            self._end(RolloutState.DONE)

    def _harm(self) -> str:
        view = self._known()
        return harm(view.new, view.rest) if view.order.canary else ""

    def _room(self, now: float) -> int:
        """How many more pages may be told: of a canary as many as its step has, until it has been watched."""
        view, rolling = self._known(), self._rolling
        if not view.order.canary or self._step >= len(CANARY_STEPS):
            return view.order.at_a_time
        room = CANARY_STEPS[self._step] - len(rolling.reloaded) - len(rolling.reloading)
        if room > 0 or rolling.reloading:
            return max(0, room)
        self._watched_from = min(self._watched_from, now)
        if view.new.ended < ENOUGH_JOBS * (self._step + 1) and now - self._watched_from < WATCH_S:
            return 0
        self._watched_from = inf
        self._step += 1
        return self._room(now)


def _is_end(change: Change) -> bool:
    """Whether it is the end of a try that says how its task does."""
    return change.old is JobState.RUNNING and (change.new is JobState.SUCCEEDED or change.new in _FAILED)


def _asked(order: RolloutOrder) -> str:
    told: dict[str, object] = {"at_a_time": order.at_a_time, "canary": order.canary}
    told |= {"without": [f"{label}:{value}" for label, value in order.without]} if order.without else {}
    told |= {"reason": order.reason} if order.reason else {}
    return msgspec.json.encode(told).decode()


def _ended(view: RolloutView) -> str:
    told = {"state": view.state, "reloaded": view.reloaded} | ({"reason": view.detail} if view.detail else {})
    return msgspec.json.encode(told).decode()
