"""One order for many jobs, or for many workers: what was asked, how far it is, and the command that each job gets.

Pure. It reads nothing and begins no turn: the node walks them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.keys import KEY_S
from dispatcher.core.jobs.model import JobFilter, JobSpec, JobView, WorkerFilter
from dispatcher.core.jobs.states import FINAL, Event, next_state
from dispatcher.core.jobs.turn import Amend, Cancel, CommandReport, Delete, JobCommand, Objection, Retry

__all__ = [
    "MOST_TOLD",
    "Found",
    "OperationAction",
    "OperationOrder",
    "OperationState",
    "OperationView",
    "Treated",
    "WorkerAction",
    "command_for",
    "found",
    "treated",
]

#: Of so many jobs it is told which ones they are: one order may name as many.
MOST_TOLD = 1_000


class OperationAction(StrEnum):
    """What is done to each job."""

    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"
    SET_PRIORITY = "set_priority"


class WorkerAction(StrEnum):
    """What is done to each worker."""

    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    RELOAD = "reload"
    BLOCK = "block"
    UNBLOCK = "unblock"
    FORGET = "forget"
    LABELS = "labels"
    TEST = "test"


class OperationState(StrEnum):
    """How far it is. What has ended is done or stopped."""

    COUNTING = "counting"
    RUNNING = "running"
    DONE = "done"
    #: Somebody stopped it, or it could not go on. What it has done stays done.
    STOPPED = "stopped"


class OperationOrder(Struct, frozen=True, kw_only=True):
    """What is to be done, and to which jobs or workers: to those of the filter, or to those with these ids."""

    action: OperationAction | WorkerAction
    wanted: JobFilter | WorkerFilter | None = None
    ids: tuple[str, ...] = ()
    #: For SET_PRIORITY.
    priority: int = 0
    #: For DELETE: idempotency keys may go although they are younger than a day.
    free_key: bool = False
    reason: str = ""
    #: It does nothing unless so many jobs match; None: however many do.
    expect: int | None = None
    #: It only counts.
    dry_run: bool = False
    #: For LABELS: each is set, and the others stay; None takes back what an operator has said.
    labels: tuple[tuple[str, str | None], ...] = ()
    #: For TEST: a worker gets the first of these jobs that it can run.
    examples: tuple[JobSpec, ...] = ()
    #: It takes a cancel back, and so many of its jobs had begun to run; None: it takes none back.
    had_begun: int | None = None
    actor: Actor
    #: What was asked, as JSON text: the filter.
    asked: str = "null"
    #: The types of its jobs; None: they may be of any.
    types: tuple[str, ...] | None = None

    @property
    def noun(self) -> str:
        """``job`` or ``worker``."""
        return "worker" if isinstance(self.action, WorkerAction) else "job"


class Treated(NamedTuple):
    """What has become of some that an order is for."""

    #: By their ids: why each was let be; None: it was done.
    let_be: Mapping[str, str | None]
    #: How many of the jobs that it has done something to had begun to run.
    begun: int = 0


class Found(NamedTuple):
    """Some that an order finds, as they are counted."""

    matched: int
    #: To how many of them, and of those that are not there, nothing can be done, by a code.
    let_be: Mapping[str, int] = {}


class OperationView(Struct, frozen=True, kw_only=True):
    """One order, and what has become of it so far."""

    id: str
    order: OperationOrder
    state: OperationState = OperationState.COUNTING
    #: Jobs that matched when they were counted.
    matched: int = 0
    done: int = 0
    #: Ids of the jobs that it has done something to; empty where they are more than MOST_TOLD.
    did: tuple[str, ...] = ()
    #: Those that have begun to run at least once, before it or since.
    begun: int = 0
    #: Jobs that could not be helped, by a code; of a dry run those that could not be.
    skipped: dict[str, int] = {}
    #: UTC seconds.
    started_at: float
    ended_at: float | None = None
    #: Why it was stopped: a code, and words. None: it was not.
    stopped: str | None = None
    detail: str | None = None

    @property
    def would_do(self) -> int | None:
        """To how many jobs a dry run could do something; None: it is none, or is for workers, at which nobody looks."""
        if not self.order.dry_run or self.order.noun == "worker":
            return None
        return self.matched - sum(count for code, count in self.skipped.items() if code != _NOT_FOUND)

    def with_found(self, some: Found) -> OperationView:
        """It after these were counted."""
        skipped = dict(self.skipped)
        if self.order.dry_run:
            for code, count in some.let_be.items():
                skipped[code] = skipped.get(code, 0) + count
        return replace(self, matched=self.matched + some.matched, skipped=skipped)

    def with_done(self, some: Treated) -> OperationView:
        """It after these."""
        skipped = dict(self.skipped)
        for code in filter(None, some.let_be.values()):
            skipped[code] = skipped.get(code, 0) + 1
        new = [one for one, code in some.let_be.items() if code is None]
        done = self.done + len(new)
        did = (*self.did, *new) if done <= MOST_TOLD else ()
        return replace(self, done=done, did=did, begun=self.begun + some.begun, skipped=skipped)

    def undo(self) -> OperationAction | WorkerAction | None:
        """What takes it back, as far as that can be: jobs that were run again are cancelled, and the other way round.

        None: nothing does, or nobody knows any more which ones they are.
        """
        return _UNDO.get(self.order.action) if self.did and self.ended_at is not None else None


_NOT_FOUND, _WRONG_STATE = "not_found", "wrong_state"
#: What the table of transitions calls it; what has ended is removed.
_EVENTS: Mapping[OperationAction | WorkerAction, Event] = {
    OperationAction.CANCEL: Event.CANCEL,
    OperationAction.RETRY: Event.RETRY,
    OperationAction.SET_PRIORITY: Event.AMEND,
}
#: What was removed is gone; what priority a job had before is not kept, nor which labels a worker had; and test jobs
#: are jobs like any other.
_UNDO: Mapping[str, OperationAction | WorkerAction] = {
    OperationAction.RETRY: OperationAction.CANCEL,
    OperationAction.CANCEL: OperationAction.RETRY,
    WorkerAction.PAUSE: WorkerAction.RESUME,
    WorkerAction.DRAIN: WorkerAction.RESUME,
    WorkerAction.BLOCK: WorkerAction.UNBLOCK,
}


def command_for(order: OperationOrder, operation_id: str, job_id: str) -> JobCommand:
    """What the order means for one job. A job that has left the states of the filter meanwhile is let be."""
    actor = replace(order.actor, operation=operation_id)
    states = order.wanted.states if isinstance(order.wanted, JobFilter) else ()
    if order.action is OperationAction.CANCEL:
        return Cancel(job_id, order.reason, actor, states)
    if order.action is OperationAction.RETRY:
        return Retry(job_id, actor, states)
    if order.action is OperationAction.DELETE:
        return Delete(job_id, order.free_key, actor, if_states=states)
    return Amend(job=job_id, priority=order.priority, actor=actor, if_states=states)


def found(order: OperationOrder, jobs: Sequence[JobView], asked: int, now_at: float) -> Found:
    """Jobs that the order finds. ``asked``: so many were named, if they were named."""
    codes = [code for job in jobs if (code := _let_be(order, job, now_at)) is not None]
    codes += [_NOT_FOUND] * max(0, asked - len(jobs))
    return Found(len(jobs), {code: codes.count(code) for code in dict.fromkeys(codes)})


def _let_be(order: OperationOrder, job: JobView, now_at: float) -> str | None:
    """Why nothing can be done to the job as it is; None: it can. The turn decides by its own clock."""
    if order.action is OperationAction.DELETE:
        if job.state not in FINAL or job.ended_at is None:
            return _WRONG_STATE
        is_kept = job.key is not None and not order.free_key and job.ended_at + KEY_S > now_at
        return Objection.KEY_KEPT.value if is_kept else None
    return None if next_state(job.state, _EVENTS[order.action]) is not None else _WRONG_STATE


def treated(reports: Mapping[str, CommandReport]) -> Treated:
    """What has become of jobs, by their ids."""
    begun = sum(report.done and report.job is not None and report.job.number > 0 for report in reports.values())
    return Treated({job_id: _skip_code(report) for job_id, report in reports.items()}, begun)


def _skip_code(report: CommandReport) -> str | None:
    if report.done:
        return None
    if report.job is None:
        return _NOT_FOUND
    return _WRONG_STATE if report.fault is None else report.fault.value
