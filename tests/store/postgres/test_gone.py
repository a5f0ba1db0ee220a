"""A node that is gone: another one takes its attempts over, and it writes nothing any more (S26, I31)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Demand, LiveAttempt, OfferedTypes, Started, TurnReport, WorkersMoved
from dispatcher.errors import StorageAway, StorageTrouble, StoreRefused
from dispatcher.store.driving import PURGE_EVERY_S
from tests.store.contract import HOLDER, lost, result
from tests.store.postgres.several import Node, checked, close, silence, sql, two_nodes
from tests.support.jobs import spec
from tests.support.postgres import new_database
from tests.support.waiting import eventually

WANTS = [Demand(1, ("echo",), 2)]


def _adopted(report: TurnReport) -> list[LiveAttempt]:
    return [] if report.heard is None else report.heard.adopted


async def _two_attempts(node: Node) -> list[str]:
    """The ids of an attempt that a page has accepted, and of one that it has not."""
    await node.turn(submissions=[spec(), spec()])
    first, second = (await node.turn(demand=WANTS)).claims
    await node.turn(reports=[Started(first.attempt, HOLDER)])
    return [first.attempt, second.attempt]


def test_what_a_silent_node_has_is_taken_over_and_that_node_writes_nothing_any_more(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        attempts = await _two_attempts(one)
        await two.turn()
        silence(url, "one")
        adopted = {live.attempt: live for live in _adopted(await two.turn())}
        assert sorted(adopted) == sorted(attempts)
        assert (adopted[attempts[0]].worker, adopted[attempts[0]].boot) == (HOLDER.worker, HOLDER.boot)
        assert adopted[attempts[1]].started_at is None
        before = sql(url, "SELECT * FROM jobs ORDER BY seq")
        with pytest.raises(StorageTrouble, match="life 1 of node 'one' is over"):
            await one.turn(reports=[result(attempts[0])], submissions=[spec()])
        assert sql(url, "SELECT * FROM jobs ORDER BY seq") == before
        assert not _adopted(await two.turn()), "once is enough"
        await close(one, two)

    asyncio.run(run())
    checked(url, tmp_path)


def test_the_counters_of_a_node_that_is_gone_go_to_who_takes_over_and_after_a_day_nothing_is_left_of_it(
    tmp_path: Path,
) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await _two_attempts(one)
        before = await two.counts()
        silence(url, "one")
        await two.turn()
        assert await two.counts() == before
        assert sql(url, "SELECT DISTINCT node FROM tallies") == [("two",)]
        assert not sql(url, "SELECT * FROM amounts WHERE node = 'one'")
        sql(url, "UPDATE nodes SET seen_at = seen_at - interval '1 day' WHERE node = 'one'")
        await two.turn(after_s=PURGE_EVERY_S)
        assert sql(url, "SELECT node FROM nodes") == [("two",)]
        with pytest.raises(StorageTrouble, match="life 1 of node 'one' is over"):
            await one.turn(submissions=[spec()])
        await one.store.close()
        again = await Node.open(url, "one")
        assert again.store.epoch > 2
        await two.turn()
        report = await again.turn(submissions=[spec()])
        heard = (await two.turn()).heard
        assert heard is not None
        assert [change.job for news in heard.news for change in news.changes] == [report.changes[0].job]
        await close(again, two)

    asyncio.run(run())
    checked(url, tmp_path)


def test_nobody_takes_over_who_was_silent_himself_as_when_the_database_was_away() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await _two_attempts(one)
        silence(url, "one", "two")
        for _ in range(2):
            assert not _adopted(await two.turn())
        assert (await one.turn(submissions=[spec()])).accepted[0].job is not None
        await close(one, two)

    asyncio.run(run())


def test_of_several_that_see_a_node_gone_one_takes_over() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        others = [two, *[await Node.open(url, f"other-{number}") for number in range(3)]]
        attempts = await _two_attempts(one)
        silence(url, "one")
        reports = await asyncio.gather(*(node.turn() for node in others))
        assert sorted(live.attempt for report in reports for live in _adopted(report)) == sorted(attempts)
        assert sorted(len(_adopted(report)) for report in reports) == [0, 0, 0, 2]
        await close(one, *others)

    asyncio.run(run())


def test_a_node_whose_turn_has_begun_is_not_gone() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await _two_attempts(one)
        silence(url, "one")
        hold = await asyncio.to_thread(_begun, url)
        assert not _adopted(await two.turn())
        hold.rollback()
        hold.close()
        assert len(_adopted(await two.turn())) == 2
        await close(one, two)

    asyncio.run(run())


def test_a_node_that_begins_waits_for_a_turn_of_another_one_but_not_until_it_counts_as_gone_itself() -> None:
    url = new_database()

    async def run() -> None:
        one = await Node.open(url, "one")
        with psycopg.connect(url, options="-c search_path=pagehand") as turn:
            turn.execute("UPDATE nodes SET turns = turns WHERE node = 'one'")
            with pytest.raises(StoreRefused, match="a turn of another server does not end; start this server again"):
                await Node.open(url, "two")
            silent_s = sql(url, "SELECT extract(epoch FROM clock_timestamp() - seen_at) FROM nodes WHERE node = 'two'")
            assert 4 < silent_s[0][0] < 9
        await close(one, await Node.open(url, "two"))

    asyncio.run(run())


def test_a_node_that_begins_and_waits_for_a_turn_of_another_one_holds_up_no_third() -> None:
    url = new_database()

    async def run() -> None:
        one, other = await Node.open(url, "one"), await Node.open(url, "other")
        waits = (
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with psycopg.connect(url, options="-c search_path=pagehand") as turn:
            turn.execute("UPDATE nodes SET turns = turns WHERE node = 'other'")
            begins = asyncio.ensure_future(Node.open(url, "two"))
            await eventually(lambda: sql(url, waits)[0][0], what="it waits")
            await one.turn()
            assert not begins.done()
        await close(one, other, await begins)

    asyncio.run(run())


def test_a_turn_that_does_not_end_is_cut_off_and_its_node_is_gone() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await _two_attempts(one)
        silence(url, "one", seconds=21)
        touched = {"clock": 0.0, "node": "one", "epoch": 1, "counted": None}
        # As a process that was stopped in the middle of a turn.
        await one.store._thread.run(lambda: one.store._link.many([("begin", {}), ("fence", touched)]))
        assert not _adopted(await two.turn())

        async def is_taken_over() -> bool:
            return bool(_adopted(await two.turn()))

        await eventually(is_taken_over, what="the database has let go")
        with pytest.raises(StorageAway):
            await one.turn(submissions=[spec()])
        with pytest.raises(StorageTrouble, match="life 1 of node 'one' is over"):
            await one.turn(submissions=[spec()])
        await close(one, two)

    asyncio.run(run())


def _begun(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """As a turn of that node that has begun: it has touched its row, and ends later."""
    connection = psycopg.connect(url)
    connection.execute("UPDATE pagehand.nodes SET turns = turns + 1 WHERE node = 'one'")
    return connection


def test_a_result_counts_at_any_node_and_anything_else_at_the_one_that_has_the_attempt(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        attempt, other = await _two_attempts(one)
        reports = [Started(other, HOLDER), lost(attempt)]
        report = await two.turn(reports=reports)
        assert [settled.verdict for settled in report.verdicts] == ["stale", "stale"]
        assert await one.counts() == {"running": 2}
        report = await two.turn(reports=[result(attempt)])
        assert [settled.verdict for settled in report.verdicts] == ["recorded"]
        assert await one.counts() == {"running": 1, "succeeded": 1}
        await close(one, two)

    asyncio.run(run())
    checked(url, tmp_path)


def test_workers_of_a_node_that_is_gone_are_missing_and_its_types_may_be_forgotten() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(commands=[WorkersMoved(here=("DESK-1",)), OfferedTypes(("label",))])
        assert not await two.store.names.missing()
        silence(url, "one")
        await two.turn()
        assert [worker.name for worker in await two.store.names.missing()] == ["DESK-1"]
        assert not sql(url, "SELECT * FROM offered")
        await close(one, two)

    asyncio.run(run())


def test_a_node_that_begins_anew_has_what_it_had_or_what_nobody_took_over(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        mine, theirs = await _two_attempts(one), await _two_attempts(two)
        sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pagehand' "
            "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = hashtext('one')::oid)",
        )
        await close(one)  # of a killed one nothing is left here either
        again = await Node.open(url, "one")
        assert sorted(live.attempt for live in await again.store.live_attempts()) == sorted(mine)
        assert sorted(live.attempt for live in await two.store.live_attempts()) == sorted(theirs)
        assert (await two.counts())[JobState.RUNNING] == 4
        await close(again, two)

    asyncio.run(run())
    checked(url, tmp_path)
