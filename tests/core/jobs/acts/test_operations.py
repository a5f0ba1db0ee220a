"""What an order for many jobs means for one of them."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.acts.operations import (
    MOST_TOLD,
    OperationAction,
    OperationOrder,
    OperationView,
    Treated,
    WorkerAction,
    command_for,
    found,
    treated,
)
from dispatcher.core.jobs.keys import KEY_S
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.turn import Amend, Cancel, CommandReport, Delete, JobCommand, Objection, Retry
from tests.support.jobs import job_view

ACTOR = Actor("ann", "abcd1234", "10.0.0.1")
OURS = Actor("ann", "abcd1234", "10.0.0.1", "op")


@pytest.mark.parametrize(
    ("action", "command"),
    [
        (OperationAction.CANCEL, Cancel("j", "why", OURS, (JobState.QUEUED,))),
        (OperationAction.RETRY, Retry("j", OURS, (JobState.QUEUED,))),
        (OperationAction.DELETE, Delete("j", True, OURS, if_states=(JobState.QUEUED,))),
        (OperationAction.SET_PRIORITY, Amend(job="j", priority=7, actor=OURS, if_states=(JobState.QUEUED,))),
    ],
)
def test_each_job_gets_the_command_that_the_order_means(action: OperationAction, command: JobCommand):
    wanted = JobFilter(states=(JobState.QUEUED,))
    order = OperationOrder(action=action, wanted=wanted, priority=7, free_key=True, reason="why", actor=ACTOR)
    assert command_for(order, "op", "j") == command


def test_ids_name_jobs_whatever_their_state():
    order = OperationOrder(action=OperationAction.CANCEL, ids=("j",), actor=ACTOR)
    assert command_for(order, "op", "j") == Cancel("j", "", OURS)


def test_a_job_that_could_not_be_helped_has_a_code():
    there = job_view()
    reports = [
        CommandReport(True, there),
        CommandReport(False),
        CommandReport(False, there),
        CommandReport(False, there, fault=Objection.KEY_KEPT),
    ]
    found = treated({str(number): report for number, report in enumerate(reports)})
    assert list(found.let_be.values()) == [None, "not_found", "wrong_state", "key_kept"]


def reports(*jobs: str, fault: bool = False) -> Treated:
    return treated({job: CommandReport(not fault) for job in jobs})


def view_of(
    action: OperationAction | WorkerAction, *, dry_run: bool = False, free_key: bool = False, **fields: Any
) -> OperationView:
    order = OperationOrder(action=action, ids=("a",), actor=Actor("ann"), dry_run=dry_run, free_key=free_key)
    return OperationView(id="o", order=order, started_at=1.0, **fields)


def test_what_is_done_is_counted_with_its_ids_and_what_is_not_by_a_code() -> None:
    view = view_of(OperationAction.RETRY).with_done(reports("a", "b")).with_done(reports("c", fault=True))
    assert (view.done, view.did, view.skipped) == (2, ("a", "b"), {"not_found": 1})


def test_jobs_that_had_begun_to_run_are_counted() -> None:
    begun, waited = CommandReport(True, job_view(number=1)), CommandReport(True, job_view())
    let_be = CommandReport(False, job_view(number=2))
    view = view_of(OperationAction.CANCEL).with_done(treated({"a": begun, "b": waited, "c": let_be}))
    view = view.with_done(treated({"d": begun}))
    assert (view.done, view.begun) == (3, 2)


def test_of_more_jobs_than_one_order_names_no_ids_are_told() -> None:
    many = [f"j{number}" for number in range(MOST_TOLD)]
    view = view_of(OperationAction.RETRY).with_done(reports(*many))
    assert len(view.did) == MOST_TOLD
    view = view.with_done(reports("one more"))
    assert (view.done, view.did) == (MOST_TOLD + 1, ())
    assert view.with_done(reports("and another")).did == ()


@pytest.mark.parametrize(
    ("action", "undo"),
    [
        (OperationAction.RETRY, OperationAction.CANCEL), (OperationAction.CANCEL, OperationAction.RETRY),
        (OperationAction.DELETE, None), (OperationAction.SET_PRIORITY, None),
        (WorkerAction.PAUSE, WorkerAction.RESUME), (WorkerAction.DRAIN, WorkerAction.RESUME),
        (WorkerAction.BLOCK, WorkerAction.UNBLOCK), (WorkerAction.RESUME, None), (WorkerAction.FORGET, None),
    ],
)  # fmt: skip
def test_an_order_that_is_over_can_be_taken_back_if_its_kind_can(
    action: OperationAction | WorkerAction, undo: OperationAction | WorkerAction | None
) -> None:
    assert view_of(action, did=("a",), ended_at=2.0).undo() is undo
    assert view_of(action, did=("a",)).undo() is None
    assert view_of(action, ended_at=2.0).undo() is None


def test_an_order_is_for_jobs_or_for_workers_by_its_action() -> None:
    assert [view_of(action).order.noun for action in (OperationAction.RETRY, WorkerAction.RELOAD)] == ["job", "worker"]


@pytest.mark.parametrize(
    ("action", "states"),
    [
        (OperationAction.CANCEL, {JobState.SCHEDULED, JobState.QUEUED, JobState.RUNNING}),
        (OperationAction.RETRY, {JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED, JobState.IN_DOUBT}),
        (OperationAction.SET_PRIORITY, {JobState.SCHEDULED, JobState.QUEUED}),
        (OperationAction.DELETE, FINAL),
    ],
)
def test_a_dry_run_counts_the_jobs_whose_state_does_not_allow_it(
    action: OperationAction, states: set[JobState]
) -> None:
    jobs = [job_view(state=state, ended_at=1.0 if state in FINAL else None) for state in JobState]
    view = view_of(action, dry_run=True)
    seen = view.with_found(found(view.order, jobs, 0, 2.0))
    assert (seen.matched, seen.would_do) == (len(JobState), len(states))
    assert seen.skipped == {"wrong_state": len(JobState) - len(states)}


@pytest.mark.parametrize(("age_s", "free_key", "would_do"), [(KEY_S - 1, False, 0), (KEY_S, False, 1), (1.0, True, 1)])
def test_a_dry_run_counts_the_jobs_whose_keys_are_kept(age_s: float, free_key: bool, would_do: int) -> None:
    job = job_view(state=JobState.FAILED, key="k", ended_at=1.0)
    view = view_of(OperationAction.DELETE, dry_run=True, free_key=free_key)
    seen = view.with_found(found(view.order, [job], 1, 1.0 + age_s))
    assert (seen.would_do, seen.skipped) == (would_do, {} if would_do else {"key_kept": 1})


def test_what_is_not_there_matches_nothing_and_only_a_dry_run_tells_what_it_found() -> None:
    view = view_of(OperationAction.CANCEL, dry_run=True)
    some = found(view.order, [job_view()], 3, 2.0)
    seen = view.with_found(some).with_found(some)
    assert (seen.matched, seen.would_do, seen.skipped) == (2, 2, {"not_found": 4})
    real = view_of(OperationAction.CANCEL).with_found(some)
    assert (real.matched, real.would_do, real.skipped) == (1, None, {})
    assert view_of(WorkerAction.PAUSE, dry_run=True).would_do is None
