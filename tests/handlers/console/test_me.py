"""Who sits at the browser: a name is asked for once, and stands beside what opened the door in all that is done."""

from __future__ import annotations

import base64
from html import unescape

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import ADMIN, made
from tests.handlers.conftest import Ask, Browser
from tests.support.house import House
from tests.support.scenes import submit

pytestmark = pytest.mark.gen_test

TOKEN = "s3cret"


async def acts(house: House) -> list[tuple[str, str, str]]:
    """What was done, the oldest first: the act, who has done it, and the id of the token."""
    await house.pass_time(0.0)
    page = await house.dispatcher.access.acts(AuditFilter())
    return [(act.action, act.actor.name, act.actor.token) for act in reversed(page.items)]


async def say(browser: Browser, person: str, **more: str) -> int:
    return (await browser.post("/me", {"person": person, "next": "/jobs", **more}, "/me")).code


async def test_without_a_token_the_foot_asks_and_then_acts_have_an_author(browser: Browser, house: House) -> None:
    await submit(house, "one")
    assert "Nobody has said who you are." in await browser.page("/jobs/one")
    assert await say(browser, " Anna  <b>Änger</b> ") == 303
    page = await browser.page("/jobs/one")
    assert "You are: <strong>Anna &lt;b&gt;Änger&lt;/b&gt;</strong>" in page
    await browser.post("/jobs/one/cancel", {}, "/jobs/one")
    assert ("job.cancel", "Anna <b>Änger</b> (console)", "") in await acts(house)
    assert await say(browser, "") == 303
    assert "Nobody has said who you are." in await browser.page("/jobs/one")


@pytest.mark.parametrize("settings", [Settings(token=TOKEN)])
async def test_the_login_asks_for_it_and_a_token_s_name_stands_behind_it(
    ask: Ask, browser: Browser, house: House
) -> None:
    token = await made(ask, "operate", name="ops")
    await submit(house, "one")
    signed = {"token": token["token"], "person": "anna", "next": "/jobs"}
    assert (await browser.post("/login", signed, "/login")).code == 303
    await browser.post("/jobs/one/cancel", {"reason": "too late"}, "/jobs/one")
    done = await acts(house)
    assert ("console.sign_in", "anna (token ops)", token["id"]) in done
    assert ("job.cancel", "anna (token ops)", token["id"]) in done
    assert "anna (token ops)" in await browser.page("/jobs/one")
    await browser.post("/logout", {}, "/jobs")
    assert 'name="person" value=""' in await browser.page("/login"), "who comes next is asked"


@pytest.mark.parametrize("settings", [Settings(token=TOKEN)])
async def test_what_a_program_does_has_the_name_of_its_token_alone(ask: Ask, browser: Browser, house: House) -> None:
    await browser.post("/login", {"token": TOKEN, "person": "anna"}, "/login")
    await submit(house, "one")
    cookies = ADMIN | browser.cookies.header()
    assert (await ask("/api/v1/jobs/one/cancel", "POST", json={}, headers=cookies)).code == 200
    assert ("job.cancel", "api", "") in await acts(house)


@pytest.mark.parametrize("person", ["x" * 65, "a\0b", "evil\u202eanna", "a\u200bb"])
async def test_a_name_that_cannot_be_read_is_refused_and_comes_back(browser: Browser, person: str) -> None:
    refused = await browser.post("/me", {"person": person, "next": "/jobs"}, "/me")
    assert (refused.code, "A name has 1 to 64 characters" in refused.body.decode()) == (422, True)
    assert "Nobody has said who you are." in await browser.page("/jobs")


@pytest.mark.parametrize("settings", [Settings(token=TOKEN)])
async def test_the_login_refuses_such_a_name_before_it_looks_at_the_token(browser: Browser) -> None:
    refused = await browser.post("/login", {"token": "wrong", "person": "x" * 65}, "/login")
    assert (refused.code, "A name has 1 to 64 characters" in refused.body.decode()) == (422, True)


@pytest.mark.parametrize("settings", [Settings(token=TOKEN)])
async def test_a_name_in_a_cookie_that_we_have_not_signed_counts_for_nothing(browser: Browser, house: House) -> None:
    await browser.post("/login", {"token": TOKEN, "person": "anna"}, "/login")
    [name] = [name for name in browser.cookies.values if name.startswith("pagehand_person_")]
    assert "HttpOnly" in browser.cookies.lines[name]
    forged = base64.b64encode(b"boss").decode()
    browser.cookies.values[name] = browser.cookies.values[name].replace(base64.b64encode(b"anna").decode(), forged)
    assert "Nobody has said who you are." in await browser.page("/jobs")


async def test_the_page_leads_back_to_where_it_was_opened_and_to_no_other_site(browser: Browser) -> None:
    assert 'href="/me?next=%2Fjobs%3Fstate%3Dfailed"' in await browser.page("/jobs?state=failed")
    assert 'name="next" value="/jobs?state=failed"' in await browser.page("/me?next=%2Fjobs%3Fstate%3Dfailed")
    sent = await browser.post("/me", {"person": "a", "next": "//evil.example"}, "/me")
    assert (sent.code, sent.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    ("chosen", "media", "scheme"),
    [
        ("dark", "screen", "dark"),
        ("light", "not all", "light"),
        ("system", "(prefers-color-scheme: dark)", "light dark"),
        ("pink", "(prefers-color-scheme: dark)", "light dark"),
    ],
)
async def test_the_first_byte_of_a_page_has_the_chosen_colours(
    browser: Browser, chosen: str, media: str, scheme: str
) -> None:
    await say(browser, "anna", colours="dark")
    await say(browser, "anna", colours=chosen)
    for path in ("/", "/board", "/docs", "/nope"):
        page = unescape((await browser.get(path)).body.decode())
        assert f'media="{media}"' in page, path
        assert f'name="color-scheme" content="{scheme}"' in page, path
