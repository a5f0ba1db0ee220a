"""kill -9 at random instants under load: every acknowledged job is done, once, and to the letter (S1 to S5, S10)."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from dispatcher.sdk.simulate import Farm, Faults
from tests.crash.checker import Findings, Submitter, check
from tests.support.process import ServerProcess, farm_for, quick, serving
from tests.support.waiting import eventually

JOBS = 200
WORKERS = 8
KILLS = 5
SUBMITTERS = 6


def _seed() -> int:
    """A new seed each time, which is printed; ``PAGEHAND_SEED`` repeats a run."""
    return int(os.environ.get("PAGEHAND_SEED") or random.randrange(1 << 32))


def _data(rng: random.Random, number: int) -> object:
    return {"n": number, "text": "\N{SNOWMAN}" * rng.randrange(20), "f": rng.random(), "big": 10**20 + number}


async def _submit_all(submitter: Submitter, rng: random.Random) -> None:
    waiting = [(f"key-{number}", _data(rng, number)) for number in range(JOBS)]

    async def one_of_them() -> None:
        while waiting:
            await submitter.submit(*waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(SUBMITTERS):
            group.create_task(one_of_them())


async def _kill_now_and_then(server: ServerProcess, submitter: Submitter, farm: Farm, rng: random.Random) -> None:
    """Kills at random points of the work, so that every kill meets some."""
    for point in sorted(rng.sample(range(1, 2 * JOBS - 20), KILLS)):
        await _progress(submitter, farm, point)
        await asyncio.sleep(rng.uniform(0, 0.03))
        await server.restart()


async def _progress(submitter: Submitter, farm: Farm, point: int) -> None:
    async def reached() -> bool:
        return len(submitter.accepted) + farm.stats["recorded"] >= point

    await eventually(reached, what=f"{point} steps of the work")


async def _all_done(server: ServerProcess) -> bool:
    counts = (await server.get("/api/v1/stats"))["jobs"]
    return sum(counts.values()) >= JOBS and all(not n for state, n in counts.items() if state != "succeeded")


async def _run(directory: Path, seed: int) -> Findings:
    rng = random.Random(seed)
    async with serving(directory, *quick()) as server:
        submitter = Submitter(server)
        farm = farm_for(server, workers=WORKERS, seed=seed, faults=Faults(slow_s=(0.0, 0.02)))
        await farm.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_submit_all(submitter, rng))
                group.create_task(_kill_now_and_then(server, submitter, farm, rng))
            await eventually(lambda: _all_done(server), what="every job is done")
        finally:
            await farm.stop()
        assert server.starts == KILLS + 1
        ended = (await server.get("/api/v1/stats?window=1h"))["ended"]
        assert (ended["succeeded"], ended["run"]["n"]) == (JOBS, JOBS), "each end is counted once, over every kill"
        assert await server.stop() == 0
        assert len(submitter.accepted) == JOBS
        findings = check(server.store, submitter, farm.executed)
        print(
            f"{JOBS} jobs, {KILLS} kills: {submitter.unanswered} submissions without an answer, "
            f"{submitter.replayed} of them found to be accepted; {findings.repeated_executions} repeated executions; "
            f"{farm.stats['duplicate']} results repeated, {farm.stats['stale']} stale"
        )
        return findings


def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed_five_times(
    tmp_path: Path, record_property: pytest.TestReport
) -> None:
    seed = _seed()
    print(f"PAGEHAND_SEED={seed}")
    findings = asyncio.run(_run(tmp_path, seed))
    record_property("repeated executions", findings.repeated_executions)  # type: ignore[operator]
    assert findings.violations == [], f"PAGEHAND_SEED={seed}"
