"""The lines of its log on a job's page: their numbers, links, a filter, and following them."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import Try, submit, take

pytestmark = pytest.mark.gen_test


async def running(house: House, lines: int) -> Try:
    """A job that runs, and has written so many lines."""
    tried = await take(house, await submit(house, "j"))
    await tried.say("accept")
    for number in range(1, lines + 1):
        await tried.say("log", line=f"page {number}, <i>paper</i>")
    return tried


async def page_of(browser: Browser, query: str = "") -> str:
    response = await browser.get(f"/jobs/j{query}")
    assert response.code == 200
    return response.body.decode()


def numbers(page: str) -> list[str]:
    return re.findall(r'<tr id="line-(\d+)">', page)


async def test_each_line_has_a_number_and_a_link_to_itself(browser: Browser, house: House) -> None:
    await running(house, 3)
    page = await page_of(browser)
    assert numbers(page) == ["1", "2", "3"]
    assert '<a href="#line-2">2</a>' in page
    assert "page 2, &lt;i&gt;paper&lt;/i&gt;" in page
    assert 'href="/api/v1/jobs/j/log"' in page


async def test_it_says_which_lines_are_gone(browser: Browser, house: House) -> None:
    await running(house, 203)
    page = await page_of(browser)
    assert numbers(page) == [str(number) for number in range(4, 204)]
    assert "The first 3 are not kept any more: the newest 200 are." in page


async def test_the_address_says_which_lines_are_shown(browser: Browser, house: House) -> None:
    await running(house, 12)
    page = await page_of(browser, "?q=PAGE+1")
    assert numbers(page) == ["1", "10", "11", "12"]
    assert "4 lines of 12 with this text." in page
    assert '<a href="/jobs/j#line-11">11</a>' in page, "it leads to the line among all lines"
    assert 'href="/api/v1/jobs/j/log?q=PAGE+1"' in page
    assert 'name="q" value="PAGE 1"' in page


async def test_what_no_line_holds_can_be_taken_back(browser: Browser, house: House) -> None:
    await running(house, 2)
    page = await page_of(browser, "?q=%3Cb%3E%22")
    assert (numbers(page), "0 lines of 2 with this text." in page) == ([], True)
    assert unescape('value="&lt;b&gt;&quot;"') not in page
    assert '<a href="/jobs/j#log">Show all</a>' in page


async def test_a_page_that_does_not_refresh_stays_so(browser: Browser, house: House) -> None:
    await running(house, 1)
    kept = '<input type="hidden" name="refresh" value="0">'
    assert kept not in await page_of(browser)
    assert kept in await page_of(browser, "?refresh=0")


async def test_only_a_job_that_is_open_can_be_followed(browser: Browser, house: House) -> None:
    tried = await running(house, 1)
    assert 'data-follow="lines"' in await page_of(browser)
    await tried.result("1")
    assert 'data-follow="lines"' not in await page_of(browser)


async def test_a_job_without_lines_has_no_log(browser: Browser, house: House) -> None:
    await running(house, 0)
    assert 'id="log"' not in await page_of(browser)
