"""The readers of rows read what ``validate`` needs: it finds nothing in a sound store, and all damage in a bad one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatcher.core.jobs.turn import Logged
from tests.store.contract import DURABLE, KINDS, POSTGRES, Desk, lost, result
from tests.support.jobs import spec
from tests.support.rows import damage

#: A table, its counterpart in memory, and the beginning of the complaint when the table is empty.
LOST = {
    "jobs": ("by_seq", "I2:"),
    "job_data": ("payloads", "I1:"),
    "results": ("results", "I4:"),
    "attempts": ("all_attempts", "I17:"),
}


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def used(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A store with a job that was done after a loss, one that runs, one that waits."""
    desk = Desk(request.param, tmp_path)
    first = desk.start(data='"€"')
    desk.turn(reports=[Logged(first.attempt, "a line"), lost(first.attempt)], submissions=[spec(), spec()])
    again, _ = desk.claim(2)
    desk.report(result(again.attempt))
    yield desk
    desk.end()


def _emptied(desk: Desk, table: str, mirror: str) -> None:
    store: Any = desk.store
    if desk.kind in DURABLE:
        database = store._link._db if desk.kind is POSTGRES else store._db
        desk.run(store._thread.run(lambda: database.execute(f"DELETE FROM {table}")))
    else:
        getattr(store.rows, mirror).clear()


def test_in_a_sound_store_nothing_is_wrong(used: Desk) -> None:
    assert used.faults() == []
    rows = used.rows()
    assert [len(part) for part in (rows.jobs, rows.attempts, rows.data, rows.results, rows.logs)] == [3, 1, 3, 1, 1]
    assert sum(jobs for jobs, _ in rows.tallies.values()) == 3


@pytest.mark.parametrize("table", LOST)
def test_a_table_that_is_empty_is_noticed(used: Desk, table: str) -> None:
    mirror, beginning = LOST[table]
    _emptied(used, table, mirror)
    assert any(fault.startswith(beginning) for fault in used.faults()), used.faults()


def test_counters_that_are_gone_are_noticed(used: Desk) -> None:
    store: Any = used.store
    if used.kind in DURABLE:
        _emptied(used, "tallies", "")
    else:
        store.rows.counters.all.clear()
    assert [fault.partition(":")[0] for fault in used.faults()] == ["I18"] * 3


def test_what_sqlite_finds_wrong_is_i29() -> None:
    class Torn:
        def execute(self, _: str) -> Any:
            return self

        def fetchone(self) -> tuple[str]:
            return ("row 7 missing from index jobs_key",)

    torn: Any = Torn()
    assert damage(torn) == ["I29: row 7 missing from index jobs_key"]
