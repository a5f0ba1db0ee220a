"""Section D once more for pages that use both transports: every second one a WebSocket, the others long-polling.

Several faults at once with a kill -9 in the middle; a proxy that cuts sockets; nginx that passes WebSockets on, or not.
``PAGEHAND_FAULTS=long`` takes 10,000 jobs each.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dispatcher.sdk.simulate import Farm, Faults
from tests.crash.checker import Submitter, check
from tests.faults.d_runs import QUICK, all_done, work_through
from tests.faults.d_support import LONG
from tests.support.nginx import lines_of, nginx, without_upgrade
from tests.support.process import ServerProcess, farm_for, quick, serving
from tests.support.toxic import ToxicProxy, Toxics, toxic
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800 if LONG else 200)]

JOBS = 10_000 if LONG else 300
PATIENCE_S = 1_200.0 if LONG else 90.0
WEBSOCKETS = "GET /engine.io/.*transport=websocket"


async def transports(server: ServerProcess) -> Counter[str]:
    """What carries the pages that are connected now."""
    return Counter(worker["transport"] for worker in (await server.get("/api/v1/workers"))["items"])


async def all_are_quiet(server: ServerProcess) -> bool:
    """Whether nothing is heard of any page."""
    return {worker["state"] for worker in (await server.get("/api/v1/workers"))["items"]} == {"quiet"}


async def submitted(submitter: Submitter, first: int, last: int) -> None:
    """Jobs, one after the other."""
    for number in range(first, last):
        await submitter.submit(f"key-{number}", {"n": number})


def test_lost_frames_cut_sockets_repeated_posts_reloads_and_a_kill_lose_no_job_and_record_none_twice(
    tmp_path: Path,
) -> None:
    faults = Faults(drop_polls=0.03, swallow_polls=0.02, repeat_posts=0.1, lose_post_answers=0.05, reload=0.02)

    async def scenario() -> None:
        async with serving(tmp_path, *quick()) as server:
            farm = farm_for(server, workers=8, transport="both", faults=faults, seed=9)
            await farm.start()
            await farm.registered()
            assert (await transports(server)).keys() == {"polling", "websocket"}
            submitter = Submitter(server)
            await submitted(submitter, 0, JOBS // 2)
            await eventually(lambda: farm.stats["recorded"] > JOBS // 4, timeout_s=PATIENCE_S)
            async with asyncio.TaskGroup() as group:
                group.create_task(submitted(submitter, JOBS // 2, JOBS))
                group.create_task(server.restart())
            await eventually(lambda: all_done(server, JOBS), what="every job is done", timeout_s=PATIENCE_S)
            await farm.stop(bye=False)
            assert await server.stop() == 0
            findings = check(server.store, submitter, farm.executed)
            print(dict(farm.stats), findings.repeated_executions)
            assert findings.violations == []
            for name in ("dropped_polls", "swallowed_polls", "repeated_posts", "lost_post_answers"):
                assert farm.stats[name] > 0, name
            assert farm.stats["bad_messages"] == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_proxy_that_cuts_each_socket_after_a_second_loses_nothing(tmp_path: Path, how: str) -> None:
    """Each task takes longer than its socket lives: its result comes by the next one."""
    toxics = Toxics(cut_s=1.0, how=how, only=WEBSOCKETS)

    @asynccontextmanager
    async def cutting(upstream: int) -> AsyncIterator[ToxicProxy]:
        async with toxic(upstream) as proxy:
            await proxy.switch(toxics)  # before the sockets come
            yield proxy

    async def scenario() -> None:
        ran = await work_through(
            tmp_path, toxics, proxy_kind=cutting, jobs=JOBS // 10, workers=10, transport="websocket",
            faults=Faults(slow_s=(1.0, 1.5)), timeout_s=PATIENCE_S,
        )  # fmt: skip
        print({name: ran.counters[name] for name in ("sockets", "cut_sockets")}, ran.farm.stats["sessions"])
        assert ran.counters["cut_sockets"] >= 20
        assert ran.repeated == 0
        assert all(job["number"] == 1 for job in ran.jobs)

    asyncio.run(scenario())


def test_a_network_that_swallows_everything_for_a_while_and_closes_nothing_loses_nothing(tmp_path: Path) -> None:
    """Both kinds of pages are quiet, and come back when their server says nothing any more."""
    flags = (*quick(reconnect_grace_s=60), "--ping-interval-s", "1", "--ping-timeout-s", "1")

    async def scenario() -> None:
        async with serving(tmp_path, *flags) as server, toxic(server.port) as proxy:
            farm = Farm(proxy.url, workers=8, transport="both", reconnect=QUICK, faults=Faults(slow_s=(0.01, 0.02)))
            await farm.start()
            await farm.registered()
            submitter = Submitter(server)
            async with asyncio.TaskGroup() as group:
                group.create_task(submitted(submitter, 0, JOBS))
                await farm.until(lambda: farm.stats["recorded"] > JOBS // 10, timeout_s=PATIENCE_S)
                await proxy.switch(Toxics(partition="silent"))
                await eventually(lambda: all_are_quiet(server), what="every page is quiet")
                await proxy.switch()
            await eventually(lambda: all_done(server, JOBS), what="every job is done", timeout_s=PATIENCE_S)
            assert (await transports(server)).keys() == {"polling", "websocket"}
            await farm.stop(bye=False)
            assert await server.stop() == 0
            findings = check(server.store, submitter, farm.executed)
            assert findings.violations == []
            assert findings.repeated_executions <= 8, "an offer that was swallowed may run again, and nothing else"

    asyncio.run(scenario())


async def through_nginx(directory: Path, lines: str, expected: set[str]) -> None:
    door = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with serving(directory, *quick()) as server:
        with nginx(directory / "nginx", door, lines, server.port):
            farm = Farm(url, workers=8, transport="both", reconnect=QUICK, seed=9)
            await farm.start()
            await eventually(lambda: sum(page.registered for page in farm.pages) == 4 * len(expected))
            submitter = Submitter(server)
            await submitted(submitter, 0, JOBS)
            await eventually(lambda: all_done(server, JOBS), what="every job is done", timeout_s=PATIENCE_S)
            assert (await transports(server)).keys() == expected
            await farm.stop(bye=False)
            assert await server.stop() == 0
            findings = check(server.store, submitter, farm.executed)
            assert (findings.violations, findings.repeated_executions) == ([], 0)


def test_nginx_with_the_lines_for_it_passes_websockets_on(tmp_path: Path) -> None:
    asyncio.run(through_nginx(tmp_path, lines_of("docs/offices.md"), {"polling", "websocket"}))


def test_nginx_without_them_lets_no_websocket_through_and_pages_that_poll_do_all(tmp_path: Path) -> None:
    asyncio.run(through_nginx(tmp_path, without_upgrade(lines_of("docs/offices.md")), {"polling"}))
