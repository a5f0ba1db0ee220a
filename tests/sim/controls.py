"""Bugs planted on purpose: the simulator must find each, or its silence means nothing."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace as replace_setting
from typing import Any
from unittest import mock

from msgspec.structs import replace

from dispatcher.core.fleet import matcher
from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.rows import lane_of_row
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import Accepted, Decide, Ended, Turn, TurnReport
from dispatcher.core.workers import retry
from dispatcher.core.workers.attendance import Attendance
from dispatcher.core.workers.effects import Go
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.machine import Machine
from dispatcher.core.workers.operators import Operators
from dispatcher.core.workers.reconciler import Reconciler
from dispatcher.core.workers.registry import Registry
from dispatcher.node.acts.orders import WorkerOrders
from dispatcher.pages.pages import Pages
from dispatcher.pages.registrar import Registrar
from dispatcher.store.applier import commands
from dispatcher.store.applier.admission import Admission
from dispatcher.store.memory import MemoryRows
from dispatcher.store.requests import Purge, Purged
from dispatcher.transport.pings import Pings
from tests.sim.browser import SimPage
from tests.sim.disk import SimStore
from tests.sim.knobs import Knobs
from tests.sim.planting import instead as _instead
from tests.sim.socket_controls import SOCKET_CONTROLS
from tests.sim.world import run

__all__ = ["CONTROLS", "SEEDS", "hunted"]

#: Each must be found within this many seeds.
SEEDS = 12


@contextmanager
def no_fence() -> Iterator[None]:
    """The store takes any attempt's report for one of the current attempt."""
    real = ledger._end

    def end(report: Any, attempt: Any, job: Any, current: bool, *rest: Any) -> Any:
        return real(report, attempt, job, True, *rest)

    with mock.patch.object(ledger, "_end", end):
        yield


@contextmanager
def ack_before_commit() -> Iterator[None]:
    """The report of a turn is acted on before the turn is durable; a crash takes the turn back."""
    real = SimStore._commit

    def commit(store: SimStore, turn: Turn, begun: float, done: Any, report_at: float) -> None:
        world, node = store._node.world, store._node
        saved = _saved(store)
        report: TurnReport = store.write(turn)
        purged, changed = list(store.disk.purged), dict(store.disk.changed)
        world.events.later(0.0, lambda: node.run("io", lambda: done.set_result(report)))

        def durable() -> None:
            if node.alive:
                store.disk.purged, store.disk.changed = purged, changed
                world.checks.committed(node, turn, report, begun)
            else:
                store.disk.__dict__.update(saved)

        world.events.at(report_at, durable)

    assert real is not commit
    with mock.patch.object(SimStore, "_commit", commit):
        yield


def _saved(store: SimStore) -> dict[str, Any]:
    return copy.deepcopy(store.disk.__dict__)


@contextmanager
def sent_is_delivered() -> Iterator[None]:
    """An offer that was sent is believed to have arrived: it never lapses."""
    real = Machine.written

    def written(self: Machine, attempts: Any, now: float) -> Any:
        effects = real(self, attempts, now)
        for name in attempts:
            self._deadlines.set(("lease", name), now + 1e9)
        return effects

    with mock.patch.object(Machine, "written", written):
        yield


@contextmanager
def identity_ignored() -> Iterator[None]:
    """Each register makes a new worker, whatever the page proves."""
    with (
        mock.patch.object(Registrar, "_proves", return_value=False),
        mock.patch.object(Registry, "_admitted", return_value=None),
    ):
        yield


@contextmanager
def stash_before_verdict() -> Iterator[None]:
    """A page forgets a result as soon as the POST that carried it was answered."""
    real = SimPage.posted

    def posted(self: SimPage, batch: Any, now: float) -> None:
        real(self, batch, now)
        for out in batch.outs:
            if out.reports is not None:
                self.stash.pop(out.reports)

    with mock.patch.object(SimPage, "posted", posted):
        yield


def _told_at_once(real: Any, self: Machine, session: str, attempt: str, now: float, **how: Any) -> Any:
    """Go is told with the accept, before that is durable."""
    effects = real(self, session, attempt, now, **how)
    held = self.attempts.get(attempt)
    return [*effects, Go(session, attempt)] if held is not None and held.claim.terms.once else effects


def _forgets_go(real: Any, self: Machine, live: Any, now: float) -> Any:
    effects = real(self, live, now)
    for attempt in self.attempts.values():
        attempt.went = False
    return effects


def _runs_again(real: Any, attempt: Any, cause: Any, detail: str) -> Ended:
    return Ended(attempt.id, cause, Event.REQUEUE, attempt.holder(), detail=detail)


def _impatient(real: Any, self: Leases, attempt: Any) -> None:
    real(self, attempt)
    if attempt.claim.terms.heartbeat_s is not None:
        self._deadlines.start(("beat", attempt.id), attempt.claim.terms.heartbeat_s / 2)


def _decides_any(real: Any, command: Any, job: Any) -> bool:
    waits = job.state in (JobState.QUEUED, JobState.SCHEDULED)
    return real(command, job) or (isinstance(command, Decide) and command.value is not None and waits)


def _late_is_stale(real: Any, report: Any, attempt: Any, job: Any, current: bool, *rest: Any) -> Any:
    return real(report, attempt, job, current and job.state is JobState.RUNNING, *rest)


def _acknowledges_without_room(real: Any, self: SimStore, turn: Turn) -> TurnReport:
    report: TurnReport = real(self, turn)
    return replace(report, accepted=[_MADE_UP if a.error == "storage_full" else a for a in report.accepted])


_MADE_UP = Accepted(JobView(**{name: None for name in JobView.__struct_fields__} | {"id": "made up"}))  # type: ignore[arg-type]


@contextmanager
def offers_into_taken_slots() -> Iterator[None]:
    """An old bug: attempts that only the page knows take no slot, and declines count for nothing."""
    with (
        mock.patch.object(Reconciler, "_take_for_over", return_value=[]),
        mock.patch.object(Attendance, "heeds_no_offer"),
    ):
        yield


def _first_labels_stay(real: Any, self: Operators, worker: Any, registration: Any) -> None:
    labels = worker.labels
    real(self, worker, registration)
    if worker.registered:
        worker.labels = labels


def _first_come(real: Any, self: SimStore, turn: Turn) -> TurnReport:
    """While nobody takes the first job of the queue, nobody gets any other."""
    first = min(self.disk.waiting.values(), key=lambda row: (row.rank or 0.0, row.seq), default=None)
    asked = {lane for demand in turn.demand for lane in demand.lanes}
    held_up = first is not None and lane_of_row(first) not in asked
    report: TurnReport = real(self, replace(turn, demand=[]) if held_up else turn)
    return report


def _takes_at_once(real: Any, self: Pings[Any], now: float) -> Any:
    """What is overdue is given up in the same step."""
    gone = [*real(self, now), *self._last_call]
    self._last_call.clear()
    return gone


@contextmanager
def pongs_come_too_late() -> Iterator[None]:
    """A pong that came during a standstill is not read before its page is given up."""
    with mock.patch.object(Pings, "forgive"), _instead(Pings, "overdue", _takes_at_once)():
        yield


def _labels(knobs: Knobs) -> None:
    knobs.labelled, knobs.relabel, knobs.reload_every_s, knobs.pages = 0.9, 0.9, 10.0, 4


def _standstills(knobs: Knobs) -> None:
    knobs.stall_every_s, knobs.timer_first, knobs.heartbeat, knobs.progress_s = 10.0, 1.0, 0.9, 1.0


def _standstills_at_pings(knobs: Knobs) -> None:
    """And nothing else happens to the pages."""
    knobs.calm()
    knobs.stall_at_ping_every_s, knobs.timer_first, knobs.horizon_s = 5.0, 1.0, 150.0


def _crashes(knobs: Knobs) -> None:
    knobs.kill_every_s = 10.0


def _crashes_in_turns(knobs: Knobs) -> None:
    """A POST is answered, and the turn that holds its result never becomes durable."""
    knobs.kill_every_s, knobs.kill_before_commit, knobs.slow_disk = 10.0, 0.05, 0.3


def _losses(knobs: Knobs) -> None:
    knobs.lose_answer = 0.1


def _cancels(knobs: Knobs) -> None:
    knobs.cancel, knobs.never_answer, knobs.ignore_cancels = 0.3, 0.0, 0.9


def _cuts(knobs: Knobs) -> None:
    knobs.cut_poll_every_s = 5.0


def _late_posts(knobs: Knobs) -> None:
    knobs.late_post, knobs.cut_poll_every_s = 0.3, 5.0


def _slow_bodies(knobs: Knobs) -> None:
    """A POST whose poll breaks meanwhile is overtaken by the next session."""
    knobs.slow_body, knobs.cut_poll_every_s, knobs.unseen_by_server = 0.5, 1.0, 0.9
    knobs.horizon_s = 150.0


def _effects(knobs: Knobs) -> None:
    """Effects that must happen once, with servers and pages that die."""
    knobs.once, knobs.kill_every_s, knobs.reload_every_s, knobs.slow_disk = 0.9, 10.0, 10.0, 0.5


def _hanging(knobs: Knobs) -> None:
    """The same, with tasks that hang."""
    _effects(knobs)
    knobs.never_answer = 0.3


def _doubts(knobs: Knobs) -> None:
    """So many jobs in doubt that people decide on the same one."""
    _hanging(knobs)
    knobs.jobs_every_s, knobs.pages, knobs.horizon_s = 0.3, 2, 150.0


def _hearts(knobs: Knobs) -> None:
    knobs.heartbeat, knobs.progress_s, knobs.kill_every_s = 0.9, 1.0, 10.0


def _late_answers(knobs: Knobs) -> None:
    knobs.heartbeat, knobs.progress_s, knobs.ignore_cancels, knobs.adopt, knobs.retry = 0.9, 0.0, 0.9, 1.0, 0.0
    knobs.run_s = 2.0


def _full_disks(knobs: Knobs) -> None:
    knobs.full_disk_every_s = 5.0


def _years(knobs: Knobs) -> None:
    knobs.off_every_s, knobs.settings = 15.0, replace_setting(knobs.settings, retention_s=7 * 86_400.0)


def _by_the_wall_clock(real: Any, rows: MemoryRows, request: Purge) -> Any:
    newest = max((row.ended_at for row in rows.by_seq.values() if row.ended_at is not None), default=0.0)
    week_ago = newest - 7 * 86_400.0
    gone = [row for row in rows.by_seq.values() if row.ended_at is not None and row.ended_at < week_ago]
    rows._outlived = gone[: request.limit]
    return Purged(rows._outlived)


def _batches(knobs: Knobs) -> None:
    """A short queue has room for a part of a batch."""
    knobs.batched, knobs.jobs_every_s = 0.5, 0.3
    knobs.settings = replace_setting(knobs.settings, queue_depth=10)


def _what_fits(real: Any, self: Admission, specs: Any) -> Any:
    return [accepted for spec in specs for accepted in real(self, [spec])]


def _hanging_over_restarts(knobs: Knobs) -> None:
    knobs.never_answer, knobs.ignore_cancels, knobs.kill_every_s, knobs.horizon_s = 0.2, 0.9, 15.0, 150.0


#: Name -> (the bug, what must go wrong for it to show).
async def _ends_in_memory(real: Any, self: WorkerOrders, worker: str, since_ms: int, **_: Any) -> None:
    kept = self._machine.operators.without_hold(worker, since_ms)
    if kept is not None:
        self._turns.carry_out(self._machine.keep(kept, self._clock.monotonic()))


def _holds(knobs: Knobs) -> None:
    knobs.hold_every_s = 5.0


CONTROLS: dict[str, tuple[Callable[[], AbstractContextManager[Any]], Callable[[Knobs], None]]] = {
    "no fence": (no_fence, _cancels),
    "acknowledged before it is durable": (ack_before_commit, _crashes),
    "sent is delivered": (sent_is_delivered, _losses),
    "identity ignored": (identity_ignored, _cuts),
    "stash deleted before the verdict": (stash_before_verdict, _crashes_in_turns),
    "a register that comes once more ends what it does not name": (
        _instead(Reconciler, "reconcile", lambda real, self, worker, said, _: real(self, worker, said, False)),
        _late_posts,
    ),
    "a register of a session that was left is believed": (
        _instead(Pages, "opened", lambda real, self, sid, remote, agent, now: real(self, sid, remote, agent, 0.0)),
        _slow_bodies,
    ),
    "offers into slots that are taken": (offers_into_taken_slots, _hanging_over_restarts),
    "go is told before the accept is durable": (_instead(Machine, "accept", _told_at_once), _effects),
    "a restart forgets that a page was told to go": (_instead(Machine, "restore", _forgets_go), _effects),
    "what was lost after go runs again": (_instead(retry, "in_doubt", _runs_again), _hanging),
    "a decision is taken for a job that waits": (_instead(commands, "_allowed", _decides_any), _doubts),
    "what nobody has decided is taken back": (
        _instead(ledger, "is_reopenable", lambda real, job, attempt, now_at: attempt.cause is not None),
        _doubts,
    ),
    "a pause that a page has ended is kept": (_instead(WorkerOrders, "end_hold", _ends_in_memory), _holds),
    "silence is cut short": (_instead(Leases, "beat", _impatient), _hearts),
    "nobody listens for a heartbeat": (_instead(Leases, "beat", lambda real, self, attempt: None), _hearts),
    "a late result is not taken": (_instead(ledger, "_end", _late_is_stale), _late_answers),
    "an adopted answer is made up": (
        _instead(commands, "evidence", lambda real, attempts: real(attempts) and '"made up"'),
        _late_answers,
    ),
    "retention follows the wall clock": (_instead(MemoryRows, "purge", _by_the_wall_clock), _years),
    "of a batch what fits is taken": (_instead(Admission, "take", _what_fits), _batches),
    "labels are not looked at": (_instead(matcher, "_has_all", lambda real, requirement, labels: True), _labels),
    "a page keeps the labels that it had before": (_instead(Operators, "describe", _first_labels_stay), _labels),
    "a job for a page that is not there holds up the others": (_instead(SimStore, "write", _first_come), _labels),
    "a standstill is not forgiven": (_instead(Machine, "forgive", lambda real, self, late_s, now: []), _standstills),
    "a standstill makes pages quiet": (pongs_come_too_late, _standstills_at_pings),
    "a full disk is not noticed": (_instead(SimStore, "write", _acknowledges_without_room), _full_disks),
    **SOCKET_CONTROLS,
}


def hunted(name: str) -> tuple[int, str | None]:
    """Plants a bug. Returns how many seeds searched for it, and what the last of them found."""
    plant, provoke = CONTROLS[name]
    with plant():
        for seed in range(1, SEEDS + 1):
            knobs = Knobs.draw(random.Random(f"knobs of {seed}"))
            knobs.lie_every_s, knobs.horizon_s, knobs.jobs_every_s = 0.0, 60.0, 1.0
            knobs.parting = False
            provoke(knobs)
            violation = run(seed, knobs=knobs).violation
            if violation is not None:
                return seed, violation
    return SEEDS, None
