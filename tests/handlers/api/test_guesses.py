"""Whoever shows many different wrong tokens must wait, and nobody else; by both ways of a new job."""

from __future__ import annotations

import base64

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import ADMIN, made, shown, signed_in
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test


@pytest.fixture
def settings() -> Settings:
    return Settings(token="s3cret")


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def guessed(ask: Ask, count: int) -> None:
    for number in range(count):
        wrong = {"Authorization": f"Bearer wrong-{number}"}
        assert (await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=wrong)).code == 401


@pytest.mark.expect_log("too_many_wrong_tokens")
async def test_who_guesses_must_wait_and_tokens_of_the_store_need_not(ask: Ask, house: House) -> None:
    token = shown(await made(ask, "submit"))
    await guessed(ask, 20)
    for headers in (ADMIN, {"Authorization": "Bearer another"}):
        response = await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=headers)
        assert (response.code, body_of(response)["code"]) == (429, "too_many_wrong_tokens")
        assert response.headers["Retry-After"] == "3"
    assert (await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=token)).code == 201
    house.clock.advance(3.0)
    assert (await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN)).code == 201


@pytest.mark.expect_log("too_many_wrong_tokens")
async def test_who_guesses_at_the_login_is_told_to_wait(ask: Ask, browser: Browser) -> None:
    await guessed(ask, 20)
    response = await signed_in(browser, "s3cret")
    assert (response.code, response.headers["Retry-After"]) == (429, "3")
    assert b"wrong tokens have come from this address" in response.body


async def test_a_password_for_a_proxy_keeps_neither_a_session_nor_a_token_out(ask: Ask, browser: Browser) -> None:
    assert (await signed_in(browser, "s3cret")).code == 303
    for number in range(25):
        password = base64.b64encode(b"anna:of the proxy, %d" % number).decode()
        headers = {"Authorization": f"Basic {password}"}
        assert (await browser.get("/api/v1/jobs", headers=headers)).code == 200
        assert (await ask("/api/v1/jobs", headers=headers)).code == 401
    assert (await ask("/api/v1/jobs", headers=ADMIN)).code == 200
