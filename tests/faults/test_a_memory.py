"""Fault A13: the kernel kills the server for its memory."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from dispatcher.sdk.simulate import Faults
from tests.crash.checker import Submitter, check
from tests.faults.a_support import planted_server
from tests.support.cgroup import MemoryGroup, NoGroups, memory_group
from tests.support.missing import missing
from tests.support.process import farm_for
from tests.support.waiting import PATIENCE_S

LIMIT = 150 << 20
#: Their data and the server's own needs exceed the limit.
JOBS = 64
DATA = "x" * ((1 << 20) - 100)


def test_fault_A13_killed_for_its_memory_it_loses_nothing_and_a_large_queue_does_not_bring_that_about(
    tmp_path: Path,
) -> None:
    try:
        with memory_group(LIMIT) as group:
            asyncio.run(_scenario(tmp_path, group))
    except NoGroups as reason:
        missing(str(reason))


async def _scenario(directory: Path, group: MemoryGroup) -> None:
    async with planted_server(directory) as server:
        server.preexec = group.enter
        await server.restart("eat", "400")
        submitter = Submitter(server)
        numbers = iter(range(JOBS))

        async def submit() -> None:
            for number in numbers:
                await submitter.submit(f"key-{number}", f"{number}{DATA}")

        async with asyncio.TaskGroup() as tasks:
            for _ in range(6):
                tasks.create_task(submit())
        # In normal use it stays below its limit, however long the queue is.
        assert group.kills() == 0
        assert sum((await server.get("/api/v1/stats"))["jobs"].values()) == JOBS
        print(f"{JOBS} jobs of 1 MiB wait; the server has {group.used() >> 20} MiB of {LIMIT >> 20}")

        farm = farm_for(server, workers=4, faults=Faults(slow_s=(0.0, 0.02)))
        await farm.start()
        await farm.until(lambda: farm.stats["recorded"] >= JOBS // 4, timeout_s=PATIENCE_S)
        assert group.kills() == 0
        server.signal(signal.SIGUSR1)
        assert await server.ended() == -signal.SIGKILL
        assert group.kills() == 1

        await server.start()
        await farm.until(lambda: farm.stats["recorded"] + farm.stats["duplicate"] >= JOBS, timeout_s=PATIENCE_S)
        await farm.stop()
        assert await server.stop() == 0
        assert check(server.store, submitter, farm.executed).violations == []
        assert group.kills() == 1
