"""What nodes tell each other: each hears it once, in order, and misses nothing."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel, Demand, ForgetTypes, OfferedTypes, TurnReport
from dispatcher.errors import StorageTrouble
from tests.store.contract import result
from tests.store.postgres.several import Node, close, sql, two_nodes
from tests.support.jobs import spec
from tests.support.postgres import new_database
from tests.support.waiting import eventually

_WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted"
WANTS = [Demand(1, ("echo",), 10)]


def _heard(report: TurnReport) -> list[tuple[str, JobState]]:
    """The changes that others have told."""
    told = [] if report.heard is None else report.heard.news
    return [(change.job, change.new) for news in told for change in news.changes]


def test_each_change_of_one_node_is_told_to_another_once_and_in_order() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn()
        told: list[tuple[str, JobState]] = []
        done: list[tuple[str, JobState]] = []
        for number in range(20):
            report = await one.turn(submissions=[spec(), spec(data='"\ud800"')] if number % 5 == 0 else [spec()])
            done += [(change.job, change.new) for change in report.changes]
            if number % 3 == 0:
                told += _heard(await two.turn())
        report = await one.turn(demand=WANTS)
        done += [(change.job, change.new) for change in report.changes]
        told += _heard(await two.turn())
        assert told == done
        assert not _heard(await two.turn())
        await close(one, two)

    asyncio.run(run())


def test_what_a_newer_version_tells_beyond_what_is_known_is_ignored() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn()
        report = await one.turn(submissions=[spec()])
        sql(
            url,
            """UPDATE news
            SET news = jsonb_insert(news::jsonb || '{"later": {"x": 1}}', '{changes,0,-1}', '"y"', true)::text
            WHERE node = 'one'""",
        )
        assert _heard(await two.turn()) == [(change.job, change.new) for change in report.changes]
        await close(one, two)

    asyncio.run(run())


def test_a_turn_that_was_undone_has_heard_nothing_and_the_next_one_hears_it() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn()
        sql(url, "ALTER TABLE jobs ADD CHECK (type <> 'odd')")
        await one.turn(submissions=[spec()])
        report = await two.turn(submissions=[spec("odd"), spec()])
        assert [accepted.error for accepted in report.accepted] == ["refused", None]
        assert len(_heard(report)) == 1, "by items: once for the whole turn"
        assert not _heard(await two.turn())
        await close(one, two)

    asyncio.run(run())


def test_a_node_that_begins_hears_what_comes_and_not_what_was() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(submissions=[spec()])
        three = await Node.open(url, "three")
        report = await one.turn(submissions=[spec()])
        assert _heard(await three.turn()) == [(change.job, change.new) for change in report.changes]
        await close(one, two, three)

    asyncio.run(run())


def test_who_begins_waits_for_the_turns_that_do_not_know_of_him() -> None:
    url = new_database()

    async def run() -> None:
        one = await Node.open(url, "one")
        with psycopg.connect(url) as turn:
            turn.execute("UPDATE pagehand.nodes SET turns = turns + 1 WHERE node = 'one'")
            opening = asyncio.ensure_future(asyncio.to_thread(asyncio.run, _life(url)))
            await eventually(lambda: opening.done() or sql(url, _WAITS), what="it waits")
            assert not opening.done()
            turn.commit()
        await opening
        await close(one)

    asyncio.run(run())


async def _life(url: str) -> None:
    await close(await Node.open(url, "two"))


def test_a_node_that_is_alone_tells_nobody_anything() -> None:
    url = new_database()

    async def run() -> None:
        one = await Node.open(url, "one")
        report = await one.turn(submissions=[spec()])
        assert report.heard is None
        assert sql(url, "SELECT count(*) FROM news") == [(0,)]
        await close(one)

    asyncio.run(run())


def test_what_all_have_read_is_removed_and_who_has_not_read_it_ends() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(submissions=[spec()])
        sql(url, "UPDATE news SET at = at - interval '31 seconds'")
        sql(url, "UPDATE nodes SET since = since - interval '31 seconds'")
        await one.turn(after_s=11.0)
        assert sql(url, "SELECT count(*) FROM news") == [(0,)]
        with pytest.raises(StorageTrouble, match="has not read for so long"):
            await two.turn(submissions=[spec()])
        assert await one.counts() == {"queued": 1}
        await close(one, two)

    asyncio.run(run())


def test_a_node_that_was_silent_itself_removes_nothing_that_others_may_not_have_read() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(submissions=[spec()])
        sql(url, "UPDATE news SET at = at - interval '31 seconds'")
        await one.turn(after_s=11.0)
        assert len(_heard(await two.turn())) == 1
        await close(one, two)

    asyncio.run(run())


@pytest.mark.parametrize("lanes", [("echo",), ("echo", "label")])
def test_a_lane_whose_jobs_another_node_has_in_hand_is_not_taken_for_empty(lanes: tuple[str, ...]) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(submissions=[spec(), spec()])
        with psycopg.connect(url) as other:
            other.execute("SELECT 1 FROM pagehand.jobs FOR UPDATE")
            report = await two.turn(demand=[Demand(1, lanes, 2)])
            assert not report.claims
            [echo] = [ready for ready in report.ready if ready.lane == "echo"]
            assert (echo.jobs, echo.seen) == (2, False)
        report = await two.turn(demand=[Demand(1, lanes, 2)])
        assert len(report.claims) == 2
        assert [(ready.lane, ready.jobs) for ready in report.ready] == [(lane, 0) for lane in lanes]
        await close(one, two)

    asyncio.run(run())


def test_ready_jobs_of_another_node_are_told_with_their_number_as_it_is_now() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(submissions=[spec(), spec(), spec("label")])
        await one.turn(demand=[Demand(1, ("echo",), 1)])
        ready = {entry.lane: entry for entry in (await two.turn()).ready}
        assert {lane: entry.jobs for lane, entry in ready.items()} == {"echo": 1, "label": 1}
        assert all(entry.head < 10.0 and not entry.seen for entry in ready.values())
        await close(one, two)

    asyncio.run(run())


def test_nobody_forgets_the_types_that_workers_of_another_node_offer() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(commands=[OfferedTypes(("label",))])
        await two.turn(commands=[OfferedTypes(("echo",))])
        await two.turn(commands=[ForgetTypes(frozenset())])
        assert [view.type for view in await two.store.types()] == ["label"]
        await one.turn(commands=[ForgetTypes(frozenset())])
        assert not await two.store.types()
        await close(one, two)

    asyncio.run(run())


def test_a_cancel_and_a_late_result_are_told_with_their_attempts() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(submissions=[spec(), spec()])
        first, second = (await one.turn(demand=WANTS)).claims
        await two.turn()
        await two.turn(commands=[Cancel(first.job, "no")])
        await two.turn(reports=[result(second.attempt)])
        report = await one.turn()
        assert report.heard is not None
        told = [(c.attempt, c.old, c.new) for news in report.heard.news for c in news.changes]
        assert told == [
            (first.attempt, JobState.RUNNING, JobState.CANCELLED),
            (second.attempt, JobState.RUNNING, JobState.SUCCEEDED),
        ]
        await close(one, two)

    asyncio.run(run())
