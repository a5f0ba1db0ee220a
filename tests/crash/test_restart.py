"""What a restart does to running attempts, and which process may be a server at all (S18, faults A14 and more)."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from dispatcher.sdk.simulate import Faults
from tests.support.process import Refused, ServerProcess, farm_for, quick, serving
from tests.support.waiting import PATIENCE_S, eventually


def test_an_accepted_attempt_goes_on_with_the_page_that_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick(restart_grace_s=30)) as server:
            farm = farm_for(server, faults=Faults(slow_s=(3.0, 3.0)))
            await farm.start()
            job = await server.submit("x", max_attempts=1, max_crashes=0)
            await farm.until(lambda: len(farm.executed) == 1, timeout_s=PATIENCE_S)
            await _accepted(server, job["id"])
            await server.restart()
            assert (await server.job(job["id"]))["state"] == "running"
            done = await server.job(job["id"], wait_s=10)
            assert (done["state"], done["number"]) == ("succeeded", 1)
            assert [(a["number"], a["state"]) for a in done["attempts"]] == [(1, "succeeded")]
            assert len(farm.executed) == 1
            await farm.stop()

    asyncio.run(scenario())


async def _accepted(server: ServerProcess, job_id: str) -> None:
    """The accept is durable."""

    async def started() -> bool:
        return (await server.job(job_id))["started_at"] is not None

    await eventually(started, what="the accept is recorded")


def test_an_accepted_attempt_whose_page_stays_away_is_lost_after_the_grace_and_uses_up_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with serving(tmp_path, *quick(restart_grace_s=1.5, reconnect_grace_s=60)) as server:
            hanging = farm_for(server, faults=Faults(never_answer=1.0))
            await hanging.start()
            job = await server.submit("x", max_attempts=1, max_crashes=0)
            await hanging.until(lambda: len(hanging.executed) == 1, timeout_s=PATIENCE_S)
            await _accepted(server, job["id"])
            await server.kill()
            await hanging.stop(bye=False)
            before = loop.time()
            await server.start()
            started = loop.time()
            assert (await server.job(job["id"]))["state"] == "running"
            await eventually(lambda: _is(server, job["id"], "queued"), what="the attempt is lost")
            # The grace ran from some instant of the start.
            assert loop.time() - before >= 1.5
            assert loop.time() - started < 1.5 + 2.0
            lost = await server.job(job["id"])
            assert (lost["errors"], lost["crashes"], lost["number"]) == (0, 0, 1)
            assert [(a["number"], a["state"]) for a in lost["attempts"]] == [(1, "lost")]
            farm = farm_for(server)
            await farm.start()
            done = await server.job(job["id"], wait_s=10)
            assert (done["state"], done["number"]) == ("succeeded", 2)
            await farm.stop()

    asyncio.run(scenario())


async def _is(server: ServerProcess, job_id: str, state: str) -> bool:
    return bool((await server.job(job_id))["state"] == state)


def test_a_page_that_comes_back_without_the_attempt_ends_it_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick(restart_grace_s=60)) as server:
            farm = farm_for(server, faults=Faults(slow_s=(1.0, 1.0)))
            await farm.start()
            job = await server.submit("x", max_crashes=0)
            await farm.until(lambda: len(farm.executed) == 1, timeout_s=PATIENCE_S)
            await _accepted(server, job["id"])
            await server.kill()
            farm.reload(0, keep_stash=False)
            await server.start()
            done = await server.job(job["id"], wait_s=10)
            assert [(a["number"], a["state"]) for a in done["attempts"]] == [(1, "lost"), (2, "succeeded")]
            assert done["crashes"] == 0
            await farm.stop()

    asyncio.run(scenario())


def test_fault_A06_five_crashes_in_a_row_during_recovery_change_nothing_and_the_grace_does_not_add_up(
    tmp_path: Path,
) -> None:
    grace_s = 2.0

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with serving(tmp_path, *quick(restart_grace_s=grace_s, reconnect_grace_s=60)) as server:
            await server.restart("kill-after-claim", "2")
            farm = farm_for(server, slots=2, faults=Faults(never_answer=1.0))
            await farm.start()
            running = await server.submit("x", max_crashes=0)
            await farm.until(lambda: len(farm.executed) == 1, timeout_s=PATIENCE_S)
            await _accepted(server, running["id"])
            # The second claim is durable, and nobody hears of it.
            with contextlib.suppress(OSError, EOFError):
                await server.submit("claimed", key="claimed", delay_s=0)
            assert await server.ended() == -9
            await farm.stop(bye=False)
            for place in ("open", "look", "turn", "look", "turn"):
                with pytest.raises(Refused) as refused:
                    await server.start(f"kill-after-{place}", "1")
                assert refused.value.status == -9, place
            before = loop.time()
            await server.start()
            started = loop.time()
            claimed = await server.submit("claimed", key="claimed", delay_s=0)
            assert (await server.job(running["id"]))["state"] == "running"
            found = await server.job(claimed["id"])
            assert [(a["number"], a["state"]) for a in found["attempts"]] == [(None, "lapsed")], "once, not five times"
            await eventually(lambda: _is(server, running["id"], "queued"), what="the attempt is lost")
            assert loop.time() - before >= grace_s
            assert loop.time() - started < grace_s + 1.5
            found = await server.job(running["id"])
            assert [(a["number"], a["state"]) for a in found["attempts"]] == [(1, "lost")]
            assert (found["errors"], found["crashes"]) == (0, 0)
            assert await server.stop() == 0

    asyncio.run(scenario())


def test_workers_keep_their_identity_over_a_crash(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick()) as server:
            farm = farm_for(server, workers=3)
            await farm.start()
            await farm.registered()
            known = {page.identity.worker for page in farm.pages if page.identity}
            await server.restart()
            await farm.until(lambda: farm.stats["registered"] >= 6, timeout_s=PATIENCE_S)
            assert {page.identity.worker for page in farm.pages if page.identity} == known
            assert farm.stats["new_identities"] == 0
            assert {worker["id"] for worker in (await server.get("/api/v1/workers"))["items"]} == known
            await farm.stop()

    asyncio.run(scenario())


def test_fault_A14_a_second_server_on_the_same_file_is_refused_and_the_first_is_unharmed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as first:
            job = await first.submit("x")
            (tmp_path / "second").mkdir()
            second = ServerProcess(tmp_path / "second", store=first.store)
            for _ in range(2):
                with pytest.raises(Refused) as refused:
                    await second.start()
                assert refused.value.status == 3
                assert _one_line(refused.value.said, "is in use by another server", str(first.store))
            assert (await first.job(job["id"]))["state"] == "queued"
            assert (await first.submit("y"))["state"] == "queued"
            assert await first.stop() == 0
            await second.start()
            assert len((await second.get("/api/v1/jobs"))["items"]) == 2
            await second.kill()

    asyncio.run(scenario())


def _one_line(said: str, *parts: str) -> bool:
    """The last words of the server are one line of ours that names these parts."""
    line = said.splitlines()[-1]
    return line.startswith("pagehand: ") and all(part in line for part in parts)


def test_of_servers_that_start_at_once_on_a_new_file_exactly_one_serves(tmp_path: Path) -> None:
    async def scenario() -> None:
        for run in range(3):
            directory = tmp_path / str(run)
            rivals = []
            for number in range(3):
                (directory / str(number)).mkdir(parents=True)
                rivals.append(ServerProcess(directory / str(number), store=directory / "jobs.db"))
            outcomes = await asyncio.gather(*(rival.start() for rival in rivals), return_exceptions=True)
            serving_now = [rival for rival, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
            assert len(serving_now) == 1, outcomes
            assert {error.status for error in outcomes if isinstance(error, Refused)} == {3}
            await serving_now[0].submit("x")
            await serving_now[0].kill()
            await rivals[0].start()
            assert len((await rivals[0].get("/api/v1/jobs"))["items"]) == 1
            await rivals[0].kill()
            for rival in rivals:
                rival.assert_clean_log()
            assert not list(directory.glob("*.new*"))

    asyncio.run(scenario())


def test_a_port_in_use_is_refused_with_a_status_of_its_own_and_the_store_is_let_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as first:
            (tmp_path / "second").mkdir()
            second = ServerProcess(tmp_path / "second", port=first.port)
            with pytest.raises(Refused) as refused:
                await second.start()
            assert refused.value.status == 4
            assert _one_line(refused.value.said, f"cannot listen on 127.0.0.1:{first.port}", "--port")
            await first.get("/api/v1/jobs")
            second.port = 0
            await second.start()
            await second.kill()

    asyncio.run(scenario())


def _root_page(store: Path, table: str) -> int:
    database = sqlite3.connect(store)
    (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    database.close()
    return int(page)


def test_a_damaged_store_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = ServerProcess(tmp_path)
        await server.start()
        for number in range(50):
            await server.submit("x" * 500, key=f"key-{number}")
        assert await server.stop() == 0
        damaged = bytearray(server.store.read_bytes())
        start = (_root_page(server.store, "jobs") - 1) * 4096
        damaged[start : start + 64] = b"\xff" * 64
        server.store.write_bytes(damaged)
        with pytest.raises(Refused) as refused:
            await server.start()
        assert refused.value.status == 3
        assert _one_line(refused.value.said, "is damaged", "restore a backup")
        assert server.store.read_bytes() == damaged

    asyncio.run(scenario())
