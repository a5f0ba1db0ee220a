"""A job that waits names the workers that nearly take it, and has the button that helps."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import WorkerStatus
from dispatcher.core.jobs.views.outlook import Outlook
from dispatcher.node.views.waiting import Waiting
from handlers.console.nearby import MOST_NEARBY, nearby
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.jobs import job_view, worker_view
from tests.support.scenes import submit, take

BERLIN = job_view(requires=requirement_of({"site": "berlin", "printer": "zebra"}))
FITS = {"labels": {"site": "berlin", "printer": "zebra"}}
HELD = {"held": Hold(1.0, "anna", "no paper"), "paused": True}


def waits(code: str, place: int = 1) -> Waiting:
    return Waiting(code=code, outlook=Outlook(place=place, of=3, overtaken_by=0))


@pytest.mark.parametrize(
    ("worker", "words", "label"),
    [
        (FITS | HELD, "is paused by anna: no paper", "Resume DESK-1 and this starts at once"),
        (FITS | HELD | {"jobs": ["a"]}, "is paused by anna: no paper", "Resume DESK-1"),
        (FITS | HELD | {"state": WorkerStatus.AWAY}, "is paused by anna: no paper", "Resume DESK-1"),
        (FITS | {"paused": True}, "is paused at its page; whoever sits there can resume it", None),
        (FITS | {"state": WorkerStatus.SET_ASIDE}, "did not take its last jobs", "Load the page of DESK-1 anew"),
        (FITS | {"state": WorkerStatus.QUIET}, "cannot be reached just now", None),
        (FITS | {"jobs": ["a"], "hanging": ["a"]}, "has a task that does not stop", "Load the page of DESK-1 anew"),
        (FITS | {"jobs": ["a"]}, "is busy with 1 of 1", None),
        ({"labels": {"site": "berlin"}}, "lacks printer:zebra", None),
    ],
)
def test_it_is_said_what_keeps_a_worker_from_the_job(worker: dict[str, Any], words: str, label: str | None) -> None:
    [near] = nearby(BERLIN, waits("busy"), [worker_view(**{"name": "DESK-1", "slots": 1, "jobs": [], **worker})])
    assert (near.name, near.words, near.press and near.press.label) == ("DESK-1", words, label)


def test_a_job_that_others_go_before_does_not_start_at_once() -> None:
    [near] = nearby(BERLIN, waits("paused", place=2), [worker_view(**{"name": "DESK-1", "jobs": [], **FITS, **HELD})])
    assert near.press is not None
    assert near.press.label == "Resume DESK-1"


def test_workers_that_lack_more_or_are_turned_away_are_not_near() -> None:
    far = [worker_view(labels={}), worker_view(**FITS, blocked=Hold(1.0, "anna", ""))]
    assert nearby(BERLIN, waits("no_match"), far) == []
    named = job_view(requires=requirement_of({"name": "DESK-1"}))
    assert nearby(named, waits("no_match"), [worker_view(name="DESK-2")]) == []


def test_those_that_a_button_helps_come_first_and_few_are_named() -> None:
    busy = [worker_view(**FITS, name=f"BUSY-{n}", jobs=["a"]) for n in range(9)]
    held = worker_view(**FITS, name="HELD", **HELD)
    found = nearby(BERLIN, waits("busy"), [*busy, held])
    assert ([near.name for near in found][:2], len(found)) == (["HELD", "BUSY-0"], MOST_NEARBY)
    assert [near.name for near in nearby(job_view(), waits("busy"), [*busy, held])] == ["HELD"], "any worker will do"


@pytest.mark.parametrize("code", ["type_paused", "everything_paused", "delayed", "backoff", "stopping", "no_worker"])
def test_where_workers_are_not_why_it_waits_none_are_looked_at(code: str) -> None:
    assert nearby(BERLIN, waits(code), iter(lambda: pytest.fail("looked at"), None)) == []


async def text_of(browser: Browser, path: str) -> str:
    page = unescape((await browser.get(path)).body.decode())
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.gen_test
async def test_a_worker_that_a_job_asks_for_and_that_has_gone_is_named(browser: Browser, house: House) -> None:
    await house.register("s1", "fax", name="FAX-1")
    await house.register("s2", "fax", name="FAX-2")
    await house.say("s1", op="bye")
    await house.pass_time(120.0)
    await house.pass_time(3_600.0)
    await submit(house, "j", type="fax", requires=requirement_of({"name": ["FAX-1", "FAX-2", "FAX-3"]}))
    await submit(house, "k", type="fax", requires=requirement_of({"name": ["FAX-1", "FAX-3"]}))
    assert "FAX-1 is not here" not in await text_of(browser, "/jobs/j"), "another one can take it"
    text = (await text_of(browser, "/jobs/k")).replace("\u00a0", " ")
    assert "no connected worker is called FAX-1 or FAX-3" in text
    assert "FAX-1 is not here: it went 1 h ago." in text
    assert 'href="/workers/' in await browser.page("/jobs/k")


@pytest.mark.gen_test
async def test_the_button_lets_the_job_begin_and_leads_back_to_it(browser: Browser, house: House) -> None:
    await house.register("s1", "fax", name="FAX-1")
    [worker] = [each.id for each in house.dispatcher.workers().items]
    await browser.post(f"/workers/{worker}/pause", {"reason": "no paper"}, f"/workers/{worker}")
    await submit(house, "j", type="fax")
    text = await text_of(browser, "/jobs/j")
    assert "No other one of its type waits. FAX-1 is paused" in text
    assert ": no paper. Resume FAX-1 and this starts at once" in text
    answer = await browser.post(f"/workers/{worker}/resume", {"back": "jobs/j"}, "/jobs/j")
    assert (answer.code, answer.headers["Location"]) == (303, "/jobs/j")
    assert (await house.dispatcher.job("j")).state == "running"


@pytest.mark.gen_test
async def test_the_place_and_the_estimate_stand_on_the_page_and_in_the_answer_of_the_api(
    browser: Browser, house: House
) -> None:
    for number in range(20):
        tried = await take(house, await submit(house, f"done-{number}", type="fax"))
        await tried.say("accept")
        await tried.result("1")
        await tried.leave()
    await take(house, await submit(house, "runs", type="fax"))
    for number in range(3):
        await submit(house, f"j{number}", type="fax", priority=number // 2)
    seen = await text_of(browser, "/jobs/j1")
    assert "It is the 3rd of 3 of its type; 1 of those before it came later. It starts in about" in seen
    told = (await browser.get("/api/v1/jobs/j1")).body.decode()
    assert '"outlook":{"place":3,"of":3,"overtaken_by":1,"estimate_s":' in told
    assert '"outlook":null' in (await browser.get("/api/v1/jobs?limit=1")).body.decode()
