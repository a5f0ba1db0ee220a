"""How jobs have ended, in the SQLite store: a turn writes it seldom, and nothing looks at all types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatcher.core.jobs.turn import Cancel
from dispatcher.core.jobs.views.endings import ALL_TYPES, steps_of
from dispatcher.store.driving import PURGE_EVERY_S
from dispatcher.store.endings import MOST_ENDINGS_FORGOTTEN, MOST_UNWRITTEN, WRITTEN_EVERY_S
from dispatcher.store.sqlite.store import SqliteStore
from tests.store.contract import DURABLE, NOW, Desk
from tests.store.sqlite.test_hooks import steps
from tests.store.test_contract_endings import DAY, HOUR, counts, end_one
from tests.support.jobs import spec

HOURS = int(NOW // HOUR * HOUR)


@pytest.fixture
def desk(quick_path: Path) -> Any:
    desk = Desk(DURABLE[0], quick_path)
    yield desk
    desk.end()


def store(desk: Desk) -> SqliteStore:
    assert isinstance(desk.store, SqliteStore)
    return desk.store


def written(desk: Desk) -> int:
    """How many ends of all types stand in the file."""

    def read() -> int:
        jobs = "coalesce(sum(succeeded + failed + cancelled + expired), 0)"
        query = f"SELECT {jobs} FROM endings WHERE type = '' AND step_s = 60"
        return int(store(desk)._db.execute(query).fetchone()[0])

    return int(desk.run(store(desk)._thread.run(read)))


def fill(desk: Desk, types: int, *, hours: int = 1) -> None:
    """So many types have ended jobs in the present hour, and in those before."""

    def write() -> None:
        db = store(desk)._db
        db.execute("BEGIN")
        db.execute("DELETE FROM endings")
        minutes = [(60, int(NOW // 60 * 60), f"type-{n}") for n in range(types)]
        rows = minutes + [(3_600, HOURS - hour * HOUR, f"type-{n}") for n in range(types) for hour in range(hours)]
        db.executemany("INSERT INTO endings VALUES (?, ?, ?, 1, 0, 0, 0, '{\"40\":1}', '{\"40\":1}')", rows)
        db.execute("COMMIT")

    desk.run(store(desk)._thread.run(write))


def test_counts_are_written_once_a_second_and_told_before_that(desk: Desk) -> None:
    desk.pass_time(WRITTEN_EVERY_S)
    end_one(desk)
    assert (written(desk), counts(desk)[0]) == (1, 1), "the last one was long ago"
    end_one(desk)
    end_one(desk)
    assert (written(desk), counts(desk)[0]) == (1, 3)
    desk.pass_time(WRITTEN_EVERY_S)
    desk.turn()
    assert (written(desk), counts(desk)[0]) == (3, 3)


def test_counts_of_many_types_are_written_sooner(desk: Desk) -> None:
    desk.pass_time(WRITTEN_EVERY_S)
    end_one(desk)
    jobs = desk.submit(*(spec(type=f"type-{n}") for n in range(MOST_UNWRITTEN)))
    desk.turn(commands=[Cancel(job.id, "no") for job in jobs[1:]])
    assert written(desk) == 1
    desk.turn(commands=[Cancel(jobs[0].id, "no")])
    assert written(desk) == 1 + MOST_UNWRITTEN


def test_a_turn_and_a_read_cost_the_same_beside_100_and_10_000_types(desk: Desk) -> None:
    reads = desk.store.endings

    def end_and_write() -> None:
        desk.pass_time(WRITTEN_EVERY_S)
        end_one(desk, type="type-7")

    acts: list[Callable[[], object]] = [
        end_and_write,
        lambda: desk.run(reads.window("type-7", steps_of(HOUR, NOW + 60))),
        lambda: desk.run(reads.window("type-7", steps_of(30 * DAY, NOW + 60))),
        lambda: desk.run(reads.window(ALL_TYPES, steps_of(30 * DAY, NOW + 60))),
    ]
    costs = []
    for types in (100, 10_000):
        fill(desk, types, hours=3)
        costs.append([steps(desk, act) for act in acts])
    few, many = costs
    assert [more - less for less, more in zip(few, many, strict=True) if more > less + 5] == []


def test_old_counts_go_some_at_a_time(desk: Desk) -> None:
    fill(desk, MOST_ENDINGS_FORGOTTEN + 200)
    rows = "SELECT count(*) FROM endings WHERE step_s = 60"

    def left() -> int:
        return int(desk.run(store(desk)._thread.run(lambda: store(desk)._db.execute(rows).fetchone()[0])))

    desk.pass_time(DAY + 200.0)
    assert desk.turn().more
    assert left() == 200
    desk.turn()
    assert left() == 0
    desk.pass_time(PURGE_EVERY_S)
    assert not desk.turn().more


def test_to_forget_costs_the_same_beside_2_000_and_10_000_types(desk: Desk) -> None:
    costs = []
    for types in (2_000, 10_000):
        fill(desk, types)
        desk.pass_time(2 * DAY)
        costs.append(steps(desk, desk.turn))
    assert costs[1] <= costs[0] + 5
