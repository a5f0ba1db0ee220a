"""Two servers on one database: one is killed, or stopped and woken; nothing is lost or recorded twice (S25, S26)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.validate import Snapshot, snapshot_faults
from dispatcher.sdk.simulate import Farm, Faults, Reconnect
from dispatcher.store.postgres.link import Link
from tests.crash.checker import Submitter
from tests.store.postgres.several import silence, sql
from tests.support.postgres import new_database
from tests.support.process import Refused, ServerProcess, farm_for, quick, serving
from tests.support.rows import in_postgres
from tests.support.waiting import eventually

JOBS = 80
SLOW = Faults(slow_s=(0.0, 0.1))


@asynccontextmanager
async def _two(directory: Path, url: str) -> AsyncIterator[tuple[ServerProcess, ServerProcess]]:
    """The servers ``a`` and ``b``."""
    async with AsyncExitStack() as stack:
        servers = []
        for node in ("a", "b"):
            place = directory / node
            place.mkdir()
            servers.append(await stack.enter_async_context(serving(place, "--store", url, "--node", node, *quick())))
        yield servers[0], servers[1]


def _rows(url: str) -> Snapshot:
    with psycopg.connect(url, options="-c search_path=pagehand") as connection:
        return in_postgres(Link(connection))


async def _submitted(servers: tuple[ServerProcess, ...], jobs: int, prefix: str) -> list[Submitter]:
    """So many jobs have been taken in, by each server in turn."""
    submitters = [Submitter(server) for server in servers]
    await asyncio.gather(*(submitters[n % len(servers)].submit(f"{prefix}-{n}", {"n": n}) for n in range(jobs)))
    return submitters


async def _all_done(server: ServerProcess, jobs: int) -> bool:
    counts = (await server.get("/api/v1/stats"))["jobs"]
    return bool(counts["succeeded"] == jobs)


async def _running(url: str, node: str) -> bool:
    """Whether pages of the node have accepted jobs that are not done."""
    counted = "SELECT count(*) FROM jobs WHERE state = 'running' AND node = %s AND started_at IS NOT NULL"
    return bool((await asyncio.to_thread(sql, url, counted, node))[0][0])


def _judge(url: str, jobs: int) -> None:
    rows = _rows(url)
    assert snapshot_faults(rows) == []
    assert Counter(job.state for job in rows.jobs.values()) == {JobState.SUCCEEDED: jobs}
    assert {job.crashes for job in rows.jobs.values()} == {0}, "the end of a server counts against no job"


async def _farms(*servers: ServerProcess) -> list[Farm]:
    farms = [farm_for(server, workers=3, seed=n, faults=SLOW) for n, server in enumerate(servers)]
    for farm in farms:
        await farm.start()
    return farms


def test_what_a_killed_node_had_is_done_by_the_others_and_it_may_come_again(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        async with _two(tmp_path, url) as (a, b):
            farms = await _farms(a, b)
            try:
                await _submitted((a, b), JOBS, "first")
                await eventually(lambda: _running(url, "a"), what="pages of a work")
                await a.kill()
                await asyncio.to_thread(silence, url, "a")
                await _submitted((b,), JOBS, "second")
                await eventually(lambda: _all_done(b, 2 * JOBS), what="b does all")
                await a.start()
                await _submitted((a, b), JOBS, "third")
                await eventually(lambda: _all_done(a, 3 * JOBS), what="both do the rest")
            finally:
                for farm in farms:
                    await farm.stop()
            assert (await a.stop(), await b.stop()) == (0, 0)

    asyncio.run(run())
    _judge(url, 3 * JOBS)


def test_a_node_that_was_stopped_and_wakes_after_others_took_over_ends_and_harms_nothing(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        async with _two(tmp_path, url) as (a, b):
            farms = await _farms(a, b)
            try:
                await _submitted((a, b), JOBS, "first")
                await eventually(lambda: _running(url, "a"), what="pages of a work")
                a.signal(signal.SIGSTOP)
                await eventually(lambda: _is_idle(url, "a"), what="no turn of a is left", timeout_s=60.0)
                await asyncio.to_thread(silence, url, "a")
                await eventually(lambda: _all_done(b, JOBS), what="b does all")
                a.signal(signal.SIGCONT)
                assert await a.ended() == 1
                assert "life 1 of node 'a' is over" in a.log.read_text()
                await a.start()
                await _submitted((a,), 5, "second")
                await eventually(lambda: _all_done(b, JOBS + 5), what="it is of use again")
            finally:
                for farm in farms:
                    await farm.stop()
            assert (await a.stop(), await b.stop()) == (0, 0)

    asyncio.run(run())
    _judge(url, JOBS + 5)


async def _is_idle(url: str, node: str) -> bool:
    """Whether no transaction of the node is open: else it would hold its row, and would not be gone."""
    rows = await asyncio.to_thread(sql, url, "SELECT 1 FROM nodes WHERE node = %s FOR UPDATE SKIP LOCKED", node)
    return bool(rows)


class _Door:
    """What stands in front: it leads each new connection to one server, and knows nothing of sessions."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> _Door:
        self._listener = await asyncio.start_server(self._lead, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._listener.close()
        for writer in self._open:
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.server.port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.wait(
                [asyncio.ensure_future(_pumped(reader, back)), asyncio.ensure_future(_pumped(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        for end in (writer, back):
            end.transport.abort()
            self._open.discard(end)


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()


def test_pages_of_a_killed_node_go_on_at_another_one_with_what_they_have(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        async with _two(tmp_path, url) as (a, b), _Door(a) as door:
            slow = Faults(slow_s=(2.0, 3.0))
            farm = Farm(door.url, reconnect=Reconnect(base_s=0.05, max_s=0.2), workers=6, seed=1, faults=slow)
            await farm.start()
            try:
                await _submitted((b,), 6, "first")
                await eventually(lambda: _all_run(url, 6), what="each page has accepted a job")
                await a.kill()
                door.server = b
                await eventually(lambda: _all_done(b, 6), what="b has all results")
            finally:
                await farm.stop()
            assert await b.stop() == 0

    asyncio.run(run())
    _judge(url, 6)
    attempts = sql(url, "SELECT cause, node FROM attempts")
    assert attempts == [("succeeded", "b")] * 6, "none was lost, and none was done twice"


async def _all_run(url: str, jobs: int) -> bool:
    counted = "SELECT count(*) FROM jobs WHERE state = 'running' AND node = 'a' AND started_at IS NOT NULL"
    return bool((await asyncio.to_thread(sql, url, counted))[0][0] == jobs)


def test_ten_posts_at_once_with_one_key_over_two_nodes_make_one_job(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        async with _two(tmp_path, url) as servers:
            for number in range(5):
                body = {"type": "echo", "data": number}
                posts = [
                    servers[post % 2].request("POST", "/api/v1/jobs", body, key=f"key-{number}") for post in range(10)
                ]
                answers = await asyncio.gather(*posts)
                assert sorted(answer.status for answer in answers) == [200] * 9 + [201]
                assert len({answer.json()["id"] for answer in answers}) == 1

    asyncio.run(run())
    assert len(_rows(url).jobs) == 5


def test_a_second_server_of_the_same_name_is_refused_and_one_of_another_name_is_not(tmp_path: Path) -> None:
    url = new_database()

    async def run() -> None:
        async with _two(tmp_path, url) as (a, _):
            other = tmp_path / "other"
            other.mkdir()
            second = ServerProcess(other, "--store", url, "--node", "a")
            refused = await _refused(second)
            assert refused.status == 3
            assert "node 'a' of" in refused.said
            assert "give this one a name of its own with --node" in refused.said
            assert (await a.submit())["state"] == "queued"

    asyncio.run(run())


async def _refused(server: ServerProcess) -> Refused:
    with pytest.raises(Refused) as caught:
        await server.start()
    return caught.value
