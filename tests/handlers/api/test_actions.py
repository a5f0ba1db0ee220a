"""The JSON API: one order for many jobs."""

from __future__ import annotations

from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House
from tests.support.scenes import submit

pytestmark = pytest.mark.gen_test

ACTIONS = "/api/v1/jobs/actions"


@pytest.fixture
def short_way() -> bool:
    """No new job comes over HTTP here."""
    return True


async def act(ask: Ask, action: str = "cancel", **given: Any) -> HTTPResponse:
    return await ask(ACTIONS, "POST", json={"action": action} | given)


async def test_an_order_is_answered_with_its_counts_and_can_be_asked_for(ask: Ask, house: House) -> None:
    for name in ("a1", "a2"):
        await submit(house, name, tags=("night",))
    await submit(house, "b1")
    wanted = {"state": ["queued", "scheduled"], "tag": "night", "created_after": "-1h"}
    response = await act(ask, filter=wanted, expect=2, reason="no\0paper")
    assert response.code == 200
    told = body_of(response)
    operation = told.pop("operation")
    assert told == {"matched": 2, "done": 2, "skipped": {}}
    assert (operation["state"], operation["filter"], operation["actor"]) == ("done", wanted, "api")
    assert operation["reason"] == "no\ufffdpaper"
    address = response.headers["Location"]
    assert body_of(await ask(f"{address}?wait=1")) == operation | {"did": ["a2", "a1"]}
    assert body_of(await ask("/api/v1/operations"))["items"] == [operation]
    assert (await ask(f"{address}/stop", "POST", json={})).code == 409
    assert (await ask(f"{address}/stop", "POST", json={"why": 1})).code == 422
    assert await house.state(await house.dispatcher.job("b1")) == "queued"


async def test_another_number_than_expected_is_a_conflict_and_nothing_is_done(ask: Ask, house: House) -> None:
    await submit(house, "a1")
    response = await act(ask, filter={"type": "print-label"}, expect=40)
    assert (response.code, body_of(response)["type"]) == (409, "urn:pagehand:error:count_changed")
    assert body_of(response)["detail"].startswith("1 job matches, and 40 were expected")
    assert await house.state(await house.dispatcher.job("a1")) == "queued"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"filter": {}}, "must say which jobs"),
        ({}, "either filter or ids"),
        ({"filter": {"type": "echo"}, "ids": ["a"]}, "either filter or ids"),
        ({"filter": {"limit": 3}}, "limit"),
        ({"filter": {"state": "odd"}}, "state must be one of"),
        ({"filter": {"type": " "}}, "nothing but blanks"),
        ({"filter": {"type": "\x01\x1f"}}, "nothing but blanks"),
        ({"filter": {"type": "a"}, "expect": 2.5}, "Expected `int"),
        ({"filter": {"created_after": "soon"}}, "created_after"),
        ({"ids": []}, "ids"),
        ({"filter": {"type": "echo"}, "priority": 1}, "priority"),
        ({"filter": {"type": "echo"}, "free_key": True}, "free_key"),
        ({"filter": {"type": "echo"}, "action": "set_priority"}, "priority"),
        ({"filter": {"type": "echo"}, "action": "explode"}, "action: must be one of cancel, retry,"),
    ],
)
async def test_an_order_that_is_not_clear_is_refused(ask: Ask, given: dict[str, Any], words: str) -> None:
    response = await act(ask, **given)
    assert response.code == 422
    assert words in body_of(response)["detail"]


async def test_a_whole_number_may_be_written_with_a_point(ask: Ask, house: House) -> None:
    await submit(house, "a1")
    response = await act(ask, "set_priority", filter={"type": "print-label"}, expect=1.0, priority=-5.0)
    assert (response.code, body_of(response)["done"]) == (200, 1)
    assert body_of(await ask("/api/v1/jobs"))["items"][0]["priority"] == -5


@pytest.mark.parametrize("body", ['{"expect": 1.0, "ids": [', '{"expect": 1e300, "ids": ["a"], "action": "cancel"}'])
async def test_a_number_with_a_point_hides_no_other_fault(ask: Ask, body: str) -> None:
    response = await ask(ACTIONS, method="POST", body=body, headers={"Content-Type": "application/json"})
    assert response.code in {400, 422}


@pytest.mark.parametrize("settings", [Settings(waiters=1)])
async def test_an_order_that_has_begun_is_not_refused_because_too_many_wait(ask: Ask, house: House) -> None:
    await submit(house, "a1")
    place = house.dispatcher._waiters.add()
    response = await act(ask, filter={"type": "print-label"})
    house.dispatcher._waiters.remove(place)
    assert (response.code, len(house.dispatcher.operations.all())) == (202, 1)
    address = response.headers["Location"]
    assert body_of(await ask(f"{address}?wait=1"))["done"] == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("order", [{"action": "kill", "filter": {"type": "a"}}, {"filter": {"type": "a"}}])
async def test_an_action_that_there_is_not_is_told_those_that_there_are(ask: Ask, order: dict[str, Any]) -> None:
    response = await ask("/api/v1/jobs/actions", "POST", json=order)
    words = "must be one of cancel, retry, delete, set_priority"
    assert (response.code, body_of(response)["errors"]) == (422, [{"pointer": "#/action", "detail": words}])
