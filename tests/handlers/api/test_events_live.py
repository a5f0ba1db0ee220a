"""Changes of the real server: its end, its restart, and clients that come and go meanwhile."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.support.process import serving
from tests.support.sse import EventStream

pytestmark = [pytest.mark.gen_test(timeout=60), pytest.mark.slow]


@pytest.mark.parametrize("front", ["fast", "tornado"])
async def test_a_stream_ends_with_a_word_and_the_next_life_says_that_it_is_another(tmp_path: Path, front: str) -> None:
    async with serving(tmp_path, "--front", front, "--drain-s", "0.1") as server:
        stream = await EventStream.open(server.port)
        job = await server.submit()
        assert (await stream.job())["job"] == job["id"]
        stopped = asyncio.create_task(server.stop())
        event = await stream.next()
        assert event is not None
        assert (event.kind, event.retry_ms) == ("bye", 3000)
        assert await stream.next() is None
        assert await stopped == 0
        stream.close()
        await server.start()
        back = await EventStream.open(server.port, last_id=stream.last_id)
        gap = await back.next()
        assert gap is not None
        assert (gap.kind, gap.data["reason"]) == ("gap", "other_life")
        other = await server.submit()
        assert (await back.job())["job"] == other["id"]
        back.close()


@pytest.mark.parametrize("front", ["fast", "tornado"])
async def test_fifty_clients_that_come_and_go_see_each_change_once_and_in_order(tmp_path: Path, front: str) -> None:
    total = 300

    async def client(seed: int, port: int) -> list[str]:
        rng, got, last = random.Random(seed), list[str](), ""
        while len(got) < total:
            stream = await EventStream.open(port, "?after=oldest", last_id=last)
            for _ in range(min(rng.randint(1, 100), total - len(got))):
                got.append((await stream.job())["job"])
            last = stream.last_id
            stream.close()
        return got

    async with serving(tmp_path, "--front", front) as server:
        clients = [asyncio.create_task(client(seed, server.port)) for seed in range(50)]
        told: list[str] = []
        rng = random.Random(0)
        while len(told) < total:
            batch = [{"type": "echo"}] * min(rng.randint(1, 10), total - len(told))
            answer = await server.request("POST", "/api/v1/jobs/batch", batch)
            told += [job["id"] for job in answer.json()["items"]]
        for one in clients:
            assert await one == told
