"""``/api/v1/webhooks``: endpoints are made, changed, rotated and deleted; what was sent to them is read."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import ADMIN, JSON, made, refused, shown
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test
ALL = "/api/v1/webhooks"
URL = "https://shop.example/pagehand?from=us"


@pytest.fixture
def settings() -> Settings:
    return Settings(token="s3cret", webhook_allow=("intra.example:8080",))


async def webhook(ask: Ask, **fields: Any) -> dict[str, Any]:
    response = await ask(ALL, "POST", json={"url": URL} | fields, headers=ADMIN)
    assert response.code == 201, response.body
    body: dict[str, Any] = body_of(response)
    assert response.headers["Location"] == body["links"]["self"]
    return body


async def test_a_webhook_shows_its_secret_once(ask: Ask) -> None:
    whole = await webhook(ask, events=["job.failed"], types=["label"], name=" the shop ")
    secret = whole.pop("secret")
    assert secret.startswith("whsec_")
    address = whole["links"]["self"]
    assert whole == {
        "id": whole["id"], "name": "the shop", "url": URL, "events": ["job.failed"], "types": ["label"],
        "enabled": True, "reason": None, "pending": 0, "dead": 0, "old_secret_until": None,
        "made_by": "the administrator", "made_at": "2026-11-23T21:24:05.123Z",
        "links": {"self": address, "deliveries": f"{address}/deliveries", "dead": f"{address}/dead"},
    }  # fmt: skip
    for path, expected in ((ALL, {"items": [whole], "next_cursor": None}), (address, whole)):
        response = await ask(path, headers=ADMIN)
        assert body_of(response) == expected
        assert secret.encode() not in response.body


async def test_without_events_it_is_told_of_jobs_that_have_ended(ask: Ask) -> None:
    events = ["job.in_doubt", "job.succeeded", "job.failed", "job.cancelled", "job.expired"]
    assert (await webhook(ask))["events"] == events


async def test_what_is_not_named_stays_as_it_is(ask: Ask) -> None:
    whole = await webhook(ask, events=["job.failed"])
    address = whole["links"]["self"]
    changed = body_of(await ask(address, "PATCH", json={"types": ["fax"], "enabled": False}, headers=ADMIN))
    assert {name: changed[name] for name in ("url", "events", "types", "enabled", "reason")} == {
        "url": URL, "events": ["job.failed"], "types": ["fax"], "enabled": False,
        "reason": "an administrator has switched it off",
    }  # fmt: skip
    again = body_of(await ask(address, "PATCH", json={"enabled": True}, headers=ADMIN))
    assert (again["enabled"], again["reason"]) == (True, None)


async def test_a_rotation_shows_the_new_secret_and_until_when_the_old_one_signs(ask: Ask) -> None:
    whole = await webhook(ask)
    response = await ask(f"{whole['links']['self']}/rotate", "POST", json={}, headers=ADMIN)
    rotated = body_of(response)
    assert rotated["secret"] != whole["secret"]
    assert rotated["old_secret_until"] == "2026-11-24T21:24:05.123Z"


async def test_a_webhook_is_deleted(ask: Ask) -> None:
    address = (await webhook(ask))["links"]["self"]
    assert (await ask(address, "DELETE", headers=ADMIN | JSON)).code == 204
    assert (await ask(address, headers=ADMIN)).code == 404
    assert body_of(await ask(ALL, headers=ADMIN))["items"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "url"),
        ({"url": "https://10.0.0.1/"}, "private network"),
        ({"url": "http://shop.example:8080/"}, "--webhook-allow shop.example:8080"),
        ({"url": "http://user:word@shop.example/"}, "signed"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["job.lost"]}, "job.succeeded"),
        ({"url": URL, "types": ["no type"]}, "types"),
        ({"url": URL, "name": "a\nb"}, "name"),
        ({"url": URL, "secret": "mine"}, "url"),
    ],
)
async def test_anything_else_makes_no_webhook(ask: Ask, house: House, body: dict[str, Any], words: str) -> None:
    response = await ask(ALL, "POST", json=body, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (422, "invalid")
    assert words in body_of(response)["detail"]
    assert house.dispatcher.webhooks.all() == []


@pytest.mark.parametrize("body", [{}, {"enabled": "no"}, {"url": "https://127.0.0.1/"}, {"made_by": "me"}])
async def test_a_bad_change_changes_nothing(ask: Ask, body: dict[str, Any]) -> None:
    whole = await webhook(ask)
    response = await ask(whole["links"]["self"], "PATCH", json=body, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (422, "invalid")
    assert body_of(await ask(whole["links"]["self"], headers=ADMIN))["url"] == URL


async def test_a_host_that_the_administrator_allows_is_taken(ask: Ask) -> None:
    assert (await webhook(ask, url="http://intra.example:8080/in"))["url"] == "http://intra.example:8080/in"


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"dead": False}, {"ids": ["msg_1"], "dead": True}, {"ids": [7]}])
async def test_what_is_sent_again_must_be_said(ask: Ask, body: dict[str, Any]) -> None:
    whole = await webhook(ask)
    response = await ask(f"{whole['links']['self']}/redeliver", "POST", json=body, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (422, "invalid")


async def test_only_an_administrator_sees_webhooks(ask: Ask) -> None:
    token = shown(await made(ask, "read", "operate"))
    refused(await ask(ALL, headers=token), "forbidden_scope", "needs the scope 'admin'")


async def test_a_ping_to_a_webhook_that_is_switched_off_is_refused(ask: Ask) -> None:
    address = (await webhook(ask))["links"]["self"]
    await ask(address, "PATCH", json={"enabled": False}, headers=ADMIN)
    response = await ask(f"{address}/test", "POST", json={}, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (409, "wrong_state")
