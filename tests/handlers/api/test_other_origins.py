"""Pages of another origin use the API with the token in a header; programs behind a proxy that has a sign-in, too."""

from __future__ import annotations

import base64

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test

TOKEN = "0b6f1c0e-s3cret"
PAGE = "https://intranet.example"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
#: What a browser asks before it lets a page post JSON with a token.
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
def settings() -> Settings:
    return Settings(token=TOKEN, allow_origin=(PAGE, "null"))


@pytest.mark.parametrize("path", ["jobs", "jobs/batch", "jobs/job-1/cancel", "stats"])
async def test_a_browser_may_ask_for_a_page_without_the_token(ask: Ask, path: str) -> None:
    answer = await ask(f"/api/v1/{path}", "OPTIONS", headers={"Origin": PAGE} | ASKS)
    assert (answer.code, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert ("POST" in answer.headers["Access-Control-Allow-Methods"]) is (path != "stats")
    taken = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "idempotency-key", "x-pagehand-token"} <= set(taken)
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


async def test_a_page_submits_with_the_token_and_reads_the_answer(ask: Ask) -> None:
    answer = await ask("/api/v1/jobs", "POST", json={"type": "echo"}, headers={"Origin": PAGE} | BEARER)
    assert answer.code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    ("path", "method", "shown", "status"),
    [
        ("jobs", "POST", {}, 401),
        ("jobs", "POST", BEARER, 422),
        ("jobs?status=failed", "GET", BEARER, 400),
        ("nope", "GET", {}, 404),
        ("stats", "POST", BEARER, 405),
    ],
)
async def test_a_page_reads_refusals_too(ask: Ask, path: str, method: str, shown: dict[str, str], status: int) -> None:
    headers = {"Origin": PAGE, "Content-Type": "application/json"} | shown
    answer = await ask(f"/api/v1/{path}", method, headers=headers, body=b"{}" if method == "POST" else None)
    assert (answer.code, answer.headers["Access-Control-Allow-Origin"]) == (status, PAGE)


@pytest.mark.expect_log("forbidden_origin")
async def test_a_foreign_page_is_refused_before_it_may_ask(ask: Ask, house: House) -> None:
    for headers in (ASKS, {"Content-Type": "application/json"} | BEARER):
        answer = await ask(
            "/api/v1/jobs",
            "OPTIONS" if headers is ASKS else "POST",
            body=b"{}",
            headers=headers | {"Origin": "https://evil.example"},
        )
        assert answer.code == 403
        assert "Access-Control-Allow-Methods" not in answer.headers
    assert await house.kept() == []


@pytest.mark.expect_log("forbidden_origin")
async def test_a_page_without_an_origin_changes_nothing_even_with_the_token(ask: Ask, house: House) -> None:
    answer = await ask("/api/v1/jobs", "POST", json={"type": "echo"}, headers={"Origin": "null"} | BEARER)
    assert answer.code == 403
    assert await house.kept() == []


async def test_asking_for_nobody_needs_the_token(ask: Ask) -> None:
    assert (await ask("/api/v1/jobs", "OPTIONS")).code == 401
    assert (await ask("/api/v1/jobs", "OPTIONS", headers=BEARER)).code == 204


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anna:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ({"X-Pagehand-Token": TOKEN}, 201),
        ({"X-Pagehand-Token": TOKEN} | basic("of the proxy"), 201),
        (basic(TOKEN), 201),
        (basic("of the proxy"), 401),
        ({"X-Pagehand-Token": "wrong"} | BEARER, 401),
    ],
)
async def test_a_proxy_may_have_a_sign_in_of_its_own(ask: Ask, shown: dict[str, str], status: int) -> None:
    answer = await ask("/api/v1/jobs", "POST", json={"type": "echo"}, headers=shown)
    assert answer.code == status
    if status == 401:
        assert "'X-Pagehand-Token: TOKEN'" in body_of(answer)["detail"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), "no browser shall ask people for a password"


async def test_who_is_signed_in_reads_the_api_behind_such_a_proxy(browser: Browser) -> None:
    await browser.post("/login", {"token": TOKEN, "next": "/"}, "/login")
    assert (await browser.get("/api/v1/stats", headers=basic("of the proxy"))).code == 200
    assert (await browser.get("/jobs", headers=basic("of the proxy"))).code == 200
