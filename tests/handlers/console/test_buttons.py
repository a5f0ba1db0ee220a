"""The page of a job: the buttons that submit it again and that remove it."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.errors import JobNotFound
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import a_job, submit

pytestmark = pytest.mark.gen_test

ASKS = "<strong>Remove this job?</strong>"


async def page_of(browser: Browser, path: str) -> str:
    response = await browser.get(path)
    assert response.code == 200
    return unescape(response.body.decode())


async def test_the_same_job_is_submitted_again_once_for_two_clicks(browser: Browser, house: House) -> None:
    berlin = requirement_of({"site": "berlin"})
    await submit(house, "j", data='{"order": 7}', priority=5, requires=berlin, delay_s=90.0)
    [key] = re.findall(r'name="key" value="([^"]+)"', await page_of(browser, "/jobs/j"))
    clicks = [await browser.post("/jobs/j/duplicate", {"key": key}, "/jobs/j") for _ in range(2)]
    assert [click.code for click in clicks] == [303, 303]
    [address] = {click.headers["Location"] for click in clicks}
    copied = await house.dispatcher.job(address.removeprefix("/jobs/"))
    assert (copied.type, copied.data, copied.state) == ("print-label", '{"order": 7}', "queued")
    assert (copied.terms.priority, copied.terms.requires) == (5, berlin)
    assert len(await house.kept()) == 2
    [other] = re.findall(r'name="key" value="([^"]+)"', await page_of(browser, "/jobs/j"))
    assert other != key


@pytest.mark.parametrize("state", JobState)
async def test_only_a_job_that_has_ended_can_be_removed_and_the_page_asks_first(
    browser: Browser, house: House, state: JobState
) -> None:
    await a_job(house, state, "j")
    assert ('href="/jobs/j?remove=1"' in await page_of(browser, "/jobs/j")) == (state in FINAL)
    assert (ASKS in await page_of(browser, "/jobs/j?remove=1")) == (state in FINAL)
    removed = await browser.post("/jobs/j/delete", {}, "/jobs/j")
    if state in FINAL:
        assert (removed.code, removed.headers["Location"]) == (303, "/jobs")
        with pytest.raises(JobNotFound):
            await house.dispatcher.job("j")
        again = await browser.post("/jobs/j/delete", {})
        assert (again.code, again.headers["Location"]) == (303, "/jobs")
    else:
        assert removed.code == 409
        assert f"the job is {state}: only succeeded, failed, cancelled and expired jobs" in removed.body.decode()
        assert ASKS not in removed.body.decode()


async def test_a_job_with_a_key_goes_only_with_its_key_and_the_page_says_so(browser: Browser, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "j", key="order-8")
    assert 'name="free_key"' in await page_of(browser, "/jobs/j?remove=1")
    refused = await browser.post("/jobs/j/delete", {}, "/jobs/j")
    assert refused.code == 409
    assert "Tick the box if the key may go." in refused.body.decode()
    assert ASKS in refused.body.decode()
    assert (await browser.post("/jobs/j/delete", {"free_key": "1"}, "/jobs/j")).code == 303
    assert await house.kept() == []


async def test_without_a_key_nothing_is_ticked(browser: Browser, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "j")
    assert "free_key" not in await page_of(browser, "/jobs/j?remove=1")


@pytest.mark.parametrize("action", ["duplicate", "delete"])
async def test_a_form_without_its_secret_changes_nothing(browser: Browser, house: House, action: str) -> None:
    await a_job(house, JobState.CANCELLED, "j")
    await browser.get("/jobs/j")
    refused = await browser.post(f"/jobs/j/{action}", {"_xsrf": "2|00|00|0"}, "/jobs/j")
    assert refused.code == 403
    assert [job.id for job in await house.kept()] == ["j"]


async def test_a_job_that_waits_for_what_is_paused_has_buttons_that_help(browser: Browser, house: House) -> None:
    for name, labels in (("A", {"site": "berlin"}), ("B", {"site": "berlin"}), ("C", {"site": "rome"})):
        told = await house.register(f"s-{name}", "print-label", name=name, labels=labels)
        await house.dispatcher.orders.pause(told["worker"], "lunch", actor=Actor("ann"))
    await submit(house, requires=requirement_of({"site": "berlin"}))
    await house.dispatcher.types.pause("print-label", "", actor=Actor("ann"))
    buttons = re.compile(r'action="([^"]+)"[^>]*>(?:(?!</form>).)*value="jobs/j"><button type="submit">([^<]+)')
    [(first, label)] = buttons.findall(await page_of(browser, "/jobs/j"))
    assert (first, label) == ("/types/print-label/resume", "Let its jobs run again")
    answer = await browser.post(first, {"back": "jobs/j"}, "/jobs/j")
    assert (answer.code, answer.headers["Location"]) == (303, "/jobs/j")
    resumes = buttons.findall(await page_of(browser, "/jobs/j"))
    assert [label for _, label in resumes] == [f"Resume {name} and this starts at once" for name in "AB"], (
        "those that it may run at"
    )
    await browser.post(resumes[0][0], {"back": "jobs/j"}, "/jobs/j")
    assert (await house.dispatcher.job("j")).state == "running"


async def test_the_page_says_who_has_done_what_to_the_job_and_why(browser: Browser, house: House) -> None:
    await submit(house)
    assert "have done to it" not in await page_of(browser, "/jobs/j")
    await house.dispatcher.cancel("j", "no <paper>", actor=Actor("anna"))
    await browser.post("/jobs/j/retry", {"reason": "new toner"}, "/jobs/j")
    await submit(house, "other")
    await house.dispatcher.cancel("other", "not this one", actor=Actor("bert"))
    page = await page_of(browser, "/jobs/j")
    table = page[page.index("have done to it") :].partition("</table>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    told = [tuple(re.sub(r"<[^p][^>]*>", "", cell) for cell in row) for row in rows]
    assert [(what, who, why) for what, who, _, why in told] == [
        ("Had it run again", "console", "new toner"), ("Cancelled", "anna", "no <paper>"),
    ]  # fmt: skip


async def test_a_job_is_cancelled_at_once_or_with_a_reason(browser: Browser, house: House) -> None:
    await submit(house)
    assert 'href="/jobs/j?cancel=1"' in await page_of(browser, "/jobs/j")
    asked = await page_of(browser, "/jobs/j?cancel=1")
    assert "Cancel this job?" in asked
    assert "data-refresh-s" not in asked, "what is typed stays"
    await browser.post("/jobs/j/cancel", {"reason": "wrong printer"}, "/jobs/j?cancel=1")
    told = await page_of(browser, "/jobs/j?cancel=1")
    assert "Somebody cancelled it: wrong printer." in told
    assert "Cancel this job?" not in told
    assert re.search(r'action="/jobs/j/retry">.*?<input name="reason"[^>]*></label> <button[^>]*>Run it again<', told)
