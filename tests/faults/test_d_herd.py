"""Section D of the fault catalogue: all pages come back at once after a restart of the server.

200 pages; with ``PAGEHAND_FAULTS=long`` the 2,000 of the catalogue.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dispatcher.sdk.simulate import Farm, Faults, Reconnect
from tests.faults.d_support import LONG
from tests.support.process import ServerProcess, serving
from tests.support.server import cpu_s
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PAGES = 2_000 if LONG else 200
#: Some of them are working at the restart.
BUSY = PAGES // 10
TASK_S = 40.0 if LONG else 4.0


async def back(farm: Farm, before: int) -> list[float]:
    """When each page had registered again, in seconds from now."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    at: list[float] = []

    def came() -> bool:
        at.extend([loop.time() - began] * (farm.stats["registered"] - before - len(at)))
        return len(at) >= PAGES

    await farm.until(came, timeout_s=90)
    return at


def test_fault_D12_a_herd_of_pages_is_back_within_a_minute_and_nobody_loses_what_it_runs(tmp_path: Path) -> None:
    """Their backoff has full jitter, so they do not come in one moment. The restart grace (60 s) outlives it."""

    async def scenario() -> None:
        async with serving(tmp_path) as server:
            usual = Reconnect()
            farm = Farm(server.url, workers=PAGES, reconnect=usual, faults=Faults(slow_s=(TASK_S, TASK_S)), seed=12)
            await farm.start()
            await farm.until(lambda: farm.stats["registered"] >= PAGES, timeout_s=90)
            jobs = [await server.submit(number, timeout_s=3_600) for number in range(BUSY)]
            await farm.until(lambda: len(farm.executed) == BUSY, timeout_s=60)
            await eventually(lambda: _started(server, jobs), what="all accepts are recorded")
            await server.kill()
            returning = asyncio.create_task(back(farm, farm.stats["registered"]))
            await server.start()
            at = await returning
            await eventually(lambda: _connected(server), what="the server knows all of them", timeout_s=30)
            spent_s = cpu_s(server.process.pid)
            seconds = Counter(int(second) for second in at)
            print(f"{PAGES} pages back in {at[-1]:.1f} s, {spent_s:.1f} s of CPU; by second {sorted(seconds.items())}")
            assert at[-1] <= 60
            assert len(seconds) >= 2, "they came in one moment"
            assert spent_s < 3 + PAGES * 0.005
            assert farm.stats["new_identities"] == 0
            for job in jobs:
                shown = await server.job(job["id"])
                assert (shown["number"], len(shown["attempts"])) == (1, 1), shown
                assert shown["state"] in ("running", "succeeded")
            await farm.until(lambda: farm.stats["recorded"] + farm.stats["duplicate"] >= BUSY, timeout_s=90)
            assert len(farm.executed) == BUSY
            await farm.stop(bye=False)

    asyncio.run(scenario())


async def _started(server: ServerProcess, jobs: list[dict[str, Any]]) -> bool:
    return all([(await server.job(job["id"]))["started_at"] for job in jobs])


async def _connected(server: ServerProcess) -> bool:
    return bool((await server.get("/api/v1/stats"))["workers"].get("connected") == PAGES)
