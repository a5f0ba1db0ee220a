"""The log of the store stays small; if it does not, the server says so and mends it (fault B12)."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from dispatcher.core.jobs.model import JobFilter
from dispatcher.store.sqlite.file import WAL_KEPT_BYTES
from dispatcher.store.sqlite.watch import WAL_ALARM_BYTES, Watch
from tests.store.contract import DURABLE, Desk, result
from tests.support.jobs import spec

#: 1,000 frames, after which SQLite moves the log into the database; and what a turn adds before that is noticed.
USUAL_BYTES = 6 << 20
_LARGE = '"' + "x" * 200_000 + '"'
_DATA = '"' + "x" * 20_000 + '"'


@pytest.fixture
def desk(quick_path: Path) -> Any:
    opened = Desk(DURABLE[0], quick_path)
    yield opened
    opened.end()


def _wal_bytes(desk: Desk) -> int:
    return os.stat(f"{desk.store.location}-wal").st_size


def _work(desk: Desk, turns: int, data: str = _DATA) -> int:
    """Runs turns with jobs, claims, results and reads between them. Returns the largest size of the log."""
    largest = 0
    for _ in range(turns):
        desk.submit(*[spec(data=data)] * 5)
        desk.turn(reports=[result(claim.attempt, data) for claim in desk.claim(5)])
        (job, *_) = desk.run(desk.store.jobs(JobFilter(limit=100))).items
        desk.job(job.id)
        desk.run(desk.store.types())
        largest = max(largest, _wal_bytes(desk))
    return largest


def test_fault_B12_the_log_stays_small_under_work_with_reads_between_the_turns(desk: Desk) -> None:
    assert _work(desk, 100) < USUAL_BYTES
    assert os.stat(desk.store.location).st_size > 2 * USUAL_BYTES, "so much went through it"


def test_fault_B12_after_a_long_read_that_held_it_up_the_log_is_moved_in_and_cut_down(desk: Desk) -> None:
    """Our code leaves no read open; the test does, in the store's own connection."""
    store: Any = desk.store
    _work(desk, 10)
    reader = desk.run(store._thread.run(lambda: store._db.execute("SELECT seq FROM jobs")))
    desk.run(store._thread.run(reader.fetchone))
    held = _work(desk, 50, _LARGE)
    assert held > WAL_KEPT_BYTES, "the control: such a read is what lets the log grow"
    desk.run(store._thread.run(reader.close))
    _work(desk, 3)
    assert _wal_bytes(desk) <= WAL_KEPT_BYTES
    assert desk.counts() == {"succeeded": 5 * 63}
    desk.reopen()
    assert desk.counts() == {"succeeded": 5 * 63}


@pytest.mark.expect_log("has grown to 256 MiB")
def test_fault_B12_a_log_that_grows_and_grows_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, wal = tmp_path / "jobs.db", tmp_path / "jobs.db-wal"
    store.write_bytes(b"x")
    wal.write_bytes(b"x")
    watch = Watch(store)
    with caplog.at_level(logging.WARNING):
        for size in (WAL_ALARM_BYTES, WAL_ALARM_BYTES + 1, WAL_ALARM_BYTES + 2):
            os.truncate(wal, size)
            watch.look()
        os.truncate(wal, WAL_KEPT_BYTES)  # as SQLite does when it has been moved in
        watch.look()
    assert [record.getMessage() for record in caplog.records] == [f"{wal} has grown to 256 MiB"]
