"""Section D of the fault catalogue: packets that get lost, in the test's own network namespace.

A real server process and the simulated pages. ``PAGEHAND_FAULTS=long`` takes the usual pings and a partition of five
minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dispatcher.sdk.simulate import Farm, Faults, Reconnect
from tests.crash.checker import Submitter, check
from tests.faults.d_namespace import PAGES, dropped, in_namespace, iptables
from tests.faults.d_runs import QUICK, all_done
from tests.faults.d_support import LONG
from tests.support.process import ServerProcess, serving
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PING_S = 20.0 if LONG else 0.5
PARTITION_S = 300.0 if LONG else 4.0
LOSS = ("-m", "statistic", "--mode", "random", "--probability", "0.2", "-j", "DROP")
PATIENCE_S = 120.0 if LONG else 30.0


@asynccontextmanager
async def house(directory: Path, *flags: str) -> AsyncIterator[ServerProcess]:
    """A server at every address of the namespace."""
    pings = ("--ping-interval-s", f"{PING_S:g}", "--ping-timeout-s", f"{PING_S:g}")
    async with serving(directory, "--bind", "0.0.0.0", "--insecure", *pings, *flags) as server:
        yield server


def farm_behind(server: ServerProcess, address: str, **fields: Any) -> Farm:
    return Farm(f"http://{address}:{server.port}", **{"reconnect": QUICK, **fields})


def swallow(what: str = "-A") -> None:
    """From now on nothing passes between the pages and the server, and nobody is told; ``-D`` ends it."""
    for way in ("-s", "-d"):
        iptables(what, "INPUT", way, PAGES, "-j", "DROP")


async def states(server: ServerProcess) -> dict[str, int]:
    """How many workers are in each state."""
    found: dict[str, int] = {}
    for worker in (await server.get("/api/v1/workers"))["items"]:
        found[worker["state"]] = found.get(worker["state"], 0) + 1
    return found


async def is_in(server: ServerProcess, job: dict[str, Any], *wanted: str) -> bool:
    return (await server.job(job["id"]))["state"] in wanted


def test_fault_D08_a_fifth_of_all_packets_is_lost_and_all_jobs_are_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as server:
            for way in ("-s", "-d"):
                iptables("-A", "INPUT", way, PAGES, *LOSS)
            farm = farm_behind(server, PAGES, workers=8)
            await farm.start()
            submitter = Submitter(server)
            jobs = 200 if LONG else 20
            for number in range(jobs):
                await submitter.submit(f"key-{number}", {"n": number, "data": "x" * 3_000})
            await eventually(lambda: all_done(server, jobs), what="every job is done", timeout_s=90)
            await farm.stop(bye=False)
            assert await server.stop() == 0
            findings = check(server.store, submitter, farm.executed)
            print(f"{dropped()} packets were lost; {findings.repeated_executions} of {jobs} jobs ran twice")
            assert dropped() >= jobs
            assert findings.violations == []

    in_namespace(scenario)


def test_fault_D09_a_worker_that_vanishes_without_a_FIN_is_quiet_and_its_leases_end_by_their_own_clocks(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as server:
            farm = farm_behind(server, PAGES, slots=2, faults=Faults(never_answer=1.0))
            await farm.start()
            timed = await server.submit("timeout", timeout_s=8 * PING_S)
            beating = await server.submit("heartbeat", heartbeat_s=6 * PING_S, timeout_s=3_600)
            await farm.until(lambda: len(farm.executed) == 2, timeout_s=PATIENCE_S)
            swallow()
            await eventually(lambda: _all_are(server, "quiet"), what="the worker is quiet", timeout_s=2 * PING_S + 5)
            waiting = await server.submit("no offer")
            for job in (timed, beating):
                assert await is_in(server, job, "running"), "a missed pong ends nothing"
            await eventually(lambda: is_in(server, beating, "queued"), what="no heartbeat", timeout_s=PATIENCE_S)
            await eventually(
                lambda: is_in(server, timed, "queued", "scheduled"), what="timed out", timeout_s=PATIENCE_S
            )
            unoffered = await server.job(waiting["id"])
            assert (unoffered["state"], unoffered["offered_at"], unoffered["attempts"]) == ("queued", None, [])
            other = farm_behind(server, "127.0.0.1")
            await other.start()
            done = [await server.job(job["id"], wait_s=30) for job in (timed, beating, waiting)]
            assert [job["state"] for job in done] == ["succeeded"] * 3
            assert [job["attempts"][0]["state"] for job in done] == ["timed_out", "lost", "succeeded"]
            assert (done[0]["errors"], done[1]["crashes"]) == (1, 1)
            await other.stop()
            await farm.stop(bye=False)

    in_namespace(scenario)


async def _all_are(server: ServerProcess, state: str) -> bool:
    return set(await states(server)) == {state}


def test_fault_D11_after_a_partition_the_pages_are_back_soon_and_late_results_are_taken(tmp_path: Path) -> None:
    """The usual backoff, up to 30 s with full jitter. One job's timeout passes meanwhile; it waits for its backoff."""
    pages = 20

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with house(tmp_path, "--backoff-base-s", "600", "--backoff-max-s", "3600") as server:
            took_s = Faults(slow_s=(PARTITION_S / 2, PARTITION_S / 2))
            farm = farm_behind(server, PAGES, workers=pages, reconnect=Reconnect(), faults=took_s)
            await farm.start()
            await farm.registered()
            running = [await server.submit(n, timeout_s=3_600) for n in range(3)]
            late = await server.submit("late", timeout_s=max(1, PARTITION_S / 4))
            await farm.until(lambda: len(farm.executed) == 4, timeout_s=PATIENCE_S)
            sessions = farm.stats["registered"]
            swallow()
            began = loop.time()
            await eventually(lambda: is_in(server, late, "scheduled"), what="its timeout", timeout_s=PARTITION_S)
            await asyncio.sleep(PARTITION_S - (loop.time() - began))
            assert await _all_are(server, "quiet")
            swallow("-D")
            healed = loop.time()
            await farm.until(lambda: farm.stats["registered"] >= sessions + pages, timeout_s=60)
            back_s = loop.time() - healed
            print(f"{pages} pages are back {back_s:.1f} s after a partition of {PARTITION_S:g} s")
            assert back_s <= 30
            done = [await server.job(job["id"], wait_s=30) for job in (*running, late)]
            assert [job["state"] for job in done] == ["succeeded"] * 4
            assert [job["number"] for job in done] == [1] * 4, "nobody ran anything again"
            assert len(farm.executed) == 4
            assert done[3]["attempts"][0]["state"] == "timed_out"
            await farm.stop(bye=False)

    in_namespace(scenario)
