"""Rollouts: pages with old tasks load anew, some at a time, until none is left or something is wrong.

A canary goes back when the new files fail on its pages: they are withheld, and the same pages load anew once more.

There is one at a time, and it lives as long as the process. It looks once a second, and sees in each turn how the jobs
of a canary end. It reloads pages of this node alone: each server has its own files.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from math import inf

import msgspec
from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.access.opened import Opening
from dispatcher.clock import Clock
from dispatcher.core.fleet.rolling import Rolling, RolloutTrouble
from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.acts.rollouts import (
    CANARY_STEPS,
    ENOUGH_JOBS,
    WATCH_S,
    RolloutOrder,
    RolloutState,
    RolloutView,
    TryTally,
    harm,
)
from dispatcher.core.jobs.news import Change
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.deployed import Deployed, WithheldTask, digest_of, same_version
from dispatcher.core.workers.effects import Request
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import Draining, WrongState
from dispatcher.node.acts.notes import SERVER
from dispatcher.node.taskfiles import TaskFiles
from dispatcher.node.turns.turns import Turns
from dispatcher.node.views.deployed import deployed

__all__ = ["MOST_TYPES_TOLD", "Rollouts"]

log = logging.getLogger("pagehand.rollouts")

#: How often it looks at the pages.
LOOK_S = 1.0
#: The types with old pages that are told.
MOST_TYPES_TOLD = 20
#: So many types, and pages of each, are named as those that fail.
MOST_FAILING_TOLD = 3
_SHUT = "the token that asked for it opens nothing any more"
#: Into these a job goes from ``running`` if its try has failed.
_FAILED = frozenset({JobState.FAILED, JobState.IN_DOUBT, JobState.SCHEDULED})


class Rollouts:
    """The rollouts of one node. ``files``: the site's tasks; ``flush`` sends what pages are told.

    A page may come back at another node that shares the store: the machine says so.
    """

    def __init__(
        self,
        *,
        machine: Machine,
        turns: Turns,
        clock: Clock,
        files: TaskFiles,
        opens: Callable[[str, Callable[[], None]], Opening],
        flush: Callable[[], None],
        armed: Callable[[], None],
    ) -> None:
        self._machine, self._turns, self._clock = machine, turns, clock
        self._files, self._opens, self._flush, self._armed = files, opens, flush, armed
        self._lock = asyncio.Lock()
        machine.moved_away = lambda worker: self._rolling.came_elsewhere(worker)
        self._rolling = Rolling()
        self._opening: Opening | None = None
        #: When it looks next, in monotonic seconds; None: nothing runs.
        self.next_at: float | None = None
        #: Since when all pages of a canary's step are back; infinity: they are not.
        self._watched_from = inf
        self._step = 0
        #: Digests of the changed files, as the reloaded pages have them; by type, the pages on which it fails.
        self._tried: dict[str, str] = {}
        self._failing: dict[str, set[str]] = {}
        self.view: RolloutView | None = None

    def old(self) -> tuple[int, list[str]]:
        """How many connected pages have an old task, and the types of which they have one, by name: the first ones."""
        kinds = self._machine.kinds.old(self._files.versions())
        names = {name for kind in kinds for name in kind.old or ()}
        return sum(len(kind.workers) for kind in kinds), sorted(names)[:MOST_TYPES_TOLD]

    def deployed(self) -> tuple[int, list[Deployed]]:
        """The same, and which versions of these types the pages have."""
        (pages, names), offered, withheld = self.old(), self._files.versions(), self.withheld()
        return pages, [deployed(name, offered.get(name), self._machine.kinds.all(), withheld) for name in names]

    def withheld(self) -> list[WithheldTask]:
        """The tasks whose files failed on a canary, by name: former versions are offered in their place."""
        return self._files.withheld()

    async def release(self, actor: Actor) -> None:
        """Has the files that are withheld offered all the same. Raises WrongState if there is none."""
        released = self._files.release()
        if not released:
            raise WrongState("no task file is withheld")
        if self._is_going_back():
            self._end(RolloutState.STOPPED, "released", f"{actor.name} has the new files offered all the same")
        await self._note(actor, "rollout.release", _named(released))

    def _pages_to_tell(self) -> list[Worker]:
        """Those with an old task; once it goes back, those that have what failed."""
        workers, kinds = self._machine.workers, self._machine.kinds.old(self._files.versions())
        if self._is_going_back():
            failed = self._known().withheld
            kinds = [kind for kind in kinds if any(_has_failed(kind.versions, one) for one in failed)]
        return [workers[one] for kind in kinds for one in kind.workers]

    async def begin(self, order: RolloutOrder) -> RolloutView:
        """Begins one. Raises WrongState if one runs, or if no page is old; Draining."""
        async with self._lock:
            if self._machine.draining:
                raise Draining("the server is stopping: ask again in a moment")
            if self.next_at is not None:
                raise WrongState("a rollout runs already: wait for its end, or stop it")
            if not self._machine.kinds.old(self._files.versions()):
                raise WrongState("no connected page is known to have an old task: there is nothing to load anew")
            await self._note(order.actor, "rollout.begin", _asked(order))
            self._rolling = Rolling()
            self._begin_watching()
            self.view = RolloutView(order=order, started_at=self._clock.utc())
            self.next_at = self._clock.monotonic()
        self._opening = self._opens(order.actor.token, lambda: self._end(RolloutState.STOPPED, "token_ended", _SHUT))
        self.tick(self._clock.monotonic())
        self._armed()
        return self._known()

    def _begin_watching(self) -> None:
        self._step, self._watched_from, self._tried, self._failing = 0, inf, {}, {}

    def _is_going_back(self) -> bool:
        return self.view is not None and self.view.state is RolloutState.GOING_BACK

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
        self._close_opening()
        self.view = replace(
            self._known(), state=state, stopped=stopped, detail=detail, ended_at=self._clock.utc(), watching=False
        )
        log.info("the rollout is %s: %d pages, %s", state, self.view.reloaded, detail, extra={"action": "rollout"})
        if stopped != "asked":  # whoever asks for it is noted
            self._turns.carry_out([Request(AuditNote(SERVER, "rollout.end", "", _ended(self.view)))])
            self._turns.kick()

    def _close_opening(self) -> None:
        if self._opening is not None:
            self._opening.close()
            self._opening = None

    # -- as time goes by

    def seen(self, changes: Iterable[Change]) -> None:
        """Counts how tries of the changed types end, while one runs."""
        if self.next_at is None or self._is_going_back():
            return
        view, rolling = self._known(), self._rolling
        new, rest = view.new, view.rest
        for change in changes:
            if change.type not in rolling.had or not _is_end(change):
                continue
            if change.worker in rolling.reloaded:
                new = new.more(failed=change.new in _FAILED)
                if change.new in _FAILED:
                    self._failing.setdefault(change.type, set()).add(self._name_of(change.worker))
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
        offered, rolling = self._files.versions(), self._rolling
        if self._is_changed(offered):
            return
        trouble = rolling.see(self._machine.workers, offered, now)
        self._tried = {name: digest_of(offered[name]) for name in rolling.had if name in offered}
        if trouble is not None and self._is_going_back():
            self._lose(trouble)
            trouble = None
        self._tell(offered, now, room=0 if trouble is not None else self._room(now))
        if trouble is not None:
            self._end(RolloutState.STOPPED, trouble.code, trouble.words)
        elif words := self._harm():
            self._go_back(words, offered)
        elif rolling.is_over and self._is_going_back():
            self._end(RolloutState.STOPPED, "went_back", self._known().detail)
        elif rolling.is_over:
            self._end(RolloutState.DONE)

    def _tell(self, offered: Mapping[str, str], now: float, *, room: int) -> None:
        rolling, order = self._rolling, self._known().order
        pages = self._pages_to_tell()
        wanted = [page for page in pages if not order.leaves_out(page.name, page.labels)]
        told = rolling.step(wanted, offered, now, most=order.at_a_time, room=room)
        for worker in told:
            self._turns.carry_out(self._machine.reload(worker, now, at_once=False))
        if told:
            self._flush()
            self._turns.kick()
        self.view = replace(
            self._known(), reloaded=len(rolling.reloaded), reloading=rolling.reloading, left=rolling.left,
            types=rolling.types, watching=self._watched_from < inf, left_out=len(pages) - len(wanted),
        )  # fmt: skip

    def _is_changed(self, offered: Mapping[str, str]) -> bool:
        """Sees whether files have changed meanwhile. A canary begins anew then; what goes back ends."""
        if self._is_going_back():
            if set(self._known().withheld).isdisjoint(self.withheld()):
                self._end(RolloutState.STOPPED, "changed", "the files have changed meanwhile: begin another one")
            return self.next_at is None
        if any(digest_of(offered.get(name, "")) != digest for name, digest in self._tried.items()):
            self._rolling.begin_again()
            self._begin_watching()
            self.view = replace(self._known(), new=TryTally(), rest=TryTally())
        return False

    # -- a canary

    def _harm(self) -> str:
        view = self._known()
        if not view.order.canary or self._is_going_back():
            return ""
        where = "; ".join(_failing(*one) for one in sorted(self._failing.items())[:MOST_FAILING_TOLD])
        return harm(view.new, view.rest, where)

    def _go_back(self, words: str, offered: Mapping[str, str]) -> None:
        """Withholds the new files, and has the pages that have them load anew. It goes on without whoever began it."""
        wanted = [WithheldTask(name, self._had(name, offered[name]), offered[name]) for name in self._tried]
        withheld = self._files.withhold(wanted, self._failing)
        if not withheld:
            why = f"this server has not kept the files of {', '.join(sorted(self._failing))} that they had before"
            self._end(RolloutState.STOPPED, "failures", f"{words}; it cannot go back, because {why}")
            return
        self._rolling.begin_again()
        self._watched_from = inf
        self._close_opening()
        self.view = replace(
            self._known(), state=RolloutState.GOING_BACK, withheld=withheld, detail=words, reloaded=0,
            left=self._known().reloaded, watching=False,
        )  # fmt: skip
        log.warning("the rollout goes back: %s", words, extra={"action": "rollout"})
        told = msgspec.json.encode({"types": [one.type for one in withheld], "why": words}).decode()
        self._turns.carry_out([Request(AuditNote(SERVER, "rollout.back", "", told))])
        self._turns.kick()

    def _had(self, name: str, failed: str) -> str:
        """The digest of the version that most pages have, or had before they loaded the one that failed."""
        counts = Counter(digest_of(version) for version in self._rolling.had[name])
        for kind in self._machine.kinds.all():
            counts[digest_of(kind.versions.get(name, ""))] += len(kind.workers)
        del counts[""], counts[digest_of(failed)]
        return next((digest for digest, _ in counts.most_common(1)), "")

    def _lose(self, trouble: RolloutTrouble) -> None:
        """A page that has what failed may well be stuck: the others go back without it."""
        self._rolling.lose(trouble.worker)
        self.view = replace(self._known(), lost=sorted({*self._known().lost, trouble.name}))

    def _name_of(self, worker_id: str) -> str:
        worker = self._machine.workers.get(worker_id)
        return worker_id if worker is None else worker.name or worker_id

    def _room(self, now: float) -> int:
        """How many more pages may be told: of a canary as many as its step has, until it has been watched."""
        view, rolling = self._known(), self._rolling
        if not view.order.canary or self._is_going_back() or self._step >= len(CANARY_STEPS):
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


def _has_failed(versions: Mapping[str, str], one: WithheldTask) -> bool:
    return same_version(versions.get(one.type, ""), one.failed)


def _failing(type_name: str, pages: Collection[str]) -> str:
    more = " and more" if len(pages) > MOST_FAILING_TOLD else ""
    return f"{type_name} on {', '.join(sorted(pages)[:MOST_FAILING_TOLD])}{more}"


def _named(withheld: Iterable[WithheldTask]) -> str:
    return msgspec.json.encode({"types": [one.type for one in withheld]}).decode()


def _asked(order: RolloutOrder) -> str:
    told: dict[str, object] = {"at_a_time": order.at_a_time, "canary": order.canary}
    told |= {"without": [f"{label}:{value}" for label, value in order.without]} if order.without else {}
    told |= {"reason": order.reason} if order.reason else {}
    return msgspec.json.encode(told).decode()


def _ended(view: RolloutView) -> str:
    told = {"state": view.state, "reloaded": view.reloaded} | ({"reason": view.detail} if view.detail else {})
    return msgspec.json.encode(told).decode()
