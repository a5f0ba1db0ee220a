"""How jobs have ended, in the PostgreSQL store: a turn writes it seldom, and nothing of it is lost or counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.core.jobs.turn import Cancel
from dispatcher.core.jobs.views.endings import ALL_TYPES
from dispatcher.errors import StorageAway
from dispatcher.store.driving import PURGE_EVERY_S
from dispatcher.store.endings import MOST_ENDINGS_FORGOTTEN, MOST_UNWRITTEN, WRITTEN_EVERY_S
from dispatcher.store.postgres.store import PostgresStore
from tests.store.conftest import OpenDesk
from tests.store.contract import NOW, POSTGRES, Desk
from tests.store.postgres.cutting import Cutter
from tests.store.test_contract_endings import DAY, counts, end_one
from tests.support.jobs import spec
from tests.support.postgres import Postgres

_WRITTEN = (
    "SELECT coalesce(sum(succeeded + failed + cancelled + expired), 0)::bigint FROM endings "
    "WHERE type = '' AND step_s = 60"
)
_MINUTES = "SELECT count(*) FROM endings WHERE step_s = 60"


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(POSTGRES)


@pytest.fixture
def far_desk(server: Postgres, cutter: Cutter, tmp_path: Path) -> Iterator[Desk]:
    """Its store connects through the proxy."""
    name = server.new_database()
    desk = Desk(POSTGRES._replace(url=lambda _: server.network_url(name, port=cutter.port)), tmp_path)
    yield desk
    desk.end()


def _number(desk: Desk, query: str) -> int:
    store = desk.store
    assert isinstance(store, PostgresStore)
    [(number,)] = desk.run(store._thread.run(lambda: store._link._db.execute(query.encode()).fetchall()))
    return int(number)


def _do(desk: Desk, statement: str) -> None:
    store = desk.store
    assert isinstance(store, PostgresStore)
    desk.run(store._thread.run(lambda: store._link._db.execute(statement.encode())))


def _fill(desk: Desk, types: int) -> None:
    """So many types have ended jobs in the present minute."""
    rows = (
        f"SELECT 60, {int(NOW // 60 * 60)}, 'type-' || n, 1, 0, 0, 0, '{{}}', '{{}}' FROM generate_series(1, {types}) n"
    )
    query = f"INSERT INTO endings {rows}"
    _do(desk, query)


def test_counts_are_written_once_a_second_and_told_before_that(desk: Desk) -> None:
    desk.pass_time(WRITTEN_EVERY_S)
    end_one(desk)
    assert (_number(desk, _WRITTEN), counts(desk)[0]) == (1, 1), "the last one was long ago"
    end_one(desk)
    end_one(desk)
    assert (_number(desk, _WRITTEN), counts(desk)[0]) == (1, 3)
    desk.pass_time(WRITTEN_EVERY_S)
    desk.turn()
    assert (_number(desk, _WRITTEN), counts(desk)[0]) == (3, 3)


def test_counts_of_many_types_are_written_sooner(desk: Desk) -> None:
    desk.pass_time(WRITTEN_EVERY_S)
    end_one(desk)
    jobs = desk.submit(*(spec(type=f"type-{n}") for n in range(MOST_UNWRITTEN)))
    desk.turn(commands=[Cancel(job.id, "no") for job in jobs[1:]])
    assert _number(desk, _WRITTEN) == 1
    desk.turn(commands=[Cancel(jobs[0].id, "no")])
    assert _number(desk, _WRITTEN) == 1 + MOST_UNWRITTEN


def test_old_counts_go_some_at_a_time(desk: Desk) -> None:
    _fill(desk, MOST_ENDINGS_FORGOTTEN + 200)
    desk.pass_time(DAY + 200.0)
    assert desk.turn().more
    assert _number(desk, _MINUTES) == 200
    desk.turn()
    assert _number(desk, _MINUTES) == 0
    desk.pass_time(PURGE_EVERY_S)
    assert not desk.turn().more


@pytest.mark.parametrize("wait_s", [0.0, WRITTEN_EVERY_S], ids=["unwritten", "written"])
@pytest.mark.parametrize("cut", ["before", "behind"])
def test_an_end_whose_commit_was_cut_is_counted_as_often_as_it_has_happened(
    far_desk: Desk, cutter: Cutter, cut: str, wait_s: float
) -> None:
    end_one(far_desk)
    (job,) = far_desk.submit(spec())
    far_desk.pass_time(wait_s)
    cutter.cut = cut
    if cut == "before":
        with pytest.raises(StorageAway):
            far_desk.command(Cancel(job.id, "no"))
        assert counts(far_desk, ALL_TYPES) == (1, 0, 0, 0)
        far_desk.command(Cancel(job.id, "no"))
    else:
        far_desk.command(Cancel(job.id, "no"))
    assert counts(far_desk, ALL_TYPES) == (1, 0, 1, 0)
    far_desk.pass_time(WRITTEN_EVERY_S)
    end_one(far_desk)
    assert counts(far_desk, ALL_TYPES) == (2, 0, 1, 0)


def test_a_turn_whose_end_did_not_happen_is_counted_anew_by_the_next_turn(far_desk: Desk, cutter: Cutter) -> None:
    end_one(far_desk)
    (job,) = far_desk.submit(spec())
    cutter.cut = "before"
    with pytest.raises(StorageAway):
        far_desk.command(Cancel(job.id, "no"))
    far_desk.command(Cancel(job.id, "no"))
    assert counts(far_desk, ALL_TYPES) == (1, 0, 1, 0)


def test_an_end_that_the_database_refuses_is_not_counted(desk: Desk) -> None:
    end_one(desk)
    first, second = desk.submit(spec(), spec())
    _do(desk, "ALTER TABLE jobs ADD CHECK (detail IS DISTINCT FROM 'no')")
    desk.turn(commands=[Cancel(first.id, "no"), Cancel(second.id, "yes")])
    assert desk.counts() == {"succeeded": 1, "queued": 1, "cancelled": 1}
    assert counts(desk, ALL_TYPES) == (1, 0, 1, 0)
    desk.pass_time(WRITTEN_EVERY_S)
    end_one(desk)
    assert counts(desk, ALL_TYPES) == (2, 0, 1, 0)
