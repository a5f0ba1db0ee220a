"""The SQLite store on a disk without room: no new jobs, but results are recorded (promise S23)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from dispatcher.core.jobs.turn import Demand
from dispatcher.errors import StorageFull
from dispatcher.store.sqlite.space import BALLAST_BYTES, Reserve
from tests.store.contract import KINDS, Desk, result
from tests.support.jobs import spec

[SQLITE] = [kind for kind in KINDS if kind.name == "sqlite"]


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(SQLITE)


class ShortOfRoom(Reserve):
    """A reserve of pages: SQLite reports a full disk when the file may not grow."""

    def __init__(self, desk: Desk, pages: int) -> None:
        self._store: Any = desk.store
        self._pages = pages
        self.released = False

    def low(self) -> bool:
        return False

    def limit(self, more: int) -> None:
        def cut(database: sqlite3.Connection) -> None:
            now = database.execute("PRAGMA page_count").fetchone()[0]
            database.execute(f"PRAGMA max_page_count = {now + more}")

        cut(self._store._db)

    def release(self) -> None:
        self.released = True
        self.limit(self._pages)


def fill_up(desk: Desk, reserve_pages: int) -> ShortOfRoom:
    """From now on the file may not grow; ``reserve_pages`` become free when the reserve is given up."""
    store: Any = desk.store
    store._reserve = reserve = ShortOfRoom(desk, reserve_pages)
    desk.run(store._thread.run(lambda: reserve.limit(0)))
    return reserve


def test_a_full_disk_takes_no_new_jobs_and_records_results(desk: Desk) -> None:
    claim = desk.start()
    reserve = fill_up(desk, 100)
    report = desk.turn(reports=[result(claim.attempt, '"' + "x" * 50_000 + '"')], submissions=[spec(data='"y"')])
    assert reserve.released
    assert [verdict.verdict for verdict in report.verdicts] == ["recorded"]
    assert [(a.job, a.error) for a in report.accepted] == [(None, "storage_full")]
    assert desk.states(claim.job) == ["succeeded"]
    assert desk.counts() == {"succeeded": 1}, "what was refused has left no trace"


def test_on_a_full_disk_nothing_is_claimed(desk: Desk) -> None:
    claim = desk.start()
    (waits,) = desk.submit()
    fill_up(desk, 100)
    large = result(claim.attempt, '"' + "x" * 50_000 + '"')
    report = desk.turn(reports=[large], submissions=[spec()], demand=[Demand(1, ("echo",), 1)])
    assert report.claims == [], "the room that is left is for results"
    assert desk.states(claim.job, waits.id) == ["succeeded", "queued"]


def test_with_the_reserve_used_up_too_nothing_happens_until_there_is_room(desk: Desk) -> None:
    claim = desk.start()
    reserve = fill_up(desk, 0)
    large = result(claim.attempt, '"' + "x" * 50_000 + '"')
    before = desk.counts()
    for _ in range(3):
        with pytest.raises(StorageFull):
            desk.turn(reports=[large], submissions=[spec()])
    assert desk.counts() == before
    store: Any = desk.store
    desk.run(store._thread.run(lambda: reserve.limit(1_000)))
    report = desk.turn(reports=[large], submissions=[spec()])
    assert [verdict.verdict for verdict in report.verdicts] == ["recorded"]
    assert desk.counts() == {"succeeded": 1, "queued": 1}


def test_with_little_room_new_jobs_are_refused_before_it_is_gone(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(SQLITE)
    claim = desk.start()
    desk.reopen(low_disk_bytes=1 << 60)
    report = desk.turn(reports=[result(claim.attempt)], submissions=[spec()])
    assert [accepted.error for accepted in report.accepted] == ["storage_full"]
    assert desk.states(claim.job) == ["succeeded"]


def test_a_reserve_that_was_given_up_is_for_results_until_it_is_there_again(tmp_path) -> None:
    class Free(Reserve):
        bytes = BALLAST_BYTES

        def _free_bytes(self) -> int:
            return self.bytes

    reserve = Free(tmp_path / "jobs.db", 0)
    reserve.fill()
    assert not reserve.low()
    reserve.release()
    reserve.bytes = BALLAST_BYTES - 1
    assert reserve.low(), "there is some room, and it is not for new jobs"
    reserve.bytes = BALLAST_BYTES
    assert not reserve.low()
    assert (tmp_path / "jobs.db.ballast").exists()


def test_the_reserve_is_taken_given_up_and_taken_again(tmp_path) -> None:
    ballast = tmp_path / "jobs.db.ballast"
    reserve = Reserve(tmp_path / "jobs.db", 0)
    reserve.fill()
    assert ballast.stat().st_size == BALLAST_BYTES
    reserve.release()
    assert not ballast.exists()
    assert not reserve.low()
    assert ballast.stat().st_size == BALLAST_BYTES
    assert Reserve(tmp_path / "jobs.db", 1 << 60).low()
