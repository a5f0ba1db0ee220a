"""The page of jobs in doubt: a card for each, and the decisions."""

from __future__ import annotations

import re

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.core.jobs.ledger import REOPEN_S
from dispatcher.core.jobs.states import JobState
from handlers.console.doubts import CARDS, LINES
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test(timeout=60)


async def test_without_doubts_the_page_says_so(browser: Browser) -> None:
    assert "No job is in doubt." in await browser.page("/doubts")


async def test_a_card_has_what_a_person_needs_to_decide(browser: Browser, house: House) -> None:
    tried = await take(house, await submit(house, "once", effects="once", data='{"order": 4711}'), "FRONT-DESK-07")
    await tried.say("accept")
    await tried.say("progress", percent=40.0, note="cutting")
    for number in range(LINES + 1):
        await tried.say("log", line=f"line <{number}>")
    await tried.leave()
    assert '<a href="/doubts"' in await browser.page("/")
    page = await browser.page("/doubts")
    for expected in ("FRONT-DESK-07", "40 %, cutting", "4711", f"line &lt;{LINES}&gt;", 'href="/jobs/once"'):
        assert expected in page
    assert "line &lt;0&gt;" not in page


@pytest.mark.parametrize(
    ("button", "state"),
    [("succeeded", JobState.SUCCEEDED), ("failed", JobState.FAILED), ("retry", JobState.QUEUED)],
)
async def test_each_decision_leads_back_to_the_doubts_that_are_left(
    browser: Browser, house: House, button: str, state: JobState
) -> None:
    await a_job(house, JobState.IN_DOUBT, "one")
    await a_job(house, JobState.IN_DOUBT, "two")
    decided = await browser.post(f"/jobs/one/{button}", {"back": "doubts", "reason": "it lies there"}, "/doubts")
    assert (decided.code, decided.headers["Location"]) == (303, "/doubts")
    assert (await house.dispatcher.job("one")).state is state
    page = await browser.page("/doubts")
    cards = page.partition("Decided in the last")[0]
    assert ('href="/jobs/one"' in cards, 'href="/jobs/two"' in cards) == (False, True)


@pytest.mark.parametrize("path", ["/doubts", "/jobs/one"])
async def test_the_three_choices_have_a_reason_each_and_the_dangerous_one_stands_apart(
    browser: Browser, house: House, path: str
) -> None:
    await a_job(house, JobState.IN_DOUBT, "one")
    page = await browser.page(path)
    forms = re.findall(r'<form class="order" method="post" action="/jobs/one/(\w+)">.*?</form>', page, re.DOTALL)
    assert forms == ["succeeded", "failed", "retry"]
    assert page.count('name="reason"') == 3
    before, warning, after = page.partition("If it did happen, this does it a second time:")
    assert ("/one/retry" in before, "/one/retry" in after) == (False, True), warning
    assert "/one/duplicate" not in page, "one click would do it a second time"


async def test_the_page_of_a_job_in_doubt_leads_to_all_of_them_and_waits_for_what_is_typed(
    browser: Browser, house: House
) -> None:
    await a_job(house, JobState.IN_DOUBT, "one")
    page = await browser.page("/jobs/one")
    assert '<a href="/doubts">All jobs in doubt</a>' in page
    assert ('http-equiv="refresh"' in page, 'data-refresh-s="2"' in page) == (False, True), "a script keeps it"
    await browser.post("/jobs/one/retry", {"reason": "no label <came>"}, "/jobs/one")
    [act] = [act for act in (await house.dispatcher.access.acts(AuditFilter(target="one"))).items]
    assert (act.action, act.detail) == ("job.retry", "no label <came>")
    assert "no label &lt;came&gt;" in await browser.page("/jobs/one")


async def test_where_the_task_says_so_a_link_leads_to_where_one_can_look(
    browser: Browser, house: House, ask: Ask
) -> None:
    job = await submit(house, "once", effects="once", data='{"order": "47 11"}')
    tried = await take(house, job, doubt_urls={job.type: "https://erp.example/orders/{order}"})
    await tried.say("accept")
    assert body_of(await ask("/api/v1/jobs/once"))["doubt_url"] is None
    await tried.leave()
    url = "https://erp.example/orders/47%2011"
    for path in ("/doubts", "/jobs/once"):
        link = f'href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>'
        assert link in await browser.page(path), "its page has gone, and what it said is known"
    seen = await ask("/api/v1/jobs/once")
    assert body_of(seen)["doubt_url"] == url
    await take(house, await submit(house, "other"), "DESK-2", doubt_urls={job.type: "https://new.example/"})
    again = await ask("/api/v1/jobs/once", headers={"If-None-Match": seen.headers["ETag"]})
    assert (again.code, body_of(again)["doubt_url"]) == (200, "https://new.example/")
    await house.dispatcher.decide("once", None, "")
    assert "new.example" not in await browser.page("/jobs/once")


async def test_a_job_whose_data_does_not_fit_has_no_link(browser: Browser, house: House) -> None:
    job = await submit(house, "once", effects="once", data='{"name": "x"}')
    tried = await take(house, job, doubt_urls={job.type: "https://erp.example/orders/{order}"})
    await tried.say("accept")
    await tried.leave()
    assert "erp.example" not in await browser.page("/doubts")


@pytest.mark.parametrize(
    ("button", "said"),
    [("failed", "failed, "), ("succeeded", "succeeded, "), ("retry", "runs again, and waits for a page, ")],
)
async def test_a_decision_is_taken_back_where_it_is_listed(
    browser: Browser, house: House, button: str, said: str
) -> None:
    await a_job(house, JobState.IN_DOUBT, "one")
    await a_job(house, JobState.FAILED, "other")
    await browser.post("/jobs/other/retry", {}, "/jobs/other")
    assert "Decided in the last" not in await browser.page("/doubts")
    await browser.post(f"/jobs/one/{button}", {"back": "doubts", "reason": "it lies <there>"}, "/doubts")
    page = await browser.page("/doubts")
    assert (said in page, page.count('action="/jobs/one/reopen"'), "/jobs/other" in page) == (True, 1, False)
    assert "it lies &lt;there&gt;" in page
    assert "Take the decision back: in doubt again" in await browser.page("/jobs/one")
    back = await browser.post("/jobs/one/reopen", {"back": "doubts", "reason": "I saw it"}, "/doubts")
    assert (back.code, back.headers["Location"]) == (303, "/doubts")
    assert (await house.dispatcher.job("one")).state is JobState.IN_DOUBT
    page = await browser.page("/jobs/one")
    assert ("Took the decision back" in page, "I saw it" in page) == (True, True)


async def test_what_cannot_be_taken_back_any_more_has_no_button_and_says_why(browser: Browser, house: House) -> None:
    for name, button in (("one", "succeeded"), ("two", "failed")):
        await a_job(house, JobState.IN_DOUBT, name)
        await browser.post(f"/jobs/{name}/{button}", {}, f"/jobs/{name}")
    await house.pass_time(REOPEN_S + 1)
    assert "Decided in the last" not in await browser.page("/doubts")
    for name in ("one", "two"):
        assert "reopen" not in await browser.page(f"/jobs/{name}")
        late = await browser.post(f"/jobs/{name}/reopen", {}, f"/jobs/{name}")
        assert (late.code, "and cannot be in doubt again" in late.body.decode()) == (409, True)


async def test_more_doubts_than_cards_are_told_of(browser: Browser, house: House) -> None:
    for number in range(CARDS + 1):
        await a_job(house, JobState.IN_DOUBT, f"doubt-{number}")
    page = await browser.page("/doubts")
    assert page.count('<div class="box wait"') == CARDS
    assert f"The newest {CARDS} of {CARDS + 1} are shown" in page
