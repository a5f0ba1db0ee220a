"""The database restarts, or its connection breaks: what has not reached a COMMIT has not happened; of a COMMIT that is
read back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.core.jobs.model import JobFilter
from dispatcher.errors import StorageAway, StorageTrouble
from dispatcher.store.postgres.store import PostgresStore
from tests.store.contract import POSTGRES, Desk
from tests.store.postgres.cutting import Cutter
from tests.support.jobs import spec
from tests.support.postgres import Postgres


@pytest.fixture
def desk(server: Postgres, cutter: Cutter, tmp_path: Path) -> Iterator[Desk]:
    """Its store connects through the proxy."""
    name = server.new_database()
    desk = Desk(POSTGRES._replace(url=lambda _: server.network_url(name, port=cutter.port)), tmp_path)
    yield desk
    desk.end()


def _database(desk: Desk) -> str:
    return desk._url.rpartition("/")[2]


def test_a_turn_whose_commit_does_not_arrive_has_not_happened_and_the_next_one_goes_on(
    desk: Desk, cutter: Cutter
) -> None:
    desk.submit()
    cutter.cut = "before"
    with pytest.raises(StorageAway):
        desk.turn(submissions=[spec()])
    assert desk.counts() == {"queued": 1}
    desk.submit()
    assert desk.counts() == {"queued": 2}
    assert cutter.connections == 2


def test_a_turn_whose_commit_is_not_answered_is_read_back(desk: Desk, cutter: Cutter) -> None:
    desk.submit(spec(key="first"))
    cutter.cut = "behind"
    report = desk.turn(submissions=[spec(key="second")])
    assert [accepted.replayed for accepted in report.accepted] == [False]
    assert [(ready.lane, ready.jobs) for ready in report.ready] == [("echo", 2)]
    assert cutter.connections == 2
    assert desk.counts() == {"queued": 2}
    (again,) = desk.turn(submissions=[spec(key="second")]).accepted
    assert again.replayed


def test_a_turn_that_was_read_back_stays_done_if_the_database_goes_away_again(desk: Desk, cutter: Cutter) -> None:
    cutter.cut, cutter.then = "behind", b"FROM tallies WHERE state = 'queued'"
    report = desk.turn(submissions=[spec(key="first")])
    assert cutter.connections == 3
    assert [accepted.replayed for accepted in report.accepted] == [False]
    assert [(ready.lane, ready.jobs) for ready in report.ready] == [("echo", 1)]
    assert desk.counts() == {"queued": 1}


@pytest.mark.parametrize("cut", ["before", "behind"])
def test_the_same_holds_for_a_turn_that_goes_item_by_item(desk: Desk, cutter: Cutter, cut: str) -> None:
    cutter.cut = cut
    items = [spec(data='"\ud800"'), spec()]
    if cut == "before":
        with pytest.raises(StorageAway):
            desk.turn(submissions=items)
        assert desk.counts() == {}
    else:
        assert [accepted.error for accepted in desk.turn(submissions=items).accepted] == ["refused", None]
        assert desk.counts() == {"queued": 1}


def test_a_connection_that_was_cut_between_two_turns_costs_one_turn_that_has_not_happened(
    desk: Desk, server: Postgres
) -> None:
    desk.submit()
    server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pagehand'")
    with pytest.raises(StorageAway):
        desk.turn(submissions=[spec()])
    assert desk.turn(submissions=[spec()]).accepted[0].job is not None
    assert desk.counts() == {"queued": 2}


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_while_the_database_is_away_turns_and_reads_say_so_and_then_go_on(
    desk: Desk, server: Postgres, how: str
) -> None:
    claim = desk.start()
    server.stop(how)
    for _ in range(2):
        with pytest.raises(StorageAway):
            desk.turn(submissions=[spec()])
        with pytest.raises(StorageAway):
            desk.run(desk.store.jobs(JobFilter()))
    server.start()
    assert desk.job(claim.job).state == "running"
    desk.submit()
    assert desk.counts() == {"queued": 1, "running": 1}


def test_a_store_whose_next_life_began_while_it_was_away_writes_no_more(desk: Desk, server: Postgres) -> None:
    desk.submit()
    server.sql(_database(desk), "UPDATE pagehand.nodes SET epoch = epoch + 1")
    with pytest.raises(StorageTrouble, match="its life 2 has begun"):
        desk.turn(submissions=[spec()])
    assert server.sql(_database(desk), "SELECT count(*) FROM pagehand.jobs") == [(1,)]


def test_a_read_that_fails_spoils_no_turn(desk: Desk) -> None:
    (job,) = desk.submit()
    with pytest.raises(UnicodeEncodeError):
        desk.run(desk.store.job("\ud800"))
    assert desk.run(desk.store.job("nothing\0")) is None
    desk.submit()
    assert desk.job(job.id).state == "queued"


def test_no_error_tells_the_password(desk: Desk, server: Postgres) -> None:
    store = desk.store
    assert isinstance(store, PostgresStore)
    assert "a-pass" not in store.location
    server.stop()
    words = ""
    for _ in range(2):
        with pytest.raises(StorageAway) as away:
            desk.turn()
        cause = away.value.__cause__
        words += f"{away.value} {cause} {cause and cause.__cause__}"
    server.start()
    assert "a-pass" not in words
    assert "a-pass%20word" not in words
    assert "127.0.0.1" in words
