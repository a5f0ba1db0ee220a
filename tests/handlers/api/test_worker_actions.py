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
    ],
)
async def test_what_is_wrong_with_an_order_is_said(ask: Ask, given: dict[str, Any], words: str) -> None:
    response = await ask(ACTIONS, "POST", json={"action": "pause"} | given)
    assert (response.code, words in response.body.decode()) == (422, True), response.body


@pytest.mark.parametrize("settings", [Settings(token="s3cret")])
async def test_what_is_for_administrators_alone_is_so_for_many_workers_too(ask: Ask, house: House) -> None:
    worker = (await house.register("A", "sum", name="A"))["worker"]
    operator = shown(await made(ask, "operate"))
    for action in ("block", "unblock", "forget"):
        refused(await act(ask, action, operator, ids=[worker], dry_run=True), "forbidden_scope", "'admin'")
    assert (await act(ask, "pause", operator, ids=[worker])).code == 200
    bound = shown(await made(ask, "operate", types=["sum"]))
    refused(await act(ask, "pause", bound, ids=[worker]), "forbidden_type", "every type")
