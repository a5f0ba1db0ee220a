"""Over real HTTP, equal workers get exactly equal shares (I19)."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.support.process import farm_for, serving
from tests.support.waiting import PATIENCE_S

WORKERS = 8
ROUNDS = 5


def test_equal_simulated_workers_take_exact_turns(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with serving(tmp_path) as server:
            farm = farm_for(server, workers=WORKERS, slots=1, types=("echo",))
            await farm.start()
            await farm.registered()
            for number in range(WORKERS * ROUNDS):
                job = await server.submit(number)
                done = await server.job(job["id"], wait_s=10)
                assert (done["state"], done["result"]) == ("succeeded", number)
            await farm.until(lambda: len(farm.executed) == WORKERS * ROUNDS, timeout_s=PATIENCE_S)
            order = [worker for _, _, worker in farm.executed]
            await farm.stop()
            return order

    order = asyncio.run(scenario())
    assert set(Counter(order).values()) == {ROUNDS}, "equal shares"
    rounds = [order[start : start + WORKERS] for start in range(0, len(order), WORKERS)]
    assert all(one_round == rounds[0] for one_round in rounds), "always in the same order"
