"""The list of types, and its buttons."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Browser
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)


async def page_of(browser: Browser, address: str) -> str:
    response = await browser.get(address)
    assert response.code == 200
    return response.body.decode()


async def test_the_buttons_pause_a_type_and_resume_it(browser: Browser, house: House) -> None:
    await house.submit("echo")
    pressed = await browser.post("/types/echo/pause", {"reason": "no <b> paper"}, "/types")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/types?q=echo")
    page = await page_of(browser, "/types?q=echo")
    assert "Paused by console: no &lt;b&gt; paper" in page
    assert "/types/echo/resume" in page
    assert "the type is paused by console: no &lt;b&gt; paper." in (await page_of(browser, "/")).replace("&nbsp;", " ")
    await browser.post("/types/echo/resume", {}, "/types")
    page = await page_of(browser, "/types?q=echo")
    assert ("Paused" in page, "/types/echo/pause" in page) == (False, True)


async def test_a_paused_type_that_no_job_names_stands_above_the_list(browser: Browser) -> None:
    await browser.post("/types/never-seen/pause", {"reason": ""}, "/submit")
    page = await page_of(browser, "/types")
    assert "Paused, so that their jobs wait" in page
    assert '<a href="/types?q=never-seen">never-seen</a>' in page


async def test_a_form_of_another_site_pauses_nothing(browser: Browser, house: House) -> None:
    await house.submit("echo")
    refused = await browser.post("/types/echo/pause", {"reason": "", "_xsrf": "2|00|00|0"}, "/types")
    assert refused.code == 403
    assert (await house.dispatcher.types.one("echo")).paused is None
