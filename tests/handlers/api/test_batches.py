"""``/api/v1/batches``: how far a batch is, and what has become of its jobs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from dispatcher.access.acts import Actor
from dispatcher.access.scopes import Scope
from dispatcher.config.settings import Settings
from dispatcher.errors import Draining
from dispatcher.store.batches import MOST_ITEMS_READ
from tests.handlers.conftest import Ask, Watched, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test

BATCHES, BATCH = "/api/v1/batches", "/api/v1/jobs/batch"


async def submitted(ask: Ask, *jobs: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await ask(BATCH, "POST", json=list(jobs), headers=headers)
    return dict(body_of(answer))


async def test_the_answer_to_a_batch_leads_to_it(ask: Ask) -> None:
    answer = await ask(BATCH, "POST", json=[{"type": "echo"}, {"type": "sum"}])
    batch_id = body_of(answer)["batch"]
    assert [job["batch"] for job in body_of(answer)["items"]] == [batch_id] * 2
    assert body_of(await ask(answer.headers["Location"])) == {
        "id": batch_id,
        "created_at": "2026-11-23T21:24:05.123Z",
        "jobs": 2,
        "counts": {"queued": 2},
        "ended": False,
        "links": {
            "self": f"{BATCHES}/{batch_id}",
            "results": f"{BATCHES}/{batch_id}/results",
            "jobs": f"/api/v1/jobs?batch={batch_id}",
        },
    }
    assert body_of(await ask(f"{BATCHES}/{batch_id.upper()}"))["id"] == batch_id


async def test_results_that_a_stopping_server_cuts_do_not_look_whole(ask: Ask, watched: Watched) -> None:
    async def stops() -> None:
        raise Draining("the server is stopping")

    batch = await submitted(ask, *[{"type": "echo"}] * (2 * MOST_ITEMS_READ))
    watched.before_next_items = stops
    with pytest.raises(HTTPStreamClosedError):
        await ask(f"{BATCHES}/{batch['batch']}/results")


async def test_a_job_alone_belongs_to_no_batch(ask: Ask) -> None:
    assert body_of(await ask("/api/v1/jobs", "POST", json={"type": "echo"}))["batch"] is None


async def test_the_same_key_gives_the_same_batch(ask: Ask) -> None:
    first = await submitted(ask, {"type": "echo"}, **{"Idempotency-Key": "k"})
    assert await submitted(ask, {"type": "echo"}, **{"Idempotency-Key": "k"}) == first
    assert (await submitted(ask, {"type": "echo"}, **{"Idempotency-Key": "other"}))["batch"] != first["batch"]


@pytest.mark.parametrize("path", ["", "/results", "?wait=1"])
async def test_an_unknown_batch_is_a_404(ask: Ask, path: str) -> None:
    answer = await ask(f"{BATCHES}/nope{path}")
    assert (answer.code, body_of(answer)["code"]) == (404, "not_found")
    assert body_of(answer)["detail"].startswith("there is no batch 'nope'")


async def test_a_wait_ends_with_the_last_job(ask: Ask, house: House, watched: Watched) -> None:
    batch_id = (await submitted(ask, {"type": "echo"}, {"type": "echo"}))["batch"]
    await house.register("s1", slots=2)
    first, second = await house.hear("s1")
    asked = asyncio.ensure_future(ask(f"{BATCHES}/{batch_id}?wait=30"))
    while not len(watched._waiters):
        await asyncio.sleep(0)
    await house.say("s1", op="result", attempt=second["attempt"], value=1)
    while not len(watched._waiters):
        await asyncio.sleep(0)
    assert not asked.done()
    await house.say("s1", op="result", attempt=first["attempt"], value=1)
    assert (body_of(await asked)["counts"], body_of(await asked)["ended"]) == ({"succeeded": 2}, True)


async def test_results_are_lines_in_the_order_of_the_jobs(ask: Ask, house: House) -> None:
    batch = await submitted(ask, {"type": "echo"}, {"type": "echo", "max_attempts": 1}, {"type": "echo"})
    await house.register("s1", slots=2)
    first, second = await house.hear("s1")
    await house.say("s1", op="error", attempt=second["attempt"], message="no")
    await house.say("s1", op="pause")
    await house.say("s1", op="result", attempt=first["attempt"], value={"a": 1.5})
    answer = await ask(f"{BATCHES}/{batch['batch']}/results")
    assert answer.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert [json.loads(line) for line in answer.body.splitlines()] == [
        {"id": batch["items"][0]["id"], "state": "succeeded", "result": {"a": 1.5}, "error": None},
        {"id": batch["items"][1]["id"], "state": "failed", "result": None,
         "error": {"message": "no"}},
        {"id": batch["items"][2]["id"], "state": "running", "result": None, "error": None},
    ]  # fmt: skip
    head = await ask(f"{BATCHES}/{batch['batch']}/results", "HEAD")
    assert (head.code, head.body, head.headers["Content-Type"]) == (200, b"", answer.headers["Content-Type"])


async def test_the_results_of_a_large_batch_come_whole(ask: Ask) -> None:
    batch = await submitted(ask, *[{"type": "echo"}] * (3 * MOST_ITEMS_READ))
    answer = await ask(f"{BATCHES}/{batch['batch']}/results")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line["id"] for line in lines] == [job["id"] for job in batch["items"]]


class TestWithTokens:
    """What a token may see of a batch, and for how long."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(token="t" * 20)

    async def test_results_break_off_when_the_token_opens_nothing_any_more(
        self, ask: Ask, house: House, watched: Watched, settings: Settings
    ) -> None:
        jobs = [{"type": "echo"}] * (2 * MOST_ITEMS_READ)
        batch = await submitted(ask, *jobs, Authorization=f"Bearer {settings.token}")
        token, text = await house.dispatcher.access.make("short", (Scope.READ,), actor=Actor("test"))
        watched.before_next_items = lambda: house.dispatcher.access.revoke(token.id)
        with pytest.raises(HTTPStreamClosedError):
            await ask(f"{BATCHES}/{batch['batch']}/results", headers={"Authorization": f"Bearer {text}"})

    @pytest.mark.parametrize(("types", "status"), [(("echo",), 403), (("echo", "sum"), 200)])
    async def test_who_is_bound_to_types_sees_only_batches_of_these(
        self, ask: Ask, house: House, settings: Settings, types: tuple[str, ...], status: int
    ) -> None:
        batch = await submitted(ask, {"type": "echo"}, {"type": "sum"}, Authorization=f"Bearer {settings.token}")
        _, text = await house.dispatcher.access.make("bound", (Scope.READ,), types=types, actor=Actor("test"))
        for path in ("", "/results"):
            answer = await ask(f"{BATCHES}/{batch['batch']}{path}", headers={"Authorization": f"Bearer {text}"})
            assert answer.code == status
