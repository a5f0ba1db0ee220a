"""The database's machine is lost, and its standby takes over: a real one, by streaming replication."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dispatcher.store.postgres.link import Link
from tests.campaigns.kill_checker import Notes, Stored, judged
from tests.crash.checker import Submitter
from tests.support.postgres import Postgres
from tests.support.process import ServerProcess, farm_for, quick, serving
from tests.support.rows import in_postgres
from tests.support.standby import Pair
from tests.support.waiting import PATIENCE_S, check_alive, eventually

SUBMITTERS = 4
#: Jobs that are taken in before something happens to the database, and after it.
SOME = 60


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A primary and its standby."""
    both = Pair()
    try:
        both.start()
        yield both
    finally:
        both.end()


def compared(standby: Postgres, database: str, submitter: Submitter, *, drained: bool) -> list[str]:
    """What is wrong at the database that has taken over. Every page has given its data back, to the letter."""
    with psycopg.connect(standby.url(database), options="-c search_path=pagehand") as connection:
        rows = in_postgres(Link(connection))
    notes = Notes(sent=submitter.sent, accepted=submitter.accepted)
    for seq, job in rows.jobs.items():
        notes.answers[job.key or ""].add(rows.data.get(seq, ""))
    return judged(Stored(rows, []), notes, drained=drained)


class Load:
    """Submitters, as long as it lasts."""

    def __init__(self, server: ServerProcess) -> None:
        self.submitter = Submitter(server)
        self._ending = False
        self._tasks = [asyncio.ensure_future(self._go_on(name)) for name in range(SUBMITTERS)]

    async def _go_on(self, name: int) -> None:
        number = 0
        while not self._ending:
            await self.submitter.submit(f"{name}-{number}", {"n": number})
            number += 1

    async def more(self) -> None:
        """Returns when some more are acknowledged."""
        wanted = len(self.submitter.accepted) + SOME

        def enough() -> bool:
            check_alive(self._tasks)
            return len(self.submitter.accepted) >= wanted

        await eventually(enough, what="more jobs are acknowledged", timeout_s=3 * PATIENCE_S)

    async def end(self) -> None:
        """What was sent is acknowledged."""
        self._ending = True
        await asyncio.gather(*self._tasks)

    async def cut(self) -> None:
        """At once. (A cancellation that meets the end of a ``wait_for`` is lost in Python 3.11: they look, too.)"""
        self._ending = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def test_when_a_synchronous_standby_takes_over_nothing_that_was_acknowledged_is_lost(
    tmp_path: Path, pair: Pair
) -> None:
    database = pair.primary.new_database()

    async def run() -> Submitter:
        async with serving(tmp_path, "--store", pair.url(database), *quick()) as server:
            await asyncio.to_thread(pair.wait_for_standby)
            farm = farm_for(server, workers=3)
            await farm.start()
            load = Load(server)
            await load.more()
            await asyncio.to_thread(pair.fail_over)
            await load.more()
            await load.end()
            await eventually(lambda: _all_done(server, load.submitter), what="all done", timeout_s=3 * PATIENCE_S)
            await farm.stop()
            assert server.starts == 1, "nobody had to start it again"
            assert await server.stop() == 0
        return load.submitter

    submitter = asyncio.run(run())
    assert compared(pair.primary, database, submitter, drained=True) == []


async def _all_done(server: ServerProcess, submitter: Submitter) -> bool:
    counts = (await server.get("/api/v1/stats"))["jobs"]
    return bool(counts["succeeded"] == len(submitter.accepted))


def test_an_asynchronous_standby_lacks_what_it_had_not_received_and_the_check_sees_that(
    tmp_path: Path, pair: Pair
) -> None:
    """What nobody promises, and the control of the test above."""
    database = pair.primary.new_database()

    async def run() -> Submitter:
        async with serving(tmp_path, "--store", pair.url(database), *quick()) as server:
            load = Load(server)
            await load.more()
            pair.standby.set("primary_conninfo", "")
            await eventually(lambda: pair.replicas() == [], what="it follows no more")
            await load.more()
            await load.cut()
            await asyncio.to_thread(pair.fail_over)
        return load.submitter

    submitter = asyncio.run(run())
    found = compared(pair.primary, database, submitter, drained=False)
    lost = [item for item in found if item.startswith("lost")]
    # Each submitter may have had one job on its way when the standby stopped following.
    assert SOME - SUBMITTERS <= len(lost) < len(submitter.accepted)
