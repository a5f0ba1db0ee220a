"""A turn and a page of a list read the same number of rows beside 200 jobs and beside 5,000."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.turn import Demand
from dispatcher.core.jobs.views.outlook import MOST_BEFORE
from dispatcher.store.postgres.store import PostgresStore
from tests.store.conftest import OpenDesk
from tests.store.contract import POSTGRES, Desk, result
from tests.support.jobs import spec

_TOUCHED = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_user_tables"


def _touched(desk: Desk, call: Callable[[], Any]) -> int:
    """How many rows the database has read for this."""
    store = desk.store
    assert isinstance(store, PostgresStore)

    def read() -> int:
        db = store._link._db
        db.execute("SELECT pg_stat_force_next_flush()")
        db.execute("SELECT pg_stat_clear_snapshot()")
        return int(db.execute(_TOUCHED).fetchone()[0])  # type: ignore[index]

    before = desk.run(store._thread.run(read))
    call()
    return int(desk.run(store._thread.run(read))) - before


def _analyse(desk: Desk) -> None:
    store = desk.store
    assert isinstance(store, PostgresStore)
    desk.run(store._thread.run(lambda: store._link._db.execute("ANALYZE")))


def _life(desk: Desk) -> None:
    desk.turn(submissions=[spec(key=f"k{desk.elapsed_s}", tags=("a",))])
    (claim,) = desk.turn(demand=[Demand(1, ("echo", "label"), 1)]).claims
    desk.report(result(claim.attempt))
    desk.run(desk.store.jobs(JobFilter(limit=5)))
    desk.run(desk.store.counts())
    desk.job(claim.job)


def test_the_life_of_a_job_reads_as_many_rows_beside_5_000_jobs_as_beside_200(open_desk: OpenDesk) -> None:
    desk = open_desk(POSTGRES)
    read = []
    for jobs in (200, 4_800):
        for _ in range(0, jobs, 200):
            desk.turn(submissions=[spec("label"), *[spec()] * 199])
        _analyse(desk)
        _life(desk)
        read.append(_touched(desk, lambda: _life(desk)))
    print(read)
    assert read[0] > 0
    assert read[1] <= read[0] * 1.2


def test_a_place_reads_as_many_rows_beside_10_000_ready_jobs_as_beside_2_000(open_desk: OpenDesk) -> None:
    desk = open_desk(POSTGRES)
    read = []
    for jobs in (2_000, 8_000):
        for _ in range(0, jobs, 500):
            last = desk.submit(*[spec()] * 500)[-1]
        _analyse(desk)
        desk.run(desk.store.in_line(last.id))
        read.append(_touched(desk, lambda job_id=last.id: desk.run(desk.store.in_line(job_id))))  # type: ignore[misc]
    assert 0 < read[1] <= read[0] * 1.2
    assert read[1] < 3 * MOST_BEFORE
