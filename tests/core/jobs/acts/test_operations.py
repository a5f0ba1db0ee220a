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
    treated,
)
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
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


def view_of(action: OperationAction | WorkerAction, **fields: Any) -> OperationView:
    order = OperationOrder(action=action, ids=("a",), actor=Actor("ann"))
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
