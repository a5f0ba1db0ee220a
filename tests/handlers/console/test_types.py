"""The page of one type, and its buttons."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.handlers.conftest import Browser
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)


async def test_the_list_leads_to_the_page_whose_buttons_pause_and_resume(browser: Browser, house: House) -> None:
    await house.submit("echo")
    assert 'href="/types/echo"' in await browser.page("/types")
    pressed = await browser.post("/types/echo/pause", {"reason": "no <b> paper"}, "/types/echo")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/types/echo")
    page = await browser.page("/types/echo")
    assert "Paused by console: no &lt;b&gt; paper" in page
    assert "Let its jobs run again" in page
    assert "Paused by console: no &lt;b&gt; paper" in await browser.page("/types?q=echo")
    assert "the type is paused by console: no &lt;b&gt; paper." in (await browser.page("/")).replace("&nbsp;", " ")
    pressed = await browser.post("/types/echo/resume", {}, "/types/echo")
    assert pressed.headers["Location"] == "/types/echo"
    page = await browser.page("/types/echo")
    assert "Paused" not in page
    assert '<a href="/types" aria-current="true" class="here">' in page


async def test_a_paused_type_that_nobody_names_stands_above_the_list(browser: Browser) -> None:
    await browser.post("/types/never-seen/pause", {"reason": ""}, "/submit")
    page = await browser.page("/types")
    assert "Paused, so that their jobs wait" in page
    assert '<a href="/types/never-seen">never-seen</a>' in page
    pressed = await browser.post("/types/never-seen/resume", {}, "/types/never-seen")
    assert pressed.headers["Location"] == "/types"
    assert (await browser.get("/types/never-seen")).code == 404


async def test_all_types_have_a_page_whose_buttons_pause_and_resume_them(browser: Browser, house: House) -> None:
    await house.submit("echo")
    assert '<a href="/types/*">Pause all types</a>' in await browser.page("/types")
    pressed = await browser.post("/types/*/pause", {"reason": "wrong prices"}, "/types/*")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/types/*")
    page = await browser.page("/types/*")
    assert "<h1>All types</h1>" in page
    assert "Paused by console: wrong prices" in page
    assert "Defaults of its new jobs" not in page
    assert '<a href="/types/*">all types</a> by console: wrong prices' in await browser.page("/types")
    words = "No job is given out: all types are paused by console: wrong prices. 1 job waits."
    overview = (await browser.page("/")).replace("&nbsp;", " ")
    assert words in overview
    assert 'action="/types/*/resume"' in overview
    pressed = await browser.post("/types/*/resume", {}, "/types/*")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/types/*")
    assert "Paused" not in await browser.page("/types/*")


async def test_defaults_that_are_refused_stay_in_view_with_their_reason(browser: Browser, house: House) -> None:
    await house.submit("echo")
    typed = {"timeout_s": "long", "max_attempts": "3", "reason": "the <b> line is slow"}
    refused = await browser.post("/types/echo/defaults", typed, "/types/echo")
    assert refused.code == 422
    page = unescape(refused.body.decode())
    assert '<details class="defaults" open>' in page
    for name, text in typed.items():
        assert re.search(rf'name="{name}" value="{text}"', page), name
    assert page.count("the <b> line is slow") == 1, "the form that pauses has reasons of its own"


async def test_a_form_of_another_site_pauses_nothing(browser: Browser, house: House) -> None:
    await house.submit("echo")
    refused = await browser.post("/types/echo/pause", {"reason": "", "_xsrf": "2|00|00|0"}, "/types/echo")
    assert refused.code == 403
    assert (await house.dispatcher.types.one("echo")).paused is None


async def test_pages_that_could_not_load_a_task_are_told_on_its_page_and_in_the_lists(
    browser: Browser, house: House
) -> None:
    why = "E-TSK-01: line 3: Unexpected token &lt;"
    for number in range(7):
        await house.register(f"s{number}", "echo", name=f"KASSE-{number}", unloaded={"fax": why.replace("&lt;", "<")})
    await house.submit("fax")
    page = await browser.page("/types/fax")
    assert "7 pages of 7 could not load the task." in page
    assert f"<li>{why}: <a href=" in page
    assert page.count("KASSE-") == 5
    assert " and 2 more</li>" in page
    assert "7 pages could not load it" in await browser.page("/types")
    [worker, *_] = house.dispatcher.workers().items
    assert f'<a href="/types/fax">fax</a>: {why}' in await browser.page(f"/workers/{worker.id}")
    assert f'title="{why}">fax</a>' in await browser.page("/workers")
