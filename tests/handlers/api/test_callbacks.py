"""``callback_url`` of a job: taken where its host is allowed, and refused with words."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import ADMIN, JSON
from tests.handlers.conftest import Ask, body_of

pytestmark = pytest.mark.gen_test
BACK = "https://caller.example/done?order=1"
JOBS, CALLBACKS = "/api/v1/jobs", "/api/v1/webhooks/callbacks"


@pytest.fixture
def hosts() -> tuple[str, ...]:
    """Which are allowed."""
    return ("caller.example:8443",)


@pytest.fixture
def settings(hosts: tuple[str, ...]) -> Settings:
    return Settings(token="s3cret", callback_host=hosts, callback_secret="whsec_" + "ab12" * 11)


async def job(ask: Ask, **fields: Any) -> dict[str, Any]:
    response = await ask(JOBS, "POST", json={"type": "echo"} | fields, headers=ADMIN)
    assert response.code == 201, response.body
    made: dict[str, Any] = body_of(response)
    return made


@pytest.mark.parametrize("url", [BACK, "https://caller.example:8443/", "http://CALLER.example"])
async def test_a_callback_to_an_allowed_host_is_taken_and_shown(ask: Ask, url: str) -> None:
    made = await job(ask, callback_url=url)
    assert made["callback_url"] == url
    assert body_of(await ask(made["links"]["self"], headers=ADMIN))["callback_url"] == url
    assert (await job(ask))["callback_url"] is None
    assert (await job(ask, callback_url=None))["callback_url"] is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://other.example/", "--callback-host other.example"),
        ("https://caller.example.evil.example/", "--callback-host"),
        ("https://caller.example@evil.example/", "user"),
        ("https://caller.example:9000/", "--callback-host caller.example:9000"),
        ("ftp://caller.example/", "http or https"),
        ("http://169.254.169.254/latest", "--callback-host"),
        ("http://127.0.0.1/", "--callback-host"),
        ("http://0x7f.1/", "plain"),
        ("not an address", "address"),
        ("https://caller.example/\u2603", "ASCII"),
    ],
)
async def test_any_other_callback_is_refused_and_makes_no_job(ask: Ask, url: str, words: str) -> None:
    response = await ask(JOBS, "POST", json={"type": "echo", "callback_url": url}, headers=ADMIN)
    body = body_of(response)
    assert (response.code, body["code"]) == (422, "callback_refused")
    assert body["detail"].startswith("callback_url ")
    assert words in body["detail"]
    assert body_of(await ask(JOBS, headers=ADMIN))["items"] == []


@pytest.mark.parametrize("given", [7, "", "x" * 2_001, ["https://caller.example/"]])
async def test_what_is_no_text_of_that_length_is_a_wrong_field(ask: Ask, given: object) -> None:
    response = await ask(JOBS, "POST", json={"type": "echo", "callback_url": given}, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (422, "invalid")


async def test_in_a_batch_the_job_is_named_and_none_is_taken(ask: Ask) -> None:
    jobs = [{"type": "echo", "callback_url": BACK}, {"type": "echo", "callback_url": "https://other.example/"}]
    response = await ask(f"{JOBS}/batch", "POST", json=jobs, headers=ADMIN)
    body = body_of(response)
    assert (response.code, body["code"]) == (422, "callback_refused")
    assert body["detail"].startswith("Job 1 (the first is 0): callback_url must lead to a host")
    assert body_of(await ask(JOBS, headers=ADMIN))["items"] == []


@pytest.mark.parametrize("hosts", [()])
async def test_where_no_host_is_allowed_no_callback_is_taken(ask: Ask) -> None:
    response = await ask(JOBS, "POST", json={"type": "echo", "callback_url": BACK}, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (422, "callback_refused")
    assert "--callback-host" in body_of(response)["detail"]
    assert body_of(await ask("/api/v1/webhooks", headers=ADMIN))["items"] == []


async def test_callbacks_stand_in_the_list_of_webhooks_and_nobody_changes_them(ask: Ask) -> None:
    [shown] = body_of(await ask("/api/v1/webhooks", headers=ADMIN))["items"]
    assert shown == body_of(await ask(CALLBACKS, headers=ADMIN))
    assert (shown["id"], shown["enabled"], shown["made_at"]) == ("callbacks", True, None)
    for path, method, body in [
        (CALLBACKS, "PATCH", {"enabled": False}),
        (CALLBACKS, "DELETE", None),
        (f"{CALLBACKS}/rotate", "POST", {}),
        (f"{CALLBACKS}/test", "POST", {}),
    ]:
        given = {"json": body} if body is not None else {}
        response = await ask(path, method, headers=ADMIN if given else ADMIN | JSON, **given)
        assert (response.code, body_of(response)["code"]) == (409, "wrong_state"), path


async def test_messages_that_are_not_there_are_named(ask: Ask) -> None:
    response = await ask(f"{CALLBACKS}/redeliver", "POST", json={"ids": ["msg_none"]}, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (404, "not_found")
    assert "msg_none" in body_of(response)["detail"]
