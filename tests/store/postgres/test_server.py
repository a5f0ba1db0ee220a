"""The server with its jobs in PostgreSQL: nothing that was acknowledged is lost when it, or its database, is killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.validate import snapshot_faults
from dispatcher.sdk.simulate import Faults
from dispatcher.store.postgres.link import Link
from tests.crash.checker import Submitter
from tests.store.postgres.cutting import Cutter
from tests.support.places import ROOT, environment
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.process import Refused, ServerProcess, farm_for, quick, serving
from tests.support.rows import in_postgres
from tests.support.waiting import eventually

JOBS = 90


async def _submit_all(submitter: Submitter) -> None:
    waiting = [(f"key-{number}", {"n": number}) for number in range(JOBS)]

    async def one_of_them() -> None:
        while waiting:
            await submitter.submit(*waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(one_of_them())


async def _all_done(server: ServerProcess) -> bool:
    counts = (await server.get("/api/v1/stats"))["jobs"]
    return sum(counts.values()) >= JOBS and all(not n for state, n in counts.items() if state != "succeeded")


async def _run(directory: Path, database: Postgres, url: str) -> Submitter:
    async with serving(directory, "--store", url, *quick()) as server:
        submitter = Submitter(server)
        farm = farm_for(server, workers=6, seed=1, faults=Faults(slow_s=(0.0, 0.02)))
        await farm.start()

        async def reached(point: int) -> None:
            steps = 2 * JOBS * point // 4
            await eventually(lambda: len(submitter.accepted) + farm.stats["recorded"] >= steps, what=f"{steps} steps")

        async def kill_now_and_then() -> None:
            await reached(1)
            await server.restart()
            await reached(2)
            await asyncio.to_thread(database.stop, "immediate")
            await asyncio.to_thread(database.start)
            await reached(3)
            await server.restart()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_submit_all(submitter))
                group.create_task(kill_now_and_then())
            await eventually(lambda: _all_done(server), what="every job is done")
        finally:
            await farm.stop()
        assert server.starts == 3
        assert await server.stop() == 0
        return submitter


def test_nothing_is_lost_when_the_server_and_its_database_are_killed(tmp_path: Path, server: Postgres) -> None:
    name = server.new_database()
    submitter = asyncio.run(_run(tmp_path, server, server.url(name)))
    with psycopg.connect(server.url(name), options="-c search_path=pagehand") as connection:
        rows = in_postgres(Link(connection))
    assert snapshot_faults(rows) == []
    keys = [job.key for job in rows.jobs.values()]
    assert sorted(filter(None, keys)) == sorted(f"key-{number}" for number in range(JOBS))
    assert {job.state for job in rows.jobs.values()} == {JobState.SUCCEEDED}
    assert len(submitter.accepted) == JOBS


def _said(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys, server; sys.exit(server.migrate(sys.argv[1:]))"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60)


def test_migrate_says_which_schema_a_database_has_and_no_password(server: Postgres) -> None:
    url = server.network_url(server.new_database())
    refused = _said("--store", url)
    assert refused.returncode == 3
    assert "there is no store to migrate" in refused.stderr
    server.sql(url.rpartition("/")[2], "CREATE SCHEMA pagehand; CREATE TABLE pagehand.meta (schema integer, key bytea);"
               "INSERT INTO pagehand.meta VALUES (0, 'abc')")  # fmt: skip
    done = _said("--store", url)
    assert done.returncode == 0, done.stderr
    assert "schema 1, was 0" in done.stdout
    for text in (refused.stderr, refused.stdout, done.stdout, done.stderr):
        assert "a-pass" not in text
        assert "pass%20word" not in text


async def _away(directory: Path, database: Postgres, url: str) -> None:
    async with serving(directory, "--store", url, *quick()) as server:
        farm = farm_for(server, workers=2, seed=1, faults=Faults())
        await farm.start()
        submitter = Submitter(server)
        await submitter.submit("before", 1)
        # A COMMIT on its way would be asked after as long as the database is away.
        await eventually(lambda: _are_done(server, 1), what="the job is done, and nothing is on its way")
        await asyncio.to_thread(database.stop)
        refused = await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": 1})
        assert (refused.status, refused.json()["code"]) == (503, "storage_away")
        assert refused.headers["retry-after"] == "5"
        for path in ("/api/v1/jobs", "/api/v1/stats", "/jobs", "/", "/metrics", "/api/v1/types", "/readyz?verbose"):
            answer = await server.request("GET", path)
            assert answer.status in (200, 503), (path, answer)
        assert (await server.request("GET", "/readyz")).status == 503
        assert (await server.request("GET", "/livez")).status == 200
        await asyncio.to_thread(database.start)
        await submitter.submit("behind", 2)
        await eventually(lambda: _are_done(server, 2), what="both jobs are done")
        assert (await server.request("GET", "/readyz")).status == 200
        await farm.stop()
        assert await server.stop() == 0
        assert "a-pass" not in server.log.read_text()


async def _are_done(server: ServerProcess, number: int) -> bool:
    return bool((await server.get("/api/v1/stats"))["jobs"]["succeeded"] == number)


def test_while_the_database_is_away_the_server_says_so_and_then_goes_on(tmp_path: Path, server: Postgres) -> None:
    asyncio.run(_away(tmp_path, server, server.network_url(server.new_database())))


@pytest.mark.parametrize("words", [b"nextval('lives')", b"WHERE t.jobs > 0"], ids=["opens", "starts"])
def test_a_database_that_goes_away_while_the_server_starts_is_told_in_words(
    tmp_path: Path, server: Postgres, words: bytes
) -> None:
    cutter = Cutter(server.port, words=words)
    cutter.cut = "before"
    url = server.network_url(server.new_database(), port=cutter.port)
    try:
        with pytest.raises(Refused, match=r"exit status 3: pagehand: .*start this server again") as told:
            asyncio.run(ServerProcess(tmp_path, "--store", url).start())
    finally:
        cutter.close()
    assert "Traceback" not in told.value.said


def test_a_request_that_is_on_its_way_when_a_start_is_refused_gets_no_answer(tmp_path: Path, server: Postgres) -> None:
    url = server.url(server.new_database())
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    second = ServerProcess(tmp_path / "second", "--store", url, port=free_port())

    async def connected() -> bool:
        try:
            streams.append(await asyncio.open_connection("127.0.0.1", second.port))
        except OSError:
            return False
        return True

    async def run() -> bytes:
        async with serving(tmp_path / "first", "--store", url):
            starting = asyncio.ensure_future(second.start())
            await eventually(connected, what="it listens")
            reader, writer = streams[0]
            writer.write(b"POST /api/v1/jobs/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n[")
            with pytest.raises(Refused, match="in use by another server"):
                await starting
            try:
                return await reader.read()
            except ConnectionError:
                return b""
            finally:
                writer.transport.abort()

    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    assert asyncio.run(run()) == b""
