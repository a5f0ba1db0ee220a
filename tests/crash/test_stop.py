"""After SIGTERM running jobs may end, the server takes no new ones, and a second signal ends it at once (S21)."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from pathlib import Path

from dispatcher.sdk.simulate import Farm, Faults
from tests.support.http_bytes import Message, Side
from tests.support.process import ServerProcess, farm_for, quick, serving
from tests.support.waiting import PATIENCE_S, eventually


async def _running_job(server: ServerProcess, farm: Farm) -> str:
    """A job that a page has just started; its accept is durable."""
    await farm.start()
    job = await server.submit("x", max_attempts=1, max_crashes=0)
    await farm.until(lambda: len(farm.executed) == 1, timeout_s=PATIENCE_S)

    async def started() -> bool:
        return (await server.job(job["id"]))["started_at"] is not None

    await eventually(started, what="the accept is recorded")
    return str(job["id"])


def _rows(server: ServerProcess) -> list[tuple[str, str, str | None]]:
    """(id, state, result) of every job of a server that has stopped."""
    database = sqlite3.connect(server.store)
    query = "SELECT j.id, j.state, r.value FROM jobs j LEFT JOIN results r ON r.seq = j.seq ORDER BY j.seq"
    rows = database.execute(query).fetchall()
    database.close()
    return rows


def test_fault_A07_a_job_that_runs_may_end_while_the_server_takes_nothing_new(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick()) as server:
            farm = farm_for(server, faults=Faults(slow_s=(1.5, 1.5)))
            running = await _running_job(server, farm)
            waiting = await server.submit("later")
            server.signal(signal.SIGTERM)
            await eventually(lambda: _not_ready(server), what="it is not ready any more")
            answer = await server.request("POST", "/api/v1/jobs", {"type": "echo"}, key="new")
            assert (answer.status, answer.json()["code"]) == (503, "draining")
            assert int(answer.headers["retry-after"]) > 0
            assert (await server.request("GET", "/livez")).status == 200
            assert await server.ended() == 0
            assert _rows(server) == [(running, "succeeded", '"x"'), (waiting["id"], "queued", None)]
            assert farm.stats["drains"] >= 1
            assert len(farm.executed) == 1
            await farm.stop()

    asyncio.run(scenario())


async def _not_ready(server: ServerProcess) -> bool:
    return (await server.request("GET", "/readyz")).status == 503


def test_fault_A08_a_job_longer_than_the_drain_goes_on_with_its_page_after_the_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick(drain_s=0.5, restart_grace_s=30)) as server:
            farm = farm_for(server, faults=Faults(slow_s=(4.0, 4.0)))
            running = await _running_job(server, farm)
            loop = asyncio.get_running_loop()
            asked_at = loop.time()
            assert await server.stop() == 0
            assert loop.time() - asked_at < 0.5 + 2.0
            assert _rows(server) == [(running, "running", None)]
            await server.start()
            done = await server.job(running, wait_s=10)
            assert [(a["number"], a["state"]) for a in done["attempts"]] == [(1, "succeeded")]
            assert len(farm.executed) == 1
            await farm.stop()

    asyncio.run(scenario())


def test_fault_A09_a_second_signal_ends_it_at_once_and_is_still_safe(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick(drain_s=60, restart_grace_s=30)) as server:
            farm = farm_for(server, faults=Faults(slow_s=(3.0, 3.0)))
            running = await _running_job(server, farm)
            server.signal(signal.SIGTERM)
            await eventually(lambda: _not_ready(server), what="it drains")
            server.signal(signal.SIGINT)
            assert await server.ended() == 1
            assert farm.stats["recorded"] == 0
            await server.start()
            assert (await server.job(running, wait_s=10))["state"] == "succeeded"
            assert len(farm.executed) == 1
            await farm.stop()

    asyncio.run(scenario())


def test_fault_A09_an_idle_server_stops_at_once_by_either_signal_and_leaves_its_store_and_the_reserve(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            async with serving(tmp_path, *quick(drain_s=60)) as server:
                farm = farm_for(server, workers=4)
                await farm.start()
                await farm.registered()
                job = await server.submit("x")
                await server.job(job["id"], wait_s=10)
                server.signal(number)
                assert await server.ended() == 0
                await farm.stop()
                assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs.db", "jobs.db.ballast", "server.log"]

    asyncio.run(scenario())


def test_who_waits_for_a_result_is_answered_when_the_server_stops(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick()) as server:
            job = await server.submit("nobody runs it")
            waiting = await Side.connect(server.port)
            host = (("Host", f"127.0.0.1:{server.port}"),)
            waiting.writer.write(Message(f"GET /api/v1/jobs/{job['id']}?wait=30 HTTP/1.1", host).encoded())
            # A later request on a later connection is answered; it waits.
            await eventually(lambda: _served(server), what="it serves")
            assert await server.stop() == 0
            answer = await asyncio.wait_for(waiting.answer("GET"), PATIENCE_S)
            assert (answer.status, json.loads(answer.content)["state"]) == (200, "queued")
            waiting.hang_up()

    asyncio.run(scenario())


async def _served(server: ServerProcess) -> bool:
    return (await server.request("GET", "/livez")).status == 200
