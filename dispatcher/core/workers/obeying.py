"""What people want of workers: those who sit before the page, and operators. The ``Machine`` is made of this.

The two are kept apart: no operator ends the pause of the person at the page. That person may end an operator's
(``Operators.without_hold``), which the store must have first.
"""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.worker import Standing, Worker
from dispatcher.core.jobs.acts.kept import EVERY_TYPE, Hold, KeptType, KeptWorker
from dispatcher.core.jobs.matching import lane_parts, matches
from dispatcher.core.workers.attendance import Attendance
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.effects import Effect
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.operators import Operators
from dispatcher.core.workers.registry import Registry

__all__ = ["MOST_HELD_LOOKED_AT", "Obeying"]

#: Most held workers that are looked at for why a job waits.
MOST_HELD_LOOKED_AT = 1_000


class Obeying:
    """Pauses, and what operators say."""

    operators: Operators
    _attendance: Attendance
    _deadlines: Deadlines[Due]
    _fleet: Fleet
    _leases: Leases
    _registry: Registry

    def pause(self, session: str, paused: bool, now: float) -> list[Effect]:
        """The page wants no offers, or wants them again."""
        self._deadlines.pass_to(now)
        worker = self._registry.worker_of(session)
        if worker is not None:
            self._attendance.paused(worker, paused)
        return []

    # -- what it did today

    @property
    def day(self) -> int:
        """Today: days by the clocks on the walls here are numbered."""
        return self._attendance.day

    def begin_day(self, day: int) -> None:
        """It is this day."""
        self._attendance.day = day

    def today(self, worker: Worker) -> tuple[int, int]:
        """A worker's tries of today: done, and failed."""
        return self._attendance.today(worker)

    def recall(self, worker: Worker, day: int, done: int, failed: int) -> None:
        """It is known that it had these tries on this day, before it came."""
        self._attendance.recalled(worker, day, done, failed)

    # -- what operators say

    def keep(self, one: KeptWorker, now: float) -> list[Effect]:
        """An operator has said something of a worker, durably: it counts from here on, and its page is told."""
        self._deadlines.pass_to(now)
        return self._registry.keep(one)

    def keep_type(self, one: KeptType, now: float) -> list[Effect]:
        """An operator has paused a type, or all of them, or resumed it, durably: it counts from here on.

        What runs goes on; an offer that no poll has carried away goes back.
        """
        self._deadlines.pass_to(now)
        self._know(one)
        return [] if one.paused is None else self._leases.take_back_type(one.type)

    def know_types(self, kept: Iterable[KeptType]) -> None:
        """Takes what the store has, before it tells which jobs are ready."""
        for one in kept:
            self._know(one)

    def _know(self, one: KeptType) -> None:
        self.operators.keep_type(one)
        lanes = self._fleet.pools.lanes
        if one.type == EVERY_TYPE:
            return  # ``withholds`` says so: no lane is touched
        if one.paused is not None:
            lanes.hold(one.type)
        else:
            self._fleet.pools.reported(lanes.held.end(one.type), claimed=True)  # nobody has asked for these

    def type_hold(self, type_name: str) -> Hold | None:
        """Why an operator has paused a type, or all of them; None: its jobs are offered."""
        kept = self.operators.types.get(EVERY_TYPE) or self.operators.types.get(type_name)
        return None if kept is None else kept.paused

    def held_types(self, most: int) -> dict[str, Hold]:
        """The first paused types, by name, that ready jobs wait for, and EVERY_TYPE while that is paused."""
        lanes, kept = self._fleet.pools.lanes, self.operators.types
        found = [name for name in sorted(kept) if name == EVERY_TYPE or lanes.held.waits(name)]
        return {name: hold for name in found[:most] if (hold := kept[name].paused) is not None}

    def reload(self, worker: Worker, now: float, *, at_once: bool) -> list[Effect]:
        """Its page is to load anew: at once, or when it is idle, and then it gets no offers until it has."""
        self._deadlines.pass_to(now)
        return self._registry.reload(worker, at_once=at_once)

    def held(self, lane: str, most: int = MOST_HELD_LOOKED_AT) -> Hold | None:
        """Why an operator keeps a worker that matches a lane from jobs; None: none is found that matches."""
        type_name, requirement = lane_parts(lane)
        for looked_at, worker_id in enumerate(self.operators.kept):
            worker = self._fleet.workers.get(worker_id)
            if looked_at == most:
                break
            if worker is None or worker.held is None or worker.standing() is not Standing.PAUSED:
                continue
            if type_name in worker.types and matches(requirement, dict(worker.labels), worker.name):
                return worker.held
        return None
