"""The board as a wall shows it."""

from __future__ import annotations

import re

import pytest

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import JobState
from tests.handlers.conftest import Browser, Watched
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test(timeout=30)
BERLIN = {"labels": {"site": "berlin"}}


async def lines_of(browser: Browser, path: str) -> list[str]:
    """Each line as a reader hears it."""
    page = (await browser.page(path)).replace("\u00a0", " ")
    rows = re.findall(r"<tr class=.*?</tr>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


async def test_it_shows_what_runs_what_waits_and_what_has_ended_by_its_summary(browser: Browser, house: House) -> None:
    await a_job(house, JobState.SUCCEEDED, "done", summary="order 6")
    running = await take(house, await submit(house, "runs", summary="order 7", type="fax"), "DESK-1")
    await running.say("accept")
    await submit(house, "waits", summary="order 8", type="fax")
    assert await lines_of(browser, "/board") == [
        "order 7 DESK-1 just begun",
        "order 8 – number 1 in the queue",
        "order 6 FRONT-DESK-07 done just now",
    ]
    assert await lines_of(browser, "/board?type=fax") == (await lines_of(browser, "/board"))[:2]


async def test_with_a_label_it_shows_what_its_workers_do_and_what_requires_it(browser: Browser, house: House) -> None:
    here = await take(house, await submit(house, "here", summary="here", type="fax"), "BERLIN-1", **BERLIN)
    await here.say("accept")
    there = await take(house, await submit(house, "there", summary="there", type="label"), "ROME-1")
    await there.say("accept")
    await submit(house, "for", summary="for Berlin", type="x", requires=requirement_of({"site": "berlin"}))
    await submit(house, "rome", summary="for Rome", type="x", requires=requirement_of({"site": "rome"}))
    assert await lines_of(browser, "/board?label=site:berlin") == [
        "here BERLIN-1 just begun",
        "for Berlin – no worker is here for it",
    ]
    await here.say("result", value=1)
    assert (await lines_of(browser, "/board?label=site:berlin"))[-1] == "here BERLIN-1 done just now"


async def test_what_does_not_fit_is_counted(browser: Browser, house: House) -> None:
    for number in range(18):
        await submit(house, f"j{number}", summary=f"order {number}")
    *lines, rest = await lines_of(browser, "/board")
    assert [line.split(" – ")[0] for line in lines] == [f"order {n}" for n in range(14)]
    assert rest == "and 4 more waiting"


async def test_what_begins_in_some_minutes_is_on_the_board_of_its_label_and_type(
    browser: Browser, house: House
) -> None:
    await submit(house, "soon", summary="soon", type="fax", delay_s=40.0, requires=requirement_of({"site": "berlin"}))
    await submit(house, "rome", summary="for Rome", type="x", delay_s=50.0, requires=requirement_of({"site": "rome"}))
    await submit(house, "later", summary="tomorrow", type="fax", delay_s=86_400.0)
    assert await lines_of(browser, "/board") == ["soon – begins in 40 s", "for Rome – begins in 50 s"]
    for query in ("label=site:berlin", "type=fax"):
        assert await lines_of(browser, f"/board?{query}") == ["soon – begins in 40 s"]


async def test_a_board_reads_no_more_jobs_than_it_looks_at_however_many_there_are(
    browser: Browser, house: House, watched: Watched
) -> None:
    for number in range(101):
        await submit(house, f"s{number}", delay_s=86_400.0, type="x")
        await submit(house, f"w{number}", type="x")
    page = await browser.page("/board")
    assert "of the jobs that are scheduled, the board looks at the newest 100" in page.lower()
    assert "and at least 86 more waiting" in page
    assert len(watched.asked_why) == 14


async def test_where_nothing_happens_it_says_so(browser: Browser) -> None:
    assert "Nothing runs, nothing waits" in await browser.page("/board?label=site:berlin")


async def test_a_label_without_a_value_is_refused(browser: Browser) -> None:
    answer = await browser.get("/board?label=berlin")
    assert answer.code == 400
    assert "write a label and its value" in answer.body.decode()
