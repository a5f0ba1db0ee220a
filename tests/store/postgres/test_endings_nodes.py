"""How jobs have ended, counted by several nodes: each end once, whoever has written it and whoever was killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.core.jobs.turn import Cancel, Delete, Retry
from dispatcher.core.jobs.views.endings import ALL_TYPES, steps_of, summary_of
from dispatcher.store.endings import WRITTEN_EVERY_S
from tests.store.contract import NOW
from tests.store.postgres.several import Node, checked, close, silence, sql, two_nodes
from tests.support.jobs import spec
from tests.support.postgres import new_database

HOUR = 3_600
_WRITTEN = "SELECT coalesce(sum(cancelled), 0)::bigint FROM endings WHERE type = '' AND step_s = 60"


async def _end(node: Node, jobs: int) -> None:
    """So many jobs end, in one turn."""
    report = await node.turn(submissions=[spec() for _ in range(jobs)])
    commands = [Cancel(accepted.job.id, "no") for accepted in report.accepted if accepted.job is not None]
    await node.turn(commands=commands)


async def _counted(node: Node) -> int:
    """How many have ended, as this node tells it."""
    steps = steps_of(HOUR, NOW + 60.0)
    return summary_of(ALL_TYPES, steps, await node.store.endings.window(ALL_TYPES, steps)).total.cancelled


def _written(url: str) -> int:
    return int(sql(url, _WRITTEN)[0][0])


async def _killed(url: str, node: Node) -> None:
    """Its process ends as by kill -9: what it has in memory is lost, and the database lets go of its name."""
    sql(url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 "
             "AND objid::bigint = hashtext(%s)::bigint & 4294967295", node.store.node)  # fmt: skip
    await close(node)  # it writes nothing


def test_each_node_counts_its_own_ends_and_a_start_counts_those_of_nobody_else(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(after_s=WRITTEN_EVERY_S)
        await _end(one, 3)
        await _end(two, 5)
        three = await Node.open(url, "three")
        for _ in range(3):
            for node in (one, two, three):
                await node.turn(after_s=2 * WRITTEN_EVERY_S)
        assert [await _counted(node) for node in (one, two, three)] == [8, 8, 8]
        await close(one, two, three)

    asyncio.run(run())
    assert _written(url) == 8
    checked(url, tmp_path)


@pytest.mark.parametrize("who", ["itself", "another"])
def test_what_a_killed_node_had_counted_in_memory_is_counted_once_by_its_next_life_or_by_who_takes_over(
    tmp_path: Path, who: str
) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await _end(two, 2)
        await _end(one, 1)
        await one.turn(after_s=WRITTEN_EVERY_S)
        await _end(one, 4)
        unwritten = _written(url)
        await _killed(url, one)
        if who == "another":
            silence(url, "one")
            await two.turn()
        again = await Node.open(url, "one")
        for node in (again, two, again, two):
            await node.turn(after_s=2 * WRITTEN_EVERY_S)
        assert unwritten < 7, "else this shows nothing"
        assert [await _counted(node) for node in (again, two)] == [7, 7]
        await close(again, two)

    asyncio.run(run())
    assert _written(url) == 7
    checked(url, tmp_path)


def test_an_idle_node_says_up_to_when_it_has_counted_so_that_its_next_start_looks_at_little() -> None:
    url = new_database()

    async def run() -> None:
        one = await Node.open(url, "one")
        await _end(one, 1)
        for _ in range(3):
            await one.turn(after_s=2 * WRITTEN_EVERY_S)
        [(behind_s,)] = sql(url, "SELECT queue_clock - counted_clock FROM nodes")
        assert behind_s < 3 * WRITTEN_EVERY_S
        await close(one)

    asyncio.run(run())


@pytest.mark.parametrize("command", [Delete, Retry], ids=["removed", "goes on"])
def test_an_end_whose_job_another_node_removes_or_has_go_on_at_once_is_counted_once(
    tmp_path: Path, command: type[Delete] | type[Retry]
) -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn(after_s=WRITTEN_EVERY_S)
        ends = 0
        while _written(url) == ends:  # the last one is not written yet: the database's clock says when that is
            await _end(one, 1)
            ends += 1
        [(job,)] = sql(url, "SELECT id FROM jobs ORDER BY seq DESC LIMIT 1")
        await two.turn(commands=[command(job)])
        await _killed(url, one)
        silence(url, "one")
        await two.turn()
        assert await _counted(two) == ends
        await two.turn(after_s=2 * WRITTEN_EVERY_S)
        again = await Node.open(url, "one")
        for node in (again, two):
            await node.turn(after_s=2 * WRITTEN_EVERY_S)
        assert [await _counted(node) for node in (again, two)] == [ends, ends]
        await close(again, two)

    asyncio.run(run())
    checked(url, tmp_path)
