"""A token with a rate: each way to submit counts its new jobs, and what is over it is a 429."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import ADMIN, JSON, made, shown, signed_in
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test
Send = Callable[[Ask, dict[str, str], str], Awaitable[HTTPResponse]]


@pytest.fixture
def settings() -> Settings:
    return Settings(token="s3cret")


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def one(ask: Ask, who: dict[str, str], key: str, **headers: str) -> HTTPResponse:
    return await ask("/api/v1/jobs", "POST", json={"type": "echo"}, headers=who | {"Idempotency-Key": key} | headers)


async def waited_for(ask: Ask, who: dict[str, str], key: str) -> HTTPResponse:
    return await one(ask, who, key, Prefer="wait=1")


async def batch(ask: Ask, who: dict[str, str], key: str) -> HTTPResponse:
    headers = who | {"Idempotency-Key": key}
    return await ask("/api/v1/jobs/batch", "POST", json=[{"type": "echo"}], headers=headers)


async def lines(ask: Ask, who: dict[str, str], key: str) -> HTTPResponse:
    headers = who | {"Idempotency-Key": key, "Content-Type": "application/x-ndjson"}
    return await ask("/api/v1/jobs/batch", "POST", body=b'{"type": "echo"}\n', headers=headers)


async def copied(ask: Ask, who: dict[str, str], key: str) -> HTTPResponse:
    *_, job = body_of(await ask("/api/v1/jobs?type=first", headers=ADMIN))["items"]
    headers = who | JSON | {"Idempotency-Key": key}
    return await ask(f"/api/v1/jobs/{job['id']}/duplicate", "POST", body=b"{}", headers=headers)


@pytest.mark.parametrize("send", [one, waited_for, batch, lines, copied])
async def test_what_is_over_the_rate_is_a_429_that_says_when_to_come_again(ask: Ask, house: House, send: Send) -> None:
    await ask("/api/v1/jobs", "POST", json={"type": "first"}, headers=ADMIN)
    who = shown(await made(ask, "submit", "operate", jobs_per_minute=2))
    assert [(await send(ask, who, f"key-{number}")).code for number in range(2)] == [201, 201]
    over = await send(ask, who, "key-2")
    assert (over.code, body_of(over)["code"], over.headers["Retry-After"]) == (429, "too_many_jobs", "30")
    assert over.headers["Content-Type"].startswith("application/problem+json")
    again = await send(ask, who, "key-1")
    assert again.code == 429, "whether it is an old one is known only when it was looked for"
    await house.pass_time(30.0)
    assert (await send(ask, who, "key-2")).code == 201


async def test_a_submission_that_is_sent_again_or_refused_does_not_count(ask: Ask) -> None:
    who = shown(await made(ask, "submit", jobs_per_minute=2))
    assert [(await one(ask, who, "same")).code for _ in range(5)] == [201, 200, 200, 200, 200]
    other = await ask("/api/v1/jobs", "POST", json={"type": "other"}, headers=who | {"Idempotency-Key": "same"})
    assert (other.code, body_of(other)["code"]) == (422, "key_conflict")
    assert ((await one(ask, who, "second")).code, (await one(ask, who, "third")).code) == (201, 429)


async def test_a_batch_counts_its_jobs(ask: Ask) -> None:
    who = shown(await made(ask, "submit", jobs_per_minute=10))
    assert (await ask("/api/v1/jobs/batch", "POST", json=[{"type": "echo"}] * 9, headers=who)).code == 201
    assert (await ask("/api/v1/jobs/batch", "POST", json=[{"type": "echo"}] * 2, headers=who)).code == 429
    assert ((await one(ask, who, "a")).code, (await one(ask, who, "b")).code) == (201, 429)


async def test_others_go_on_and_metrics_count_what_was_refused(ask: Ask) -> None:
    slow, quick = shown(await made(ask, "submit", jobs_per_minute=1)), shown(await made(ask, "submit"))
    assert [(await one(ask, slow, f"{n}")).code for n in range(3)] == [201, 429, 429]
    assert [(await one(ask, who, "x")).code for who in (quick, ADMIN)] == [201, 200]
    text = (await ask("/metrics", headers=ADMIN)).body.decode()
    assert 'pagehand_answers_total{code="too_many_jobs",status="429"} 2.0' in text


async def test_the_form_says_it_and_keeps_what_was_typed(ask: Ask, browser: Browser) -> None:
    token = await made(ask, "submit", "read", "operate", jobs_per_minute=1)
    await signed_in(browser, token["token"])
    sent: dict[str, Any] = {"type": "echo", "data": json.dumps("kept")}
    assert (await browser.post("/submit", sent | {"key": "a"})).code == 303
    over = await browser.post("/submit", sent | {"key": "b"})
    assert (over.code, over.headers["Retry-After"]) == (429, "60")
    assert "may submit 1 new jobs a minute" in over.body.decode()
    assert "kept" in over.body.decode()
    [job] = body_of(await ask("/api/v1/jobs", headers=ADMIN))["items"]
    assert (await browser.post(f"/jobs/{job['id']}/duplicate", {"key": "c"}, f"/jobs/{job['id']}")).code == 429
