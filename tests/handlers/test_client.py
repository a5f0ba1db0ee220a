"""Whoever sent a request may leave, or lose its token, while it waits; the task that serves it goes on unharmed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from dispatcher.errors import Unauthorized
from handlers.client import AskingClient

pytestmark = pytest.mark.gen_test(timeout=60)


async def _served(client: AskingClient, waiting: Coroutine[Any, Any, str]) -> tuple[str | None, int]:
    """What came of it, and how often the task still counts as cancelled; it waits once more behind it."""
    done = await client.patiently(waiting)
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    return done, task.cancelling()


async def _waits(future: asyncio.Future[str]) -> str:
    return await future


def _future() -> asyncio.Future[str]:
    return asyncio.get_running_loop().create_future()


async def test_who_stays_gets_what_it_waits_for_without_a_task_of_its_own():
    client, future = AskingClient(), _future()
    before = len(asyncio.all_tasks())
    serving = asyncio.ensure_future(_served(client, _waits(future)))
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before + 1
    future.set_result("done")
    assert await serving == ("done", 0)


async def test_who_leaves_ends_the_wait_and_nothing_else():
    client, future = AskingClient(), _future()
    serving = asyncio.ensure_future(_served(client, _waits(future)))
    await asyncio.sleep(0)
    client.leave()
    client.leave()
    assert await serving == (None, 0)
    assert future.cancelled()


async def test_who_leaves_as_the_end_comes_leaves_nothing_behind():
    client, future = AskingClient(), _future()
    serving = asyncio.ensure_future(_served(client, _waits(future)))
    await asyncio.sleep(0)
    future.set_result("done")
    client.leave()
    assert await serving == (None, 0)


async def test_who_leaves_in_the_step_that_ends_the_wait_leaves_nothing_behind():
    client = AskingClient()

    async def leaves() -> str:
        client.leave()
        return "done"

    assert await asyncio.ensure_future(_served(client, leaves())) == (None, 0)


async def test_who_leaves_as_its_time_is_over_leaves_nothing_behind():
    client = AskingClient()

    async def over() -> str:
        async with asyncio.timeout(60.0) as limit:
            limit.reschedule(0.0)
            asyncio.get_running_loop().call_soon(client.leave)
            await _future()
        return "late"

    assert await asyncio.ensure_future(_served(client, over())) == (None, 0)


async def test_whose_token_ends_is_told_so():
    client, future = AskingClient(), _future()
    serving = asyncio.ensure_future(_served(client, _waits(future)))
    await asyncio.sleep(0)
    client._shut()
    with pytest.raises(Unauthorized):
        await serving


@pytest.mark.parametrize("leaves", [False, True])
async def test_a_task_that_somebody_else_cancels_is_cancelled(leaves: bool):
    client, future = AskingClient(), _future()
    serving = asyncio.ensure_future(_served(client, _waits(future)))
    await asyncio.sleep(0)
    serving.cancel()
    if leaves:
        client.leave()
    with pytest.raises(asyncio.CancelledError):
        await serving
