"""Owners: the name of the token that submitted a job is kept with it; with ``--isolate`` each sees his own alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.access.scopes import Scope
from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import ADMIN, refused, signed_in
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test

JOBS = "/api/v1/jobs"
ALL = (Scope.SUBMIT, Scope.READ, Scope.OPERATE)


@pytest.fixture
def isolate() -> bool:
    return True


@pytest.fixture
def settings(isolate: bool) -> Settings:
    return Settings(token="s3cret", isolate=isolate)


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def of(house: House, name: str, *scopes: Scope) -> dict[str, str]:
    """The headers of somebody with a token of this name."""
    _, text = await house.dispatcher.access.make(name, scopes or ALL, actor=Actor("test"))
    return {"Authorization": f"Bearer {text}"}


async def submitted(ask: Ask, headers: dict[str, str], *, key: str = "", **fields: Any) -> dict[str, Any]:
    headers = headers | ({"Idempotency-Key": key} if key else {})
    answer = await ask(JOBS, "POST", json={"type": "label"} | fields, headers=headers)
    assert answer.code in (200, 201), answer.body
    job: dict[str, Any] = body_of(answer)
    return job


async def listed(ask: Ask, headers: dict[str, str], query: str = "") -> list[str]:
    answer = await ask(f"{JOBS}?{query}", headers=headers)
    assert answer.code == 200, answer.body
    return [job["id"] for job in body_of(answer)["items"]]


class TestTogether:
    """Without ``--isolate``: owners are kept and shown, and keep nothing apart."""

    @pytest.fixture
    def isolate(self) -> bool:
        return False

    async def test_a_job_says_whose_it_is_and_lists_filter_by_it(self, ask: Ask, house: House) -> None:
        anna, bob = await of(house, "anna"), await of(house, "bob & co")
        mine, his, nobodys = [await submitted(ask, who) for who in (anna, bob, ADMIN)]
        assert [job["owner"] for job in (mine, his, nobodys)] == ["anna", "bob & co", None]
        assert await listed(ask, anna) == [job["id"] for job in (nobodys, his, mine)]
        assert await listed(ask, anna, "owner=bob+%26+co") == [his["id"]]
        copy = body_of(await ask(f"{JOBS}/{his['id']}/duplicate", "POST", json={}, headers=anna))
        assert copy["owner"] == "anna", "who makes the copy has submitted it"
        first = await ask(f"{JOBS}?owner=anna&limit=1", headers=anna)
        assert "owner=anna" in first.headers["Link"]
        batch = await ask(f"{JOBS}/batch", "POST", json=[{"type": "label"}], headers=anna)
        assert body_of(batch)["items"][0]["owner"] == "anna"
        done = body_of(
            await ask(f"{JOBS}/actions", "POST", json={"action": "cancel", "filter": {"owner": "anna"}}, headers=bob)
        )
        assert done["matched"] == 3

    async def test_changes_say_whose_the_job_is_and_filter_by_it(self, ask: Ask, house: House) -> None:
        for who in ("anna", "bob"):
            await submitted(ask, await of(house, who))
        items = body_of(await ask("/api/v1/changes?after=oldest&owner=anna", headers=ADMIN))["items"]
        assert [item["owner"] for item in items] == ["anna"]

    async def test_a_key_is_everybodys(self, ask: Ask, house: House) -> None:
        anna, bob = await of(house, "anna"), await of(house, "bob")
        assert (await submitted(ask, anna, key="k"))["id"] == (await submitted(ask, bob, key="k"))["id"]

    async def test_the_console_shows_and_filters_by_the_owner(self, ask: Ask, house: House) -> None:
        job = await submitted(ask, await of(house, "<anna> & co"))
        await submitted(ask, ADMIN)
        browser = Browser(ask)
        await signed_in(browser, "s3cret")
        page = (await browser.get(f"/jobs/{job['id']}")).body.decode()
        assert '<a href="/jobs?owner=%3Canna%3E+%26+co">&lt;anna&gt; &amp; co</a>' in page
        found = (await browser.get("/jobs?owner=%3Canna%3E+%26+co")).body.decode()
        assert found.count("<tr data-key=") == 1
        assert 'name="owner" value="&lt;anna&gt; &amp; co"' in found


async def test_each_sees_his_own_and_who_does_not_submit_sees_all(ask: Ask, house: House) -> None:
    anna, bob = await of(house, "anna"), await of(house, "bob")
    mine, his = (await submitted(ask, anna))["id"], (await submitted(ask, bob))["id"]
    assert (await listed(ask, anna), await listed(ask, bob)) == ([mine], [his])
    for all_of in (ADMIN, await of(house, "desk", Scope.READ), await of(house, "ops", Scope.OPERATE)):
        assert await listed(ask, all_of) == [his, mine]
    refused(await ask(f"{JOBS}?owner=bob", headers=anna), "forbidden_owner", "may know of its own alone")
    assert await listed(ask, anna, "owner=anna&format=json") == [mine]
    for form in ("ndjson", "csv"):
        whole = (await ask(f"{JOBS}?format={form}", headers=anna)).body.decode()
        assert (mine in whole, his in whole) == (True, False)


async def test_a_search_finds_his_own_alone(ask: Ask, house: House) -> None:
    anna, bob = await of(house, "anna"), await of(house, "bob")
    mine = await submitted(ask, anna, data="blue whale")
    await submitted(ask, bob, data="blue whale")
    assert await listed(ask, anna, "q=whale") == [mine["id"]]


async def test_another_token_of_the_same_name_is_the_same_owner(ask: Ask, house: House) -> None:
    first, second = await of(house, "anna"), await of(house, "anna")
    assert await listed(ask, second) == [] == await listed(ask, first)
    mine = await submitted(ask, first)
    assert await listed(ask, second) == [mine["id"]]


async def test_the_same_key_of_two_owners_is_two_jobs(ask: Ask, house: House) -> None:
    anna, bob = await of(house, "anna"), await of(house, "bob")
    mine, his, nobodys = [(await submitted(ask, who, key="order-1"))["id"] for who in (anna, bob, ADMIN)]
    assert len({mine, his, nobodys}) == 3
    assert (await submitted(ask, anna, key="order-1"))["id"] == mine
    other = await ask(JOBS, "POST", json={"type": "other"}, headers=anna | {"Idempotency-Key": "order-1"})
    assert (other.code, body_of(other)["code"]) == (422, "key_conflict")
    assert "the key 'order-1'" in body_of(other)["detail"]
    assert await listed(ask, anna, "key=order-1") == [mine]
    assert await listed(ask, ADMIN, "key=order-1") == [nobodys]
    assert await listed(ask, ADMIN, "key=order-1&owner=bob") == [his]
    batches = []
    for who in (anna, bob, anna):
        answer = await ask(f"{JOBS}/batch", "POST", json=[{"type": "label"}], headers=who | {"Idempotency-Key": "b"})
        batches.append(body_of(answer)["batch"])
    assert batches[0] == batches[2] != batches[1]
    assert len(await listed(ask, anna, "key=b")) == 1


async def test_the_next_page_is_asked_for_with_the_key_as_it_was_written(ask: Ask, house: House) -> None:
    anna = await of(house, "anna")
    jobs = [{"type": "label"}] * 3
    await ask(f"{JOBS}/batch", "POST", json=jobs, headers=anna | {"Idempotency-Key": "b"})
    seen, query = 0, "key=b&limit=1"
    while query:
        answer = await ask(f"{JOBS}?{query}", headers=anna)
        seen += len(body_of(answer)["items"])
        link = answer.headers.get("Link", "")
        query = link.partition("?")[2].partition(">")[0]
    assert seen == 3


async def test_who_waits_for_a_foreign_job_is_answered_as_for_one_that_is_not_there(ask: Ask, house: House) -> None:
    anna, bob = await of(house, "anna"), await of(house, "bob")
    mine, his = (await submitted(ask, anna))["id"], (await submitted(ask, bob))["id"]
    for wanted in ({"any": True}, {"any": False}):
        told = []
        for other in (his, "job-999"):
            body = {"ids": [other, mine] if wanted["any"] else [other], "timeout_s": 30} | wanted
            answer = body_of(await ask(f"{JOBS}/wait", "POST", json=body, headers=anna))
            told.append((answer["done"], [item["state"] for item in answer["items"]]))
        assert told[0] == told[1]
        assert told[0][1][0] is None


async def test_an_order_touches_his_own_alone_by_filter_and_by_ids(ask: Ask, house: House) -> None:
    anna, bob = await of(house, "anna"), await of(house, "bob")
    mine, his = (await submitted(ask, anna))["id"], (await submitted(ask, bob))["id"]
    order = {"action": "set_priority", "priority": 5}
    told = []
    for ids in ([mine, his], [mine, "job-999"]):
        done = body_of(await ask(f"{JOBS}/actions", "POST", json=order | {"ids": ids}, headers=anna))
        told.append((done["matched"], done["done"], done["skipped"], done["operation"]["ids"]))
    assert told[0] == told[1] == (1, 1, {}, 1)
    everything = {"action": "cancel", "filter": {"type": "label"}}
    assert body_of(await ask(f"{JOBS}/actions", "POST", json=everything, headers=anna))["matched"] == 1
    assert [job.state for job in await house.kept()] == ["cancelled", "queued"]
    foreign = {"action": "cancel", "filter": {"owner": "bob"}}
    refused(await ask(f"{JOBS}/actions", "POST", json=foreign, headers=anna), "forbidden_owner", "another owner")
    of_bob = body_of(await ask(f"{JOBS}/actions", "POST", json=everything, headers=bob))["operation"]["id"]
    seen = body_of(await ask("/api/v1/operations", headers=anna))["items"]
    assert len(seen) == 3
    assert of_bob not in [operation["id"] for operation in seen]
    assert len(body_of(await ask("/api/v1/operations", headers=ADMIN))["items"]) == 4


async def test_changes_and_events_are_of_his_own_alone(ask: Ask, house: House) -> None:
    anna, bob = await of(house, "anna"), await of(house, "bob")
    waits = asyncio.ensure_future(ask("/api/v1/changes?after=oldest&wait=30", headers=anna))
    await eventually(lambda: len(house.dispatcher.feed) == 1)
    await submitted(ask, bob)
    await house.dispatcher.idle()
    assert not waits.done()
    mine = await submitted(ask, anna)
    assert [item["job"] for item in body_of(await waits)["items"]] == [mine["id"]]
    for address in ("changes", "events"):
        refused(await ask(f"/api/v1/{address}?owner=bob", headers=anna), "forbidden_owner", "another owner")
        for event in ("workers.missed", "job,workers.complete"):
            refused(await ask(f"/api/v1/{address}?event={event}", headers=anna), "forbidden_owner", "everybody's")
    of_all = await of(house, "desk", Scope.READ)
    assert (await ask("/api/v1/changes?event=workers.missed", headers=of_all)).code == 200


async def test_the_console_is_closed_to_who_may_know_of_his_own_alone(ask: Ask, house: House) -> None:
    headers = await of(house, "anna")
    answer = await signed_in(Browser(ask), headers["Authorization"].removeprefix("Bearer "))
    assert answer.code == 403
    assert "may know of its own alone" in answer.body.decode()
