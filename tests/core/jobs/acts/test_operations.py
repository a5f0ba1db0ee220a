"""What an order for many jobs means for one of them."""

from __future__ import annotations

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder, command_for, skip_code
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
    assert [skip_code(report) for report in reports] == [None, "not_found", "wrong_state", "key_kept"]
