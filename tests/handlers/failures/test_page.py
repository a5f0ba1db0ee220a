"""Failures by what jobs failed with: the page, its button, and the same for programs."""

from __future__ import annotations

import re
from html import unescape

import pytest

from handlers.failures.reading import MOST_FAILURES
from tests.handlers.conftest import Ask, Browser, body_of
from tests.handlers.console.test_orders import say_yes, states, text_of
from tests.support.house import House
from tests.support.jobs import spec
from tests.support.scenes import submit, take

pytestmark = pytest.mark.gen_test(timeout=60)


async def fail(house: House, id: str, message: str, type: str = "fax") -> None:
    tried = await take(house, await submit(house, id, type=type), f"D-{id}")
    await tried.error(message=message, retry=False)


async def some(house: House) -> None:
    await fail(house, "a", "line 1 is busy")
    await house.pass_time(60.0)
    await fail(house, "b", "line 22 is busy")
    await fail(house, "c", "no paper", "mail")


async def test_failed_jobs_stand_by_what_they_failed_with(browser: Browser, house: House) -> None:
    assert "No job has failed." in text_of(await browser.page("/failures"))
    await some(house)
    text = text_of(await browser.page("/failures"))
    assert "All failed jobs, by what they failed with." in text
    assert re.search(r"fax line # is busy The newest one 2 1 min ago now D-b D-a Run all again…", text)
    assert re.search(r"mail no paper The newest one 1 now now D-c Run it again…", text)
    text = text_of(await browser.page("/failures?type=mail"))
    assert "no paper" in text
    assert "is busy" not in text
    assert "No job of this type has failed." in text_of(await browser.page("/failures?type=none"))
    assert (await browser.get("/failures?state=failed")).code == 400


async def test_a_press_counts_the_jobs_and_runs_them_all_again(browser: Browser, house: House) -> None:
    await some(house)
    pressed = await browser.post("/failures/again", {"type": "fax", "message": "line # is busy"}, from_page="/failures")
    assert pressed.code == 303
    counted = pressed.headers["Location"]
    assert "Run again: 2 jobs" in text_of(await browser.page(counted))
    assert await states(house, "a", "b", "c") == ["failed"] * 3, "nothing is changed yet"
    done = await say_yes(browser, counted, reason="the line is free")
    told = text_of(await browser.page(done))
    assert ("Done: 2 jobs." in told, "Reason: the line is free" in told) == (True, True)
    assert await states(house, "a", "b", "c") == ["queued", "queued", "failed"]


async def test_what_the_page_hides_in_a_form_finds_its_group_whatever_the_message_is(
    browser: Browser, house: House
) -> None:
    await fail(house, "a", 'say "<b>7</b>"\t&amp; \u202eturn\nsecond line')
    page = await browser.page("/failures")
    fields = {name: unescape(value) for name, value in re.findall(r'name="(type|message)" value="([^"]+)"', page)}
    assert fields == {"type": "fax", "message": 'say "<b>#</b>" &amp; \u202eturn'}
    assert (await browser.post("/failures/again", fields, from_page="/failures")).code == 303


async def test_a_group_that_is_gone_is_told_and_nothing_is_done(browser: Browser, house: House) -> None:
    await some(house)
    pressed = await browser.post("/failures/again", {"type": "fax", "message": "never"}, from_page="/failures")
    assert pressed.code == 409
    assert "No failed job is like that any more" in pressed.body.decode()
    assert house.dispatcher.operations.all() == []


async def test_a_form_without_this_browser_s_secret_is_refused(browser: Browser, house: House) -> None:
    await some(house)
    fields = {"type": "fax", "message": "line # is busy", "_xsrf": "2|wrong"}
    assert (await browser.post("/failures/again", fields, from_page="/failures")).code == 403
    assert house.dispatcher.operations.all() == []


async def test_the_list_of_failed_jobs_leads_there_and_back(browser: Browser, house: House) -> None:
    await some(house)
    assert 'href="/failures?type=fax"' in await browser.page("/jobs?state=failed&type=fax")
    assert "/failures" not in await browser.page("/jobs?state=failed&state=queued")
    assert 'href="/jobs?state=failed&amp;type=fax"' in await browser.page("/failures?type=fax")


async def test_programs_get_the_groups_with_the_ids_of_their_jobs(ask: Ask, house: House) -> None:
    await some(house)
    told = body_of(await ask("/api/v1/failures?type=fax"))
    [group] = told.pop("items")
    assert told == {"looked_at": 3, "more": False, "back_to": "2026-11-23T21:24:05.123Z"}
    assert (group["message"], group["jobs"], group["ids"]) == ("line # is busy", 2, ["b", "a"])
    assert (group["workers"], group["worker_count"]) == (["D-b", "D-a"], 2)
    assert group["first_at"] < group["last_at"]
    order = {"action": "retry", "ids": group["ids"]}
    assert body_of(await ask("/api/v1/jobs/actions", "POST", json=order))["done"] == 2


async def fail_many(house: House, jobs: int) -> None:
    """One page gets all of them, and each fails at once."""
    await house.register("many", "scan", name="MANY", slots=64)
    await house.dispatcher.submit_batch([spec("scan", max_attempts=1) for _ in range(jobs)])
    offers = await house.hear("many")
    for offer in offers:  # more come
        if offer["op"] == "job":
            said = await house.say("many", op="error", attempt=offer["attempt"], message="jammed", retry=False)
            offers += said


async def test_only_the_newest_failed_jobs_are_looked_at_and_that_is_said(
    browser: Browser, ask: Ask, house: House
) -> None:
    await fail(house, "old", "no paper")
    await fail_many(house, MOST_FAILURES)
    told = body_of(await ask("/api/v1/failures"))
    assert (told["looked_at"], told["more"], [one["jobs"] for one in told["items"]]) == (1_000, True, [1_000])
    text = text_of(await browser.page("/failures"))
    assert "The newest 1,000 failed jobs; there are older ones" in text
    assert "No job of this type has failed among the newest 1,000 failed jobs." in text_of(
        await browser.page("/failures?type=fax")
    )
