"""The form on a job's page that changes what waits, and what it makes of what was typed."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Amend
from handlers.console.changing import shown_change
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import a_job, submit

pytestmark = pytest.mark.gen_test

ANN = Actor("ann")
BERLIN = requirement_of({"site": "berlin", "name": "DESK"})
WAITS = (JobState.SCHEDULED, JobState.QUEUED)
FORM = 'action="/jobs/j/change"'


async def page_of(browser: Browser, path: str) -> str:
    response = await browser.get(path)
    assert response.code == 200
    return unescape(response.body.decode())


def form_of(job: JobView, **typed: str) -> dict[str, str]:
    """The form as a browser sends it, with this typed into it."""
    shown = shown_change(job)
    return {**shown.typed, "version": shown.version, **typed}


async def test_everything_that_the_api_changes_is_changed_by_the_form(browser: Browser, house: House) -> None:
    job = await submit(house, requires=BERLIN, tags=("old",))
    page = await page_of(browser, "/jobs/j?change=1")
    assert 'value="DESK"' in page
    assert "\nsite:berlin</textarea>" in page
    assert "\nold</textarea>" in page
    typed = form_of(
        job,
        priority=" 7 ",
        delay_s="30",
        expires_s="90.5",
        worker="",
        labels="site:rome\r\nsite:oslo",
        tags="a\r\n\r\n b ",
    )
    pressed = await browser.post("/jobs/j/change", typed, "/jobs/j?change=1")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/jobs/j")
    changed, now = await house.dispatcher.job("j"), house.clock.utc()
    assert (changed.state, changed.terms.priority, changed.about.tags) == ("scheduled", 7, ("a", "b"))
    assert changed.terms.requires == requirement_of({"site": ["rome", "oslo"]})
    assert (changed.run_at, changed.expires_at) == (now + 30, now + 90.5)


async def test_each_field_has_its_help_also_where_names_of_workers_are_offered(browser: Browser, house: House) -> None:
    await house.register("s1", "echo", name="DESK-3")
    await submit(house)
    page = await page_of(browser, "/jobs/j?change=1")
    assert '<option value="DESK-3">' in page
    fields = ["priority", "delay_s", "expires_s", "worker", "labels", "tags", "reason"]
    assert re.findall(r'<p class="help" id="(\w+)-help">', page) == fields
    assert re.findall(r'aria-describedby="(\w+)-help"', page) == fields


async def test_the_act_stands_on_the_page_with_who_did_it(browser: Browser, house: House) -> None:
    job = await submit(house)
    await browser.post("/jobs/j/change", form_of(job, priority="7", reason=" it is \n late "), "/jobs/j")
    table = (await page_of(browser, "/jobs/j")).partition("have done to it")[2].partition("</table>")[0]
    assert "Changed: priority 0 → 7" in table
    assert 'title="console">console<' in table
    assert '<span class="said">it is late</span>' in table


async def test_what_nobody_touched_is_not_changed(browser: Browser, house: House) -> None:
    job = await submit(house, requires=requirement_of({"site": "a\tb"}), expires_s=60.0, tags=("t",))
    house.clock.advance(10)
    await browser.post("/jobs/j/change", form_of(job, priority="-3"), "/jobs/j")
    changed = await house.dispatcher.job("j")
    assert changed.terms.priority == -3
    assert (changed.terms.requires, changed.expires_at, changed.about) == (
        job.terms.requires, job.expires_at, job.about,
    )  # fmt: skip


async def test_a_job_may_start_at_once_and_wait_for_ever(browser: Browser, house: House) -> None:
    job = await submit(house, delay_s=30.0, expires_s=60.0)
    await browser.post("/jobs/j/change", form_of(job, delay_s="0", expires_s="Never"), "/jobs/j")
    changed = await house.dispatcher.job("j")
    assert (changed.state, changed.expires_at) == ("queued", None)


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("priority", "high", "must be a whole number from -1000 to 1000"),
        ("priority", "", "must be a whole number from -1000 to 1000"),
        ("delay_s", "soon", "must be a number of seconds from 0 to"),
        ("expires_s", "1e999", "must be a number of seconds from 0.1"),
        ("worker", "x" * 201, "must be 1 to 200"),
        ("labels", "berlin", "line 1: write a label and its value"),
        ("tags", "x" * 101, "must be a list of at most 20 texts of 1 to 100 characters"),
    ],
)
async def test_wrong_input_comes_back_with_why_and_the_rest_of_what_was_typed(
    browser: Browser, house: House, field: str, typed: str, why: str
) -> None:
    job = await submit(house, expires_s=60.0)
    sent = form_of(job, **({"tags": "<mine>"} | {field: typed}))
    answer = await browser.post("/jobs/j/change", sent, "/jobs/j")
    page = unescape(answer.body.decode())
    assert (answer.code, "The job was not changed." in page) == (422, True)
    assert re.search(rf'id="{field}-error">{re.escape(why)}', page)
    assert f'value="{typed}"' in page or f"\n{typed}</textarea>" in page
    assert field == "tags" or "\n<mine></textarea>" in page
    assert await house.dispatcher.job("j") == job


async def test_all_that_is_wrong_is_said_at_once(browser: Browser, house: House) -> None:
    job = await submit(house)
    typed = form_of(job, priority="x", labels="x")
    page = (await browser.post("/jobs/j/change", typed, "/jobs/j")).body.decode()
    assert re.findall(r'id="(\w+)-error"', page) == ["priority", "labels"]


async def test_a_job_that_would_expire_before_it_may_start_is_refused(browser: Browser, house: House) -> None:
    job = await submit(house, delay_s=60.0)
    for typed in ({"expires_s": "30"}, {"delay_s": "30", "expires_s": "30"}):
        answer = await browser.post("/jobs/j/change", form_of(job, **typed), "/jobs/j")
        assert (answer.code, 'id="expires_s-error"' in answer.body.decode()) == (422, True)


async def test_a_form_in_which_nothing_was_typed_says_so(browser: Browser, house: House) -> None:
    answer = await browser.post("/jobs/j/change", form_of(await submit(house)), "/jobs/j")
    assert (answer.code, "Nothing was changed" in answer.body.decode()) == (422, True)


async def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(browser: Browser, house: House) -> None:
    job = await submit(house)
    await house.dispatcher.amend(Amend(job="j", actor=ANN, priority=9))
    answer = await browser.post("/jobs/j/change", form_of(job, tags="mine"), "/jobs/j")
    page = answer.body.decode()
    assert (answer.code, "Somebody has changed the job meanwhile" in page, "\nmine</textarea>" in page) == (
        409,
        True,
        True,
    )
    assert (await house.dispatcher.job("j")).about.tags == ()
    [version] = re.findall(r'name="version" value="(\w+)"', page)
    again = await browser.post("/jobs/j/change", form_of(job, priority="9", tags="mine", version=version), "/jobs/j")
    assert (again.code, (await house.dispatcher.job("j")).about.tags) == (303, ("mine",))


@pytest.mark.parametrize("state", JobState)
async def test_only_a_job_that_waits_can_be_changed_and_the_page_says_so(
    browser: Browser, house: House, state: JobState
) -> None:
    job, waits = await submit(house, "before", type="other"), state in WAITS
    await a_job(house, state, "j")
    assert ('href="/jobs/j?change=1"' in await page_of(browser, "/jobs/j")) == waits
    page = await page_of(browser, "/jobs/j?change=1")
    assert (FORM in page, "only a job that waits can be changed" in page) == (waits, not waits)
    if not waits:
        answer = await browser.post("/jobs/j/change", form_of(job, priority="7"), "/jobs/j")
        page = answer.body.decode()
        assert (answer.code, f"the job is {state}: only scheduled and queued jobs" in page) == (409, True)
        assert FORM not in page


async def test_a_page_with_the_form_does_not_load_itself_anew(browser: Browser, house: House) -> None:
    await submit(house)
    assert 'http-equiv="refresh"' in await page_of(browser, "/jobs/j")
    assert 'http-equiv="refresh"' not in await page_of(browser, "/jobs/j?change=1")
