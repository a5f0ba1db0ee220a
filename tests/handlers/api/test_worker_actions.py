"""The JSON API: one order for many workers."""

from __future__ import annotations

from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import made, refused, shown
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test

ACTIONS = "/api/v1/workers/actions"


@pytest.fixture
def short_way() -> bool:
    """No new job comes over HTTP here."""
    return True


async def act(ask: Ask, action: str = "pause", headers: Any = None, **given: Any) -> HTTPResponse:
    return await ask(ACTIONS, "POST", json={"action": action} | given, headers=headers or {})


async def test_an_order_is_answered_with_its_counts_and_can_be_asked_for(ask: Ask, house: House) -> None:
    ids = [(await house.register(name, "sum", name=name, labels={"site": "ulm"}))["worker"] for name in ("A", "B")]
    await house.register("C", "sum", name="C")
    counted = body_of(await act(ask, filter={"label": "site:ulm", "type": "sum"}, dry_run=True))
    assert (counted["matched"], counted["done"]) == (2, 0)
    response = await act(ask, filter={"label": "site:ulm"}, expect=2, reason="paint")
    told = body_of(response)
    operation = told.pop("operation")
    assert (response.code, told) == (200, {"matched": 2, "done": 2, "skipped": {}})
    assert (operation["action"], operation["filter"], operation["reason"]) == ("pause", {"label": "site:ulm"}, "paint")
    seen = body_of(await ask(response.headers["Location"]))
    assert seen == operation | {"did": ids}
    workers = body_of(await ask("/api/v1/workers"))["items"]
    assert [worker["paused"] for worker in workers] == [True, True, False]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "filter or ids"),
        ({"ids": ["x"], "filter": {"name": "x"}}, "filter or ids"),
        ({"filter": {}}, "at least one of name"),
        ({"filter": {"colour": "red"}}, "colour"),
        ({"filter": {"state": "asleep"}}, "state must be one of"),
        ({"ids": ["x"], "action": "dance"}, "must be one of pause, resume"),
        ({"ids": ["x"], "reason": "two\nlines"}, "reason"),
        ({"ids": ["x"], "action": "rename"}, "a name is given to one worker alone"),
        ({"ids": ["x"], "action": "labels"}, "is needed for labels"),
        ({"ids": ["x"], "action": "labels", "labels": {}}, "is needed for labels"),
        ({"ids": ["x"], "labels": {"site": "bonn"}}, "belongs to no other action"),
        ({"ids": ["x"], "action": "labels", "labels": {"name": "A"}}, "a name is given to one worker alone"),
        ({"ids": ["x"], "action": "test", "type": "own"}, "comes with an example"),
        ({"ids": ["x"], "type": "echo"}, "belongs to test alone"),
    ],
)
async def test_what_is_wrong_with_an_order_is_said(ask: Ask, given: dict[str, Any], words: str) -> None:
    response = await ask(ACTIONS, "POST", json={"action": "pause"} | given)
    assert (response.code, words in response.body.decode()) == (422, True), response.body


@pytest.mark.parametrize("settings", [Settings(token="s3cret")])
async def test_what_is_for_administrators_alone_is_so_for_many_workers_too(ask: Ask, house: House) -> None:
    worker = (await house.register("A", "sum", name="A"))["worker"]
    operator = shown(await made(ask, "operate"))
    for action in ("block", "unblock", "forget", "labels"):
        more = {"labels": {"site": "bonn"}} if action == "labels" else {}
        refused(await act(ask, action, operator, ids=[worker], dry_run=True, **more), "forbidden_scope", "'admin'")
    refused(await act(ask, "test", operator, ids=[worker], dry_run=True), "forbidden_scope", "'submit'")
    assert (await act(ask, "pause", operator, ids=[worker])).code == 200
    bound = shown(await made(ask, "operate", types=["sum"]))
    refused(await act(ask, "pause", bound, ids=[worker]), "forbidden_type", "every type")


async def test_labels_and_test_jobs_are_given_to_many_at_once(ask: Ask, house: House) -> None:
    for name in ("A", "B"):
        await house.register(name, "print-label", name=name, labels={"site": "ulm"})
    given = {"site": "bonn", "floor": None}
    told = body_of(await act(ask, "labels", filter={"label": "site:ulm"}, labels=given, reason="moved"))
    assert (told["done"], told["operation"]["labels"], told["operation"]["type"]) == (2, given, None)
    labels = [worker["labels"] for worker in body_of(await ask("/api/v1/workers"))["items"]]
    assert labels == [{"site": "bonn"}] * 2
    told = body_of(await act(ask, "test", filter={"label": "site:bonn"}, type="print-label", reason="moved"))
    assert (told["done"], told["operation"]["labels"], told["operation"]["type"]) == (2, None, "print-label")
    jobs = body_of(await ask(f"/api/v1/jobs?tag={told['operation']['id']}"))["items"]
    assert [(job["summary"], job["requires"]) for job in jobs] == [
        ("Test job: moved", {"name": name}) for name in ("B", "A")
    ]
