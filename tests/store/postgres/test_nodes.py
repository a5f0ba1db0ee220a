"""Two nodes on one database, as far as the store goes: locks, keys, counters, lanes, clocks."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.turn import Demand, ForgetTypes, OfferedTypes, Turn
from dispatcher.store.postgres.keys import lane_fields, lane_key
from dispatcher.store.postgres.link import rows_text
from dispatcher.store.postgres.queries import QUERIES
from tests.store.contract import NOW, POSTGRES, Desk, result
from tests.store.postgres.several import Node, checked, close, two_nodes
from tests.support.jobs import spec
from tests.support.postgres import new_database

RUNS = 40
#: The long form has 100,000.
MANY = int(os.environ.get("NODES_JOBS", "6000"))
_WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted"


def test_a_key_that_two_nodes_take_in_at_once_makes_one_job(tmp_path: Path) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await two_nodes(url)
        for number in range(RUNS):
            specs = [spec(key=f"key-{number}")]
            reports = await asyncio.gather(one.turn(submissions=specs), two.turn(submissions=specs))
            accepted = [report.accepted[0] for report in reports]
            assert len({each.job.id for each in accepted if each.job}) == 1
            assert sorted(each.replayed for each in accepted) == [False, True]
        assert await one.counts() == await two.counts() == {"queued": RUNS}
        await close(one, two)

    asyncio.run(race())
    checked(url, tmp_path)


@pytest.mark.parametrize("lanes", [("echo",), ("echo", "label")])
def test_a_job_that_two_nodes_want_at_once_goes_to_one(tmp_path: Path, lanes: tuple[str, ...]) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await two_nodes(url)
        jobs = [spec(lanes[number % len(lanes)]) for number in range(6 * RUNS)]
        await one.turn(submissions=jobs)
        claimed: Counter[str] = Counter()
        for _ in range(RUNS):
            demand = [Demand(1, lanes, 3)]
            for report in await asyncio.gather(one.turn(demand=demand), two.turn(demand=demand)):
                claimed.update(claim.job for claim in report.claims)
        assert max(claimed.values()) == 1
        assert len(claimed) == 6 * RUNS
        assert await one.counts() == {"running": 6 * RUNS}
        await close(one, two)

    asyncio.run(race())
    checked(url, tmp_path)


def test_two_nodes_that_claim_many_jobs_at_once_get_each_of_them_once(tmp_path: Path) -> None:
    url = new_database()

    async def claim_all(node: Node, claimed: Counter[str]) -> None:
        in_vain = 0
        while in_vain < 3:
            report = await node.turn(demand=[Demand(1, ("echo", "label"), 256)])
            claimed.update(claim.job for claim in report.claims)
            in_vain = 0 if report.claims else in_vain + 1

    async def race() -> None:
        one, two = await two_nodes(url)
        for begin in range(0, MANY, 1_000):
            await one.turn(submissions=[spec(("echo", "label")[n % 2]) for n in range(begin, min(MANY, begin + 1_000))])
        claimed: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        await asyncio.gather(claim_all(one, claimed[0]), claim_all(two, claimed[1]))
        both = claimed[0] + claimed[1]
        assert (len(both), max(both.values())) == (MANY, 1)
        assert min(map(len, claimed)) > MANY / 10, "both had their share"
        assert await one.counts() == {"running": MANY}
        await close(one, two)

    asyncio.run(race())
    checked(url, tmp_path)


def test_a_result_that_comes_to_two_nodes_at_once_counts_once(tmp_path: Path) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await two_nodes(url)
        for _ in range(RUNS):
            await one.turn(submissions=[spec()])
            (claim,) = (await two.turn(demand=[Demand(1, ("echo",), 1)])).claims
            reports = [result(claim.attempt)]
            changes = await asyncio.gather(one.turn(reports=reports), two.turn(reports=reports))
            assert sorted(len(report.changes) for report in changes) == [0, 1]
        assert await one.counts() == {"succeeded": RUNS}
        await close(one, two)

    asyncio.run(race())
    checked(url, tmp_path)


def test_no_job_loses_its_lane_to_a_node_that_forgets_types(tmp_path: Path) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await two_nodes(url)
        for number in range(RUNS):
            await asyncio.gather(
                one.turn(submissions=[spec(f"type-{number}")]), two.turn(commands=[ForgetTypes(frozenset())])
            )
        lanes = tuple(f"type-{number}" for number in range(RUNS))
        assert len((await two.turn(demand=[Demand(1, lanes, RUNS)])).claims) == RUNS
        await close(one, two)

    asyncio.run(race())
    checked(url, tmp_path)


def test_who_forgets_types_waits_for_a_turn_that_has_begun_to_use_one() -> None:
    url = new_database()

    async def run() -> None:
        node = await Node.open(url, "one")
        await node.turn(commands=[OfferedTypes(("echo",))])
        with psycopg.connect(url, options="-c search_path=pagehand") as other:
            # As another node's turn with a new job does, before it commits.
            other.execute(QUERIES["add_lanes"], {"rows": rows_text([lane_fields("echo", "echo")])})
            other.execute("INSERT INTO tallies VALUES (%s, 'queued', 'two', 1, 1)", (lane_key("echo"),))
            forgetting = asyncio.ensure_future(node.turn(commands=[ForgetTypes(frozenset())]))
            with psycopg.connect(url, autocommit=True) as look:
                while not (forgetting.done() or look.execute(_WAITS).fetchall()):
                    await asyncio.sleep(0.01)
            other.commit()
        await forgetting
        assert [view.type for view in await node.store.types()] == ["echo"]
        await close(node)

    asyncio.run(run())


def test_a_claim_passes_over_what_another_node_has_in_hand_and_waits_for_nobody(tmp_path: Path) -> None:
    url = new_database()
    desk = Desk(POSTGRES._replace(url=lambda _: url), tmp_path)
    first, second = desk.submit(spec(), spec())
    with psycopg.connect(url) as other:
        other.execute("UPDATE pagehand.jobs SET note = note WHERE id = %s", (first.id,))
        other.execute("UPDATE pagehand.tallies SET jobs = jobs WHERE node = 'another'")
        assert [claim.job for claim in desk.claim(2)] == [second.id]
        other.rollback()
    assert [claim.job for claim in desk.claim(2)] == [first.id]
    desk.end()


def test_the_queue_clock_of_a_node_never_runs_behind_another_ones() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        ahead = Turn(epoch=one.store.epoch, now_at=NOW, elapsed_s=1_000.0)
        await one.store.apply(ahead)
        (job,) = [accepted.job for accepted in (await two.turn(submissions=[spec()])).accepted]
        assert job is not None
        (ready,) = await two.store.ready()
        assert ready.head >= 1_000.0
        await one.store.apply(replace(ahead, elapsed_s=1_001.0))
        await close(one, two)

    asyncio.run(run())
