"""The JSON API: one request that waits for many jobs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.states import JobState
from tests.handlers.conftest import Ask, Watched, body_of
from tests.support.house import House
from tests.support.scenes import a_job, submit
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test

WAIT = "/api/v1/jobs/wait"


@pytest.fixture
def settings() -> Settings:
    return Settings(waiters=1)


@pytest.fixture
def short_way() -> bool:
    """No new job comes over HTTP here."""
    return True


async def wait(ask: Ask, *ids: str, **given: Any) -> HTTPResponse:
    return await ask(WAIT, "POST", json={"ids": ids} | given)


def told(response: HTTPResponse) -> tuple[list[tuple[str, str | None]], bool]:
    assert response.code == 200, response.body
    body = body_of(response)
    return [(item["id"], item["state"]) for item in body["items"]], body["done"]


async def begun(house: House) -> None:
    """The one request waits."""
    await eventually(lambda: len(house.dispatcher._waiters) == 1)


async def test_without_a_time_it_tells_at_once_where_the_jobs_stand(ask: Ask, house: House) -> None:
    await a_job(house, JobState.IN_DOUBT, "d1")
    await a_job(house, JobState.FAILED, "f1")
    await submit(house, "q1")
    stands = [("q1", "queued"), ("f1", "failed"), ("d1", "in_doubt")]
    assert told(await wait(ask, "q1", "F1", "d1", "q1")) == (stands, False)
    assert told(await wait(ask, "q1", "f1", "d1", any=True)) == (stands, True)
    assert told(await wait(ask, "d1", "f1", timeout_s=60)) == ([("d1", "in_doubt"), ("f1", "failed")], True)
    assert told(await wait(ask, "q1", any=True, timeout_s=0.01)) == ([("q1", "queued")], False)


async def test_it_waits_for_the_last_job_or_for_the_first(ask: Ask, house: House) -> None:
    for name in ("a1", "b1", "c1"):
        await submit(house, name)
    first = asyncio.ensure_future(wait(ask, "a1", "b1", any=True, timeout_s=60))
    await begun(house)
    await house.dispatcher.cancel("b1", "")
    assert told(await first) == ([("a1", "queued"), ("b1", "cancelled")], True)
    last = asyncio.ensure_future(wait(ask, "a1", "b1", "c1", timeout_s=60))
    await begun(house)
    await house.dispatcher.cancel("c1", "")
    await house.dispatcher.idle()
    assert not last.done()
    await house.dispatcher.cancel("a1", "")
    assert told(await last) == ([("a1", "cancelled"), ("b1", "cancelled"), ("c1", "cancelled")], True)


async def test_a_job_that_is_not_there_has_no_state_and_is_not_waited_for(ask: Ask, house: House) -> None:
    await a_job(house, JobState.SUCCEEDED, "s1")
    await submit(house, "q1")
    assert told(await wait(ask, "s1", "nope", timeout_s=60)) == ([("s1", "succeeded"), ("nope", None)], True)
    assert told(await wait(ask, "q1", "nope", any=True, timeout_s=60)) == ([("q1", "queued"), ("nope", None)], True)


async def test_a_job_that_settles_while_its_state_is_read_is_not_missed(ask: Ask, house: House) -> None:
    await submit(house, "a1")

    async def meanwhile() -> None:
        house.store.after_read = None
        await house.dispatcher.cancel("a1", "")

    house.store.after_read = meanwhile
    assert told(await wait(ask, "a1", timeout_s=60)) == ([("a1", "cancelled")], True)


async def test_requests_that_wait_are_limited_and_who_leaves_makes_room(
    ask: Ask, house: House, http_port: int, watched: Watched
) -> None:
    await submit(house, "a1")
    _, writer = await asyncio.open_connection("127.0.0.1", http_port)
    body = b'{"ids": ["a1"], "timeout_s": 60}'
    head = f"POST {WAIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    writer.write(head.encode() + b"\r\n\r\n" + body)
    await begun(house)
    assert (await wait(ask, "a1")).code == 503
    writer.close()
    await eventually(lambda: len(watched._waiters) == 0)
    assert (await wait(ask, "a1")).code == 200


async def test_the_end_of_the_server_answers_who_waits(ask: Ask, house: House) -> None:
    await submit(house, "a1")
    waits = asyncio.ensure_future(wait(ask, "a1", timeout_s=60))
    await begun(house)
    closing = asyncio.ensure_future(house.dispatcher.close())
    assert told(await waits) == ([("a1", "queued")], False)
    await closing


@pytest.mark.parametrize(
    "body",
    [
        {}, {"ids": []}, {"ids": ["a"] * 1_001}, {"ids": [""]}, {"ids": ["a" * 65]}, {"ids": "a"},
        {"ids": ["a"], "x": 1},
        {"ids": ["a"], "any": 1}, {"ids": ["a"], "timeout_s": 61}, {"ids": ["a"], "timeout_s": -1}, [],
    ],
)  # fmt: skip
async def test_what_it_does_not_take_is_refused_in_words(ask: Ask, body: object) -> None:
    response = await ask(WAIT, "POST", json=body)
    assert (response.code, body_of(response)["code"]) == (422, "invalid")
    assert body_of(response)["detail"].startswith('must be {"ids": 1 to 1,000 ids of jobs, "any": true or false, ')


async def test_a_thousand_long_ids_have_room(ask: Ask) -> None:
    ids = [f"{number:064d}" for number in range(1_000)]
    assert told(await wait(ask, *ids)) == ([(job_id, None) for job_id in ids], True)
