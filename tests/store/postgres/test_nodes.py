"""Two nodes on one database, as far as the store goes: locks, keys, counters, lanes, clocks. No server has two yet."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.turn import Demand, ForgetTypes, OfferedTypes, Turn, TurnReport
from dispatcher.store.applier.hand import Ids
from dispatcher.store.port import Limits
from dispatcher.store.postgres.keys import lane_fields, lane_key
from dispatcher.store.postgres.link import rows_text
from dispatcher.store.postgres.queries import QUERIES
from dispatcher.store.postgres.store import PostgresStore
from tests.store.contract import NOW, POSTGRES, Desk, result
from tests.support.jobs import spec
from tests.support.postgres import new_database

RUNS = 40
_WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted"


class Node:
    """One of several nodes, in the loop of the test."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store
        self._turns = 0

    @classmethod
    async def open(cls, url: str, name: str, **limits: Any) -> Node:
        """Its ids are its own."""
        numbers = iter(range(1, 1_000_000))
        ids = Ids(lambda: f"{name}-{next(numbers)}", lambda: f"{name}{next(numbers):030x}")
        return cls(await PostgresStore.open(url, ids, limits=Limits(**limits), node=name))

    async def turn(self, **items: Any) -> TurnReport:
        """Applies one turn with these items."""
        self._turns += 1
        at = self._turns / 1_000
        return await self.store.apply(Turn(epoch=self.store.epoch, now_at=NOW + at, elapsed_s=at, **items))

    async def counts(self) -> dict[str, int]:
        """The counts by state; states without jobs are left out."""
        return {state: jobs for state, jobs in (await self.store.counts()).items() if jobs}


async def _two(url: str, **limits: Any) -> tuple[Node, Node]:
    return await Node.open(url, "one", **limits), await Node.open(url, "two", **limits)


async def _close(*nodes: Node) -> None:
    for node in nodes:
        await node.store.close()


def _checked(url: str, tmp_path: Path) -> None:
    """A look at all rows, as a third node sees them."""
    desk = Desk(POSTGRES._replace(url=lambda _: url), tmp_path)
    assert desk.faults() == []
    desk.end()


def test_a_key_that_two_nodes_take_in_at_once_makes_one_job(tmp_path: Path) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await _two(url)
        for number in range(RUNS):
            specs = [spec(key=f"key-{number}")]
            reports = await asyncio.gather(one.turn(submissions=specs), two.turn(submissions=specs))
            accepted = [report.accepted[0] for report in reports]
            assert len({each.job.id for each in accepted if each.job}) == 1
            assert sorted(each.replayed for each in accepted) == [False, True]
        assert await one.counts() == await two.counts() == {"queued": RUNS}
        await _close(one, two)

    asyncio.run(race())
    _checked(url, tmp_path)


@pytest.mark.parametrize("lanes", [("echo",), ("echo", "label")])
def test_a_job_that_two_nodes_want_at_once_goes_to_one(tmp_path: Path, lanes: tuple[str, ...]) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await _two(url)
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
        await _close(one, two)

    asyncio.run(race())
    _checked(url, tmp_path)


def test_a_result_that_comes_to_two_nodes_at_once_counts_once(tmp_path: Path) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await _two(url)
        for _ in range(RUNS):
            await one.turn(submissions=[spec()])
            (claim,) = (await two.turn(demand=[Demand(1, ("echo",), 1)])).claims
            reports = [result(claim.attempt)]
            changes = await asyncio.gather(one.turn(reports=reports), two.turn(reports=reports))
            assert sorted(len(report.changes) for report in changes) == [0, 1]
        assert await one.counts() == {"succeeded": RUNS}
        await _close(one, two)

    asyncio.run(race())
    _checked(url, tmp_path)


def test_no_job_loses_its_lane_to_a_node_that_forgets_types(tmp_path: Path) -> None:
    url = new_database()

    async def race() -> None:
        one, two = await _two(url)
        for number in range(RUNS):
            await asyncio.gather(
                one.turn(submissions=[spec(f"type-{number}")]), two.turn(commands=[ForgetTypes(frozenset())])
            )
        lanes = tuple(f"type-{number}" for number in range(RUNS))
        assert len((await two.turn(demand=[Demand(1, lanes, RUNS)])).claims) == RUNS
        await _close(one, two)

    asyncio.run(race())
    _checked(url, tmp_path)


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
        await _close(node)

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
        one, two = await _two(url)
        ahead = Turn(epoch=one.store.epoch, now_at=NOW, elapsed_s=1_000.0)
        await one.store.apply(ahead)
        (job,) = [accepted.job for accepted in (await two.turn(submissions=[spec()])).accepted]
        assert job is not None
        (ready,) = await two.store.ready()
        assert ready.head >= 1_000.0
        await one.store.apply(replace(ahead, elapsed_s=1_001.0))
        await _close(one, two)

    asyncio.run(run())
