"""The page that tries a job's task in the browser of whoever looks at the job."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from dispatcher.core.jobs.states import JobState
from handlers.console.trying import offer_of
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import a_job, submit

pytestmark = pytest.mark.gen_test


async def page_of(browser: Browser, path: str) -> str:
    response = await browser.get(path)
    assert response.code == 200
    return response.body.decode()


@pytest.mark.parametrize("state", JobState)
async def test_a_job_in_any_state_can_be_tried_and_stays_as_it_is(
    browser: Browser, house: House, state: JobState
) -> None:
    await a_job(house, state, "j")
    before = await house.dispatcher.job("j")
    assert 'href="/jobs/j/try"' in await page_of(browser, "/jobs/j")
    assert 'id="run" disabled>Run it here<' in await page_of(browser, "/jobs/J/try")
    assert await house.dispatcher.job("j") == before


async def test_the_page_has_what_a_worker_would_be_sent(browser: Browser, house: House) -> None:
    data = '{"order": 12345678901234567890, "text": "<b>\\u202e&amp;"}'
    job = await submit(house, data=data, timeout_s=1.5, tags=("a", "b"), summary="order 7")
    page = await page_of(browser, "/jobs/j/try")
    [offer] = re.findall(r'<div id="offer" hidden>(.*?)</div>', page)
    assert unescape(offer) == offer_of(job)
    assert f'"data":{data}' in offer_of(job)
    told = json.loads(offer_of(job))
    del told["data"]
    assert told == {
        "op": "job", "attempt": "try", "id": "j", "type": "print-label", "number": 1, "timeout_ms": 1500,
        "tags": ["a", "b"], "summary": "order 7",
    }  # fmt: skip
    assert 'data-file="/tasks/print-label.js"' in page
    assert 'data-host-call="[&quot;Print&quot;]"' in page


async def test_a_task_of_which_the_server_has_no_file_cannot_be_tried_and_the_page_says_so(
    browser: Browser, house: House
) -> None:
    await submit(house, type="elsewhere")
    page = await page_of(browser, "/jobs/j/try")
    assert "This server has no file for the task elsewhere" in page
    assert "try.js" not in page


async def test_a_job_that_is_not_there_cannot_be_tried(browser: Browser) -> None:
    assert (await browser.get("/jobs/nope/try")).code == 404
