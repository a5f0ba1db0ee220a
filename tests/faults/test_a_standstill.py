"""The server stands still: stopped by a signal (A10, a suspended machine), or its loop blocked (A11), and goes on.

``PAGEHAND_FAULTS=long``: for 60 s and 10 s, with the default times.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dispatcher.sdk.simulate import Farm, Faults
from tests.faults.a_support import LONG, fault_numbers, planted_server
from tests.support.process import ServerProcess, farm_for
from tests.support.waiting import PATIENCE_S, eventually

#: Just longer than what counts as load; and as long as the catalogue says.
STOPPED_S = 60.0 if LONG else 6.5
BLOCKED_S = 10.0 if LONG else 6.5
#: In the short form all timeouts of the network run out while the server stands still.
#: What a busy machine needs on top (to notice that a server is ready, say) must fit into each of them.
TIMES: dict[str, Any] = (
    {"offer_ttl_s": 10.0, "reconnect_grace_s": 30.0, "restart_grace_s": 60.0}
    if LONG
    else {
        "offer_ttl_s": 1.0,
        "reconnect_grace_s": 2.0,
        "restart_grace_s": 5.0,
        "ping_interval_s": 1.0,
        "ping_timeout_s": 6.0,
    }
)
PING_INTERVAL_S: float = TIMES.get("ping_interval_s", 20.0)
#: The least time without a ping after which a page begins a new session.
PATIENCE_OF_PAGES_S: float = TIMES.get("ping_timeout_s", 20.0) + 5.0
PAGES = 4

pytestmark = pytest.mark.timeout(300 if LONG else 120)

StandStill = Callable[[ServerProcess, float], Awaitable[None]]


async def _stop(server: ServerProcess, seconds: float) -> None:
    server.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    server.signal(signal.SIGCONT)


async def _block(server: ServerProcess, seconds: float) -> None:
    server.signal(signal.SIGUSR1)  # planted: it sleeps in its loop
    await asyncio.sleep(seconds)


async def _farm(server: ServerProcess, type_: str, **faults: Any) -> Farm:
    farm = farm_for(server, workers=PAGES, types=(type_,), faults=Faults(**faults))
    await farm.start()
    await farm.registered()
    return farm


async def _submit(server: ServerProcess, farm: Farm, type_: str, **fields: Any) -> list[str]:
    """A job for each page; returns when all have been accepted, for the server too."""
    jobs = [(await server.submit("x", type=type_, max_attempts=1, max_crashes=0, **fields))["id"] for _ in range(PAGES)]
    await farm.until(lambda: len(farm.executed) == PAGES, timeout_s=PATIENCE_S)

    async def recorded() -> bool:
        return all([(await server.job(job))["started_at"] for job in jobs])

    await eventually(recorded, what="the accepts are recorded")
    return jobs


STOOD_STILL = "WARNING pagehand.service the server did nothing for "


async def _all_succeeded_at_once(server: ServerProcess, farm: Farm, jobs: list[str]) -> None:
    """Each job had one attempt: nothing was given up, nothing ran twice."""
    for job in jobs:
        done = await server.job(job, wait_s=15)
        assert (done["state"], done["reason"]) == ("succeeded", None), done
        assert [(each["number"], each["state"]) for each in done["attempts"]] == [(1, "succeeded")], done
    assert len(farm.executed) == len(jobs)


def _stood_still_s(server: ServerProcess) -> float:
    """The longest standstill in the log."""
    found = re.findall(STOOD_STILL + r"([\d.]+) s", server.log.read_text())
    return max(map(float, found), default=0.0)


async def _stands_still_at_work(server: ServerProcess, stand_still: StandStill, seconds: float) -> None:
    """Pages that finish meanwhile, though the timeout has passed when the server wakes; pages whose polls are cut by a
    proxy again and again, and cannot come back; pages that wait for work and answer a ping meanwhile, too late."""
    finishing = await _farm(server, "finishes", slow_s=(seconds / 3, seconds / 3))
    cut = await _farm(server, "is-cut", slow_s=(seconds + 0.5, seconds + 0.5), cut_polls_s=0.9)
    waiting = await _farm(server, "waits")
    known = {worker["id"] for worker in (await server.get("/api/v1/workers"))["items"]}
    for driver in waiting.drivers:
        driver.freeze()
    await asyncio.sleep(PING_INTERVAL_S + 0.1)  # each has been sent a ping by now
    running = await _submit(server, cut, "is-cut", timeout_s=seconds * 3)
    ending = await _submit(server, finishing, "finishes", timeout_s=max(seconds / 2, 1.0))
    for driver in waiting.drivers:
        asyncio.get_running_loop().call_later(0.5, driver.thaw)
    await stand_still(server, seconds)
    await _all_succeeded_at_once(server, finishing, ending)
    await _all_succeeded_at_once(server, cut, running)
    await server.logged(STOOD_STILL)
    assert seconds - 2.0 < _stood_still_s(server) < seconds + PATIENCE_S, "the log tells of it"
    await _all_succeeded_at_once(server, waiting, await _submit(server, waiting, "waits"))
    assert {worker["id"] for worker in (await server.get("/api/v1/workers"))["items"]} == known
    if seconds < PATIENCE_OF_PAGES_S:
        assert finishing.stats["sessions"] == waiting.stats["sessions"] == PAGES, "no session was given up"
    for farm in (finishing, cut, waiting):
        assert farm.stats["new_identities"] == 0
        await farm.registered()
        await farm.stop()
    assert await server.stop() == 0
    assert fault_numbers(server) == []


async def _stands_still_after_a_restart(server: ServerProcess, stand_still: StandStill, seconds: float) -> None:
    """The pages of the run before come while it stands still, and the grace runs out while they wait."""
    farm = await _farm(server, "runs", slow_s=(seconds + 1.0, seconds + 1.0))
    running = await _submit(server, farm, "runs", timeout_s=seconds * 3)
    await server.restart()
    await stand_still(server, seconds)
    await _all_succeeded_at_once(server, farm, running)
    await server.logged(STOOD_STILL)
    assert _stood_still_s(server) > seconds - 2.0
    await farm.stop()
    assert await server.stop() == 0


def test_fault_A10_after_a_stop_of_the_process_no_page_and_no_attempt_is_given_up(tmp_path: Path) -> None:
    async def scenario(name: str, play: Callable[[ServerProcess, StandStill, float], Awaitable[None]]) -> None:
        (tmp_path / name).mkdir()
        async with planted_server(tmp_path / name, **TIMES) as server:
            await play(server, _stop, STOPPED_S)

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(scenario("at-work", _stands_still_at_work))
            group.create_task(scenario("after-a-restart", _stands_still_after_a_restart))

    asyncio.run(both())


def test_fault_A11_a_blocked_loop_is_in_the_log_and_loses_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with planted_server(tmp_path, "block", str(BLOCKED_S), **TIMES) as server:
            await _stands_still_at_work(server, _block, BLOCKED_S)

    asyncio.run(scenario())
