"""The lists of the console show which field of their filter is wrong."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.model import WorkerStatus
from tests.handlers.conftest import Ask, Browser, Scene
from tests.handlers.rich import rich

pytestmark = pytest.mark.gen_test

LABEL = "berlin: write a label and its value, as in site:berlin."
CURSOR = "cursor: take it unchanged from an earlier answer's next_cursor"
LIMIT = "limit must be a whole number from 1 to 100."
NOT_UTF8 = "is not UTF-8 (character 1 is %FF, ÿ in Windows-1252 and Latin-1): write ÿ as %C3%BF."
JOB_STATES = "scheduled, queued, running, in_doubt, succeeded, failed, cancelled, expired"
WRONG = [
    ("/jobs", "requires=berlin", "requires", LABEL),
    ("/jobs", "requires=a%3Ab&requires=berlin", "requires", LABEL),
    ("/jobs", "state=asleep", "state", f"state must be one of {JOB_STATES}."),
    ("/jobs", "type=%FF", "type", "type " + NOT_UTF8),
    ("/jobs", "worker=%FF", "worker", "worker " + NOT_UTF8),
    ("/workers", "label=berlin", "label", LABEL),
    ("/workers", "state=asleep", "state", f"state must be one of {', '.join([*WorkerStatus, *WorkerDoing])}."),
    ("/workers", "name=%FF", "name", "name " + NOT_UTF8),
    ("/workers", "type=%FF", "type", "type " + NOT_UTF8),
    ("/types", "q=%FF", "q", "q " + NOT_UTF8),
]


@pytest.fixture
def scene() -> Scene:
    return rich


async def refused(browser: Browser, address: str) -> str:
    """The page of a wrong address."""
    response = await browser.get(address)
    assert response.code == 400
    return unescape(response.body.decode())


@pytest.mark.parametrize(("path", "query", "field", "words"), WRONG)
async def test_a_wrong_field_of_a_filter_has_its_words_beside_it(
    browser: Browser, path: str, query: str, field: str, words: str
) -> None:
    page = await refused(browser, f"{path}?{query}")
    assert f'<span class="error" id="{field}-error">{words}</span>' in page
    assert re.findall(r'aria-describedby="([^"]+)"', page) == [f"{field}-error"] * (query.count("=") or 1)
    assert f'Nothing is listed.</strong> <a href="#{field}">{words}</a>' in page
    assert f'id="{field}"' in page, "what that leads to"


@pytest.mark.parametrize(("path", "query", "field", "words"), WRONG)
async def test_a_list_whose_filter_is_wrong_lists_nothing(
    browser: Browser, path: str, query: str, field: str, words: str
) -> None:
    page = await refused(browser, f"{path}?{query}")
    assert "<table" not in page
    assert not re.search(r"is like that|begins like that|is here|is known|looked at so far|Refresh every 5 s", page)


async def test_a_wrong_filter_keeps_what_was_typed_in_all_fields(browser: Browser) -> None:
    query = "q=out+of&state=running&type=print%26&requires=a%3Ab&requires=+%22berlin&worker=DESK&tag=a+%22b&owner=%3Ca"
    page = await refused(browser, f"/jobs?{query}")
    assert 'name="state" value="running" checked>' in page
    values = re.findall(r'<input [^>]*name="(\w+)"[^>]*? value="(.*?)" maxlength', page)
    assert values == [
        ("q", "out of"),
        ("type", "print&"),
        ("worker", "DESK"),
        ("requires", "a:b"),
        ("requires", '"berlin'),
        ("tag", 'a "b'),
        ("owner", "<a"),
    ]
    page = await refused(browser, "/workers?name=DE&type=echo&label=berlin&state=asleep")
    assert '<option value="asleep" selected>asleep</option>' in page
    values = re.findall(r'<input [^>]*name="(\w+)"[^>]*? value="(.*?)" maxlength', page)
    assert values == [("name", "DE"), ("type", "echo"), ("label", "berlin")]
    assert 'value="print-\ufffd"' in await refused(browser, "/types?q=print-%FF")


@pytest.mark.parametrize(
    "address", ["/jobs?state=queued&type=print", "/workers?type=print&state=away", "/types?q=print", "/types?"]
)
@pytest.mark.parametrize(("query", "words"), [("cursor=x", CURSOR), ("limit=0", LIMIT)])
async def test_what_no_field_of_the_page_says_leads_to_the_first_page(
    browser: Browser, address: str, query: str, words: str
) -> None:
    page = await refused(browser, f"{address}&{query}")
    first = address[address.index("?") :]
    assert f'<strong>Nothing is listed.</strong> {words} <a href="{first}">First page</a>' in page
    assert "-error" not in page
    assert page.count("First page") == 1
    assert (await browser.get(address)).code == 200


async def test_a_program_gets_the_words_alone(ask: Ask) -> None:
    response = await ask("/jobs?requires=berlin")
    assert (response.code, response.body.decode()) == (400, f"400 Bad Request: {LABEL}\n")
