"""The contract of a store: where many jobs stand is read at once."""

from __future__ import annotations

from functools import partial
from typing import Any

from dispatcher.core.jobs.model import JobStanding
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel
from tests.store.conftest import OpenDesk
from tests.store.contract import SQLITE, Desk
from tests.support.jobs import spec


def test_each_job_stands_where_it_is_and_one_that_is_not_there_is_left_out(desk: Desk) -> None:
    queued, cancelled, _ = desk.submit(spec(), spec("label"), spec())
    desk.command(Cancel(cancelled.id, "no"))
    assert desk.run(desk.store.standing([cancelled.id, "nope\0", queued.id, queued.id])) == {
        queued.id: JobStanding("echo", JobState.QUEUED),
        cancelled.id: JobStanding("label", JobState.CANCELLED),
    }
    assert desk.run(desk.store.standing([])) == {}


def test_a_file_looks_only_at_the_jobs_that_are_asked_for(open_desk: OpenDesk) -> None:
    durable = open_desk(SQLITE)
    store: Any = durable.store
    first = [job.id for job in durable.submit(*[spec()] * 10)]
    costs = []
    for _ in range(2):
        steps: list[int] = []
        durable.run(store._thread.run(partial(store._db.set_progress_handler, partial(steps.append, 1), 10)))
        durable.run(store.standing(first))
        durable.run(store._thread.run(partial(store._db.set_progress_handler, None, 10)))
        costs.append(len(steps))
        durable.submit(*[spec()] * 1_000)
    assert abs(costs[1] - costs[0]) <= 2
