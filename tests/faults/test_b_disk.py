"""Faults of the disk below the real server: full, failing, slow, read-only (faults B3 to B7, B10; promise S23)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dispatcher.sdk.simulate import Farm, Faults
from tests.campaigns.steps_process import Player
from tests.campaigns.syscalls import Point, Stage
from tests.support.disks import Tmpfs, ext4, needs_mounts, tmpfs
from tests.support.http import Reply
from tests.support.ports import free_port
from tests.support.process import Refused, ServerProcess, farm_for, quick, serving
from tests.support.strace import injected, needs_strace
from tests.support.waiting import PATIENCE_S, eventually

#: ``tests.campaigns.steps`` ends so.
REFUSED = 3
#: The time from the notice to the end of the process (S23), and what a loaded machine may add.
EXIT_S = 2.0 + 3.0
#: Flags: the disk is nearly full with less than 8 MiB; a page repeats its result every 0.5 s.
SMALL = ("--low-disk", str(8 << 20), "--store-check-s", "0.2", *quick(offer_ttl_s=1, restart_grace_s=60))
_JOB = {"type": "echo", "data": "x" * 2000}


async def _ready(server: ServerProcess) -> Reply:
    return await server.request("GET", "/readyz?verbose")


async def _post(server: ServerProcess, key: str) -> Reply:
    return await server.request("POST", "/api/v1/jobs", _JOB, key=key)


async def _counts(server: ServerProcess) -> dict[str, int]:
    counts: dict[str, int] = (await server.get("/api/v1/stats"))["jobs"]
    return {state: number for state, number in counts.items() if number}


def _counted(server: ServerProcess, **wanted: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return await _counts(server) == wanted

    return reached


def _is_ready(server: ServerProcess, status: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return (await _ready(server)).status == status

    return reached


async def _pages_at_work(server: ServerProcess, *, seconds: float, results: int) -> Farm:
    """Six pages, each with a job that takes ``seconds``; their results have ``results`` bytes."""
    farm = farm_for(server, workers=6, faults=Faults(slow_s=(seconds, seconds)), task=lambda *_: f'"{"r" * results}"')
    await farm.start()
    for number in range(6):
        assert (await _post(server, f"running-{number}")).status == 201

    async def accepted() -> bool:
        jobs = (await server.get("/api/v1/jobs?state=running"))["items"]
        return len(jobs) == 6 and all(job["started_at"] for job in jobs)

    await eventually(accepted, what="six pages at work")
    return farm


def _refused_for_lack_of_room(answer: Reply) -> None:
    assert (answer.status, answer.json()["code"]) == (503, "storage_full"), answer
    assert int(answer.headers["retry-after"]) > 0


def _more_repeated(farm: Farm, than: int) -> bool:
    return farm.stats["repeated_reports"] > than


async def _heals(server: ServerProcess, disk: Tmpfs, farm: Farm, *, jobs: int) -> None:
    """When there is room, everything comes back: the reserve, readiness, intake; and every job ends."""
    disk.empty()
    await eventually(_is_ready(server, 200), what="ready again")
    assert (disk.place / "jobs.db.ballast").stat().st_size == 4 << 20
    assert (await _post(server, "refused")).status == 201
    await eventually(_counted(server, succeeded=jobs + 1), what="every job has ended well")
    await farm.stop()


def test_fault_B03_on_a_full_disk_jobs_are_refused_and_results_recorded_from_the_reserve(tmp_path: Path) -> None:
    needs_mounts(tmp_path)

    async def scenario() -> None:
        with tmpfs(tmp_path, 32) as disk:
            async with serving(tmp_path, *SMALL, store=disk.place / "jobs.db") as server:
                farm = await _pages_at_work(server, seconds=1.5, results=50_000)
                ballast = disk.place / "jobs.db.ballast"
                assert ballast.exists()
                disk.fill()
                assert disk.free() == 0
                assert await _counts(server) == {"running": 6}, "the disk was full before the first result came"
                _refused_for_lack_of_room(await _post(server, "refused"))
                await eventually(_counted(server, succeeded=6), what="six results recorded on a full disk")
                assert not ballast.exists(), "300 kB found room in the reserve alone"
                _refused_for_lack_of_room(await _post(server, "refused"))
                ready = await _ready(server)
                assert (ready.status, b"[-]room on the store's disk" in ready.body) == (503, True)
                assert (await server.request("GET", "/livez")).status == 200
                assert server.process.returncode is None
                await _heals(server, disk, farm, jobs=6)
                assert len(farm.executed) == 7, "no job ran twice"

    asyncio.run(scenario())


def test_fault_B04_on_a_disk_without_even_a_reserve_pages_keep_their_results_until_there_is_room(
    tmp_path: Path,
) -> None:
    needs_mounts(tmp_path)

    async def scenario() -> None:
        with tmpfs(tmp_path, 32) as disk:
            async with serving(tmp_path, *SMALL, store=disk.place / "jobs.db") as server:
                farm = await _pages_at_work(server, seconds=1.5, results=900_000)
                disk.fill()
                # 5.4 MB of results do not fit into 4 MiB; whatever the server gives up, somebody else takes.
                while (seen := farm.stats["repeated_reports"]) < 12:
                    disk.fill()
                    await farm.until(partial(_more_repeated, farm, seen), timeout_s=PATIENCE_S)
                held = await _counts(server)
                assert held.get("running", 0) > 0, "some result found no room"
                assert sum(held.values()) == 6
                assert len(farm.executed) == 6, "their leases are held: nobody else gets the jobs"
                _refused_for_lack_of_room(await _post(server, "refused"))
                running = (await server.get("/api/v1/jobs?state=running"))["items"][0]["id"]
                _refused_for_lack_of_room(await server.request("POST", f"/api/v1/jobs/{running}/cancel", {}))
                assert (await _ready(server)).status == 503
                await server.logged("what pages say waits")
                await _heals(server, disk, farm, jobs=6)
                assert len(farm.executed) == 7, "no job ran twice"
                assert {outcome.verdict for outcome in farm.outcomes} <= {"recorded", "duplicate"}

    asyncio.run(scenario())


def test_fault_B04_a_server_may_stop_while_its_disk_is_full_and_nothing_unrecorded_was_acknowledged(
    tmp_path: Path,
) -> None:
    needs_mounts(tmp_path)

    async def scenario() -> None:
        with tmpfs(tmp_path, 32) as disk:
            async with serving(tmp_path, *SMALL, "--drain-s", "0.1", store=disk.place / "jobs.db") as server:
                farm = await _pages_at_work(server, seconds=1.0, results=900_000)
                disk.fill()
                while b"what pages say waits" not in server.log.read_bytes():
                    disk.fill()
                    await _counts(server)
                assert await server.stop() == 0
                disk.empty()
                await server.start()
                await eventually(_counted(server, succeeded=6), what="the results, given again by their pages")
                assert len(farm.executed) == 6
                await farm.stop()

    asyncio.run(scenario())


def test_fault_B04_a_start_without_room_for_a_log_is_refused_in_words_and_goes_on_with_the_room(tmp_path: Path) -> None:
    """After a stop in good order there is no log. One that a crash or a full disk has left may have room in itself,
    behind what is committed: what a turn wrote that found no room for its end."""
    needs_mounts(tmp_path)

    async def scenario() -> None:
        with tmpfs(tmp_path, 32) as disk:
            server = ServerProcess(tmp_path, *SMALL, store=disk.place / "jobs.db")
            await server.start()
            job = await server.submit("kept")
            assert await server.stop() == 0
            disk.fill()
            with pytest.raises(Refused, match=r"jobs\.db cannot be opened: its disk is full: make room") as refused:
                await server.start()
            assert refused.value.status == 3
            disk.empty()
            await server.start()
            assert (await server.job(job["id"]))["data"] == "kept"
            assert await server.stop() == 0
            server.assert_clean_log()

    asyncio.run(scenario())


# failing


async def _submit_until_it_fails(server: ServerProcess) -> tuple[dict[str, str], list[int]]:
    """Key -> id of what was acknowledged, and the statuses of the other answers, until nobody answers."""
    accepted: dict[str, str] = {}
    refused: list[int] = []
    for number in range(1000):
        key = f"key-{number}"
        try:
            answer = await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": number}, key=key)
        except (OSError, EOFError):
            return accepted, refused
        if answer.status == 201:
            assert not refused, "it acknowledges after its store has failed"
            accepted[key] = answer.json()["id"]
        else:
            refused.append(answer.status)
            await asyncio.sleep(0.02)  # until the process ends
    raise AssertionError("the server does not end")


async def _fails_and_ends(server: ServerProcess) -> dict[str, str]:
    """The server answers 503, says why, and ends in time. Returns the acknowledged jobs."""
    began = asyncio.get_running_loop().time()
    accepted, refused = await _submit_until_it_fails(server)
    assert await server.ended() == 1
    assert asyncio.get_running_loop().time() - began < EXIT_S
    assert refused
    assert set(refused) == {503}
    log = server.log.read_bytes()
    assert b"ERROR pagehand.turns the store failed: " in log
    assert b"ERROR pagehand the store has failed: the server ends, start it again" in log
    return accepted


async def _recovers(server: ServerProcess, accepted: dict[str, str]) -> None:
    """The next start has all acknowledged jobs, and at most one job whose fate was unknown."""
    await server.start()
    for key, job_id in accepted.items():
        assert key == f"key-{(await server.job(job_id))['data']}"
    jobs = (await server.get("/api/v1/jobs"))["items"]
    assert len(jobs) in (len(accepted), len(accepted) + 1), "the turn that failed is there or is not"
    assert (await _post(server, "after")).status == 201


@asynccontextmanager
async def _settled(tmp_path: Path, *flags: str) -> AsyncIterator[ServerProcess]:
    """A server whose next write is that of the next job: what it notes of its start goes with an earlier turn."""
    async with serving(tmp_path, *flags) as server:
        assert (await server.request("POST", "/api/v1/types/unused/pause", {})).status == 200
        yield server


@asynccontextmanager
async def _served_through(tmp_path: Path, call: str, fault: str) -> Any:
    needs_strace()
    async with _settled(tmp_path) as server, injected(server.process.pid, call, fault):
        yield server


@pytest.mark.parametrize("number", [1, 2, 7])
def test_fault_B05_a_write_that_fails_ends_the_server_and_the_next_start_recovers(tmp_path: Path, number: int) -> None:
    async def scenario() -> None:
        async with _served_through(tmp_path, "pwrite64", f"error=EIO:when={number}") as server:
            accepted = await _fails_and_ends(server)
            assert len(accepted) < number
            await _recovers(server, accepted)

    asyncio.run(scenario())


@pytest.mark.parametrize("number", [1, 2, 7])
def test_fault_B06_a_sync_that_fails_acknowledges_nothing_and_ends_the_server(tmp_path: Path, number: int) -> None:
    async def scenario() -> None:
        async with _served_through(tmp_path, "fdatasync", f"error=EIO:when={number}") as server:
            accepted = await _fails_and_ends(server)
            assert len(accepted) == number - 1
            await _recovers(server, accepted)

    asyncio.run(scenario())


def test_fault_B06_a_sync_that_fails_while_a_store_is_made_or_opened_refuses_it_in_words(tmp_path: Path) -> None:
    """SQLite hides some of them, and goes on without a log. (What follows is the campaign's: tests/campaigns.)"""
    needs_strace()
    with Player(tmp_path) as player:
        stage = Stage(tmp_path, player)
        outcomes = [stage.play(Point("intake", "fdatasync", number, "error=EIO")) for number in range(6, 18)]
    assert [outcome.wrong for outcome in outcomes if outcome.wrong] == []
    assert sum(outcome.status == REFUSED for outcome in outcomes) > 3


def test_fault_B07_a_sync_of_five_seconds_costs_time_alone_and_intake_is_bounded_meanwhile(tmp_path: Path) -> None:
    needs_strace()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with (
            _settled(tmp_path, "--intake-queue", "5") as server,
            injected(server.process.pid, "fdatasync", "delay_exit=5000000:when=1") as called,
        ):
            began = loop.time()
            first = asyncio.create_task(_post(server, "first"))
            await asyncio.wait_for(called.wait(), PATIENCE_S)
            others = [asyncio.create_task(_post(server, f"other-{number}")) for number in range(8)]
            slowest = 0.0
            while not first.done():
                asked = loop.time()
                assert (await server.request("GET", "/livez")).status == 200
                slowest = max(slowest, loop.time() - asked)
                if loop.time() - began < 4.0:
                    refused = [task.result() for task in others if task.done()]
            assert loop.time() - began >= 5.0
            assert slowest < 1.0, "the loop waited for the disk"
            assert (await first).status == 201
            assert len(refused) == 3, "five wait, and the others are told so at once"
            for answer in refused:
                assert (answer.status, answer.json()["code"]) == (503, "unavailable")
                assert int(answer.headers["retry-after"]) > 0
            assert sorted([(await task).status for task in others]) == [201] * 5 + [503] * 3
            assert await _counts(server) == {"queued": 6}, "what was refused has left no trace"

    asyncio.run(scenario())


# read-only, and gone


def test_fault_B10_on_a_read_only_file_system_the_start_says_so_and_changes_nothing(tmp_path: Path) -> None:
    needs_mounts(tmp_path)

    async def scenario() -> None:
        image = tmp_path / "kept.img"
        server = ServerProcess(tmp_path, store=tmp_path / "disk" / "jobs.db")
        with ext4(tmp_path, image=image):
            await server.start()
            accepted = {"key-1": (await server.submit(1, key="key-1"))["id"]}
            assert await server.stop() == 0
        with ext4(tmp_path, image=image, read_only=True) as disk:
            with pytest.raises(
                Refused, match=r"cannot be written.*check its owner, its rights and the disk"
            ) as refused:
                await server.start()
            assert refused.value.status == 3
            new = ServerProcess(tmp_path, store=disk.place / "new.db")
            with pytest.raises(Refused, match=r"new\.db cannot be used \(.*Read-only file system") as refused:
                await new.start()
            assert refused.value.status == 3
        with ext4(tmp_path, image=image):
            await _recovers(server, accepted)
            assert await server.stop() == 0
        server.assert_clean_log()

    asyncio.run(scenario())


def test_fault_B10_a_disk_that_goes_away_while_it_runs_ends_the_server(tmp_path: Path) -> None:
    needs_mounts(tmp_path)

    async def scenario() -> None:
        image = tmp_path / "kept.img"
        server = ServerProcess(tmp_path, port=free_port(), store=tmp_path / "disk" / "jobs.db")
        with ext4(tmp_path, image=image) as disk:
            await server.start()
            before = [await server.submit(number, key=f"key-{number}") for number in range(5000, 5003)]
            disk.pull_out()
            assert await _fails_and_ends(server) == {}
        with ext4(tmp_path, image=image):
            await _recovers(server, {f"key-{job['data']}": job["id"] for job in before})
            await server.kill()
        server.assert_clean_log()

    asyncio.run(scenario())
