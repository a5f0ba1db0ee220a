"""Slashes at the end, ids in capitals and forms sent by programs: what was meant is helped on."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask, Browser, Scene, body_of
from tests.handlers.rich import WAITING, rich
from tests.support.forms import FORM
from tests.support.house import House

pytestmark = pytest.mark.gen_test


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/jobs/", "/jobs"),
        ("/jobs/?state=failed&type=a%20b", "/jobs?state=failed&type=a%20b"),
        ("/jobs/done-1/", "/jobs/done-1"),
        ("/jobs//", "/jobs"),
        ("/worker/?types=echo", "/worker?types=echo"),
        ("/Worker", "/worker"),
        ("/livez/", "/livez"),
        ("/api/v1/jobs/?limit=2", "/api/v1/jobs?limit=2"),
        ("/api/v1/jobs/done-1/result/", "/api/v1/jobs/done-1/result"),
        ("/API/v1/stats", "/api/v1/stats"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_slash_at_the_end_is_led_to_the_address_without_it(
    ask: Ask, path: str, right: str, method: str
) -> None:
    led = await ask(path, method)
    assert (led.code, led.headers["Location"]) == (307, right)
    assert led.headers["Cache-Control"] == "no-store"
    assert (await ask(right, method)).code == 200


@pytest.mark.parametrize("path", ["//", "//evil.example", "//evil.example/", "/\\evil.example/", "/nope/", "/tasks/"])
async def test_nobody_is_led_where_nothing_is_or_elsewhere(ask: Ask, path: str) -> None:
    assert (await ask(path)).code == 404


async def test_whoever_sends_something_is_told_the_address_and_nothing_is_done(ask: Ask, house: House) -> None:
    before = await house.kept()
    told = await ask("/api/v1/jobs/", "POST", json={"type": "echo"})
    assert (told.code, body_of(told)["code"]) == (404, "not_found")
    assert body_of(told)["detail"] == "There is nothing at /api/v1/jobs/. Send it to /api/v1/jobs."
    assert await house.kept() == before


class TestUnderAPath:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(public_url="http://127.0.0.1:8888/desk/", allow_origin=("https://a.example",))

    async def test_the_way_has_the_path_too(self, ask: Ask) -> None:
        assert (await ask("/desk/api/v1/jobs/?limit=2")).headers["Location"] == "/desk/api/v1/jobs?limit=2"
        told = await ask("/desk/api/v1/jobs/", "POST", json={"type": "echo"})
        assert "Send it to /desk/api/v1/jobs." in body_of(told)["detail"]

    async def test_pages_of_other_origins_may_follow_it(self, ask: Ask) -> None:
        led = await ask("/api/v1/jobs/", headers={"Origin": "https://a.example"})
        assert led.headers["Access-Control-Allow-Origin"] == "https://a.example"


async def test_an_id_in_capitals_is_the_same_id(ask: Ask, browser: Browser, house: House) -> None:
    loud = WAITING.upper()
    assert loud != WAITING
    assert body_of(await ask(f"/api/v1/jobs/{loud}"))["id"] == WAITING
    assert (await ask(f"/api/v1/jobs/{loud}/result")).code == 202
    assert (await browser.get(f"/jobs/{loud}")).code == 200
    assert (
        b'value="' + (await house.dispatcher.job(WAITING)).type.encode()
        in (await browser.get(f"/submit?like={loud}")).body
    )
    assert (await ask(f"/api/v1/jobs/{loud}/cancel", "POST", json={})).code == 200


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/submit", "Programs submit jobs as JSON: POST /api/v1/jobs, with 'Content-Type: application/json'."),
        (
            "/jobs/done-1/retry",
            "Programs send JSON: POST /api/v1/jobs/done-1/cancel, /retry, /decide, /adopt or /duplicate, with ",
        ),
        ("/login", "Programs do not sign in: they send 'Authorization: Bearer TOKEN' with each request."),
        ("/logout", "Programs use the API: docs/api.md describes it."),
    ],
)
async def test_a_program_that_sends_a_form_of_ours_is_told_of_the_api_as_text(
    ask: Ask, house: House, path: str, words: str
) -> None:
    before = await house.kept()
    form = await ask(path, "POST", body=urlencode({"type": "echo"}), headers=FORM)
    as_json = await ask(path, "POST", json={"type": "echo"})
    for told, status in ((form, 403), (as_json, 415)):
        assert (told.code, told.headers["Content-Type"]) == (status, "text/plain; charset=utf-8")
        assert "takes the forms of Pagehand's own pages, from a browser with cookies. " + words in told.body.decode()
    assert await house.kept() == before


@pytest.mark.parametrize("path", ["/", "/jobs", "/submit", "/worker", "/api/v1/jobs"])
async def test_who_asks_may_name_a_media_type_though_nothing_is_sent(ask: Ask, path: str) -> None:
    assert (await ask(path, headers={"Content-Type": "application/json"})).code == 200


async def test_a_browser_that_blocks_cookies_keeps_its_form(ask: Ask) -> None:
    headers = FORM | {"Accept": "text/html"}
    shown = await ask("/submit", "POST", body=urlencode({"type": "echo", "data": "what I typed"}), headers=headers)
    assert (shown.code, shown.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert b"what I typed" in shown.body
    assert b"cookies are blocked" in shown.body
