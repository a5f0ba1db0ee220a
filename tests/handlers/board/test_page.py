"""The board as a wall shows it."""

from __future__ import annotations

import re

import pytest

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import JobState
from tests.handlers.conftest import Browser
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


async def test_what_is_behind_those_that_fit_is_counted(browser: Browser, house: House) -> None:
    for number in range(8):
        await submit(house, f"j{number}", summary=f"order {number}")
    assert [line.split(" – ")[0] for line in await lines_of(browser, "/board")] == [f"order {n}" for n in range(6)]
    assert "And 2 behind them." in await browser.page("/board")


async def test_where_nothing_happens_it_says_so(browser: Browser) -> None:
    assert "Nothing runs, nothing waits" in await browser.page("/board?label=site:berlin")


async def test_a_label_without_a_value_is_refused(browser: Browser) -> None:
    answer = await browser.get("/board?label=berlin")
    assert answer.code == 400
    assert "write a label and its value" in answer.body.decode()
