"""Looking back on a quarter of an hour: its page, the ways to others, and the same for programs."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.views.quarters import MOST_BACK
from handlers.overview.standing import Stood, stood_then
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House, run_one
from tests.support.jobs import NOW, job_view

pytestmark = pytest.mark.gen_test

ANNA = Actor("anna")
#: The house's clock stands at 21:24:05.
THEN = "2026-11-23T21:15:00Z"
AT = quote(THEN)


async def fail(house: House, message: str) -> None:
    await house.submit("fax", max_attempts=1)
    [offer] = [m for m in await house.hear("s1") if m["op"] == "job"]
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.say("s1", op="error", attempt=offer["attempt"], message=message)


async def happen(house: House) -> None:
    """Something happens between 21:15 and 21:30, and then two hours pass."""
    await house.register("s1", "fax", "sum", name="DESK-1")
    await house.register("s2", "mail", name="DESK-2")
    await house.submit("sum")
    await run_one(house)
    for number in range(2):
        await fail(house, f"line {number} is <dead>")
    await house.dispatcher.types.pause("mail", "no <paper>", actor=ANNA)
    await house.say("s2", op="bye")
    house.pages.ended("s2", house.clock.monotonic())
    await house.pass_time(5)
    await house.submit("mail", data="2")
    await house.pass_time(7_195)
    await house.submit("sum")
    await run_one(house)


async def test_the_page_says_what_ended_then_with_errors_marks_who_went_and_what_is_not_kept(
    browser: Browser, house: House
) -> None:
    await happen(house)
    page = await browser.page(f"/?at={AT}")
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))
    assert "2026-11-23 21:15 to 21:30 UTC: 3 jobs ended, 2 failed (66.7 %). Back to now" in text
    rows = re.findall(r'<tr data-key="(\w+)">', page)
    assert rows == ["fax", "sum"], "those that failed most first"
    assert "line # is &lt;dead&gt;" in page
    assert "Type mail was paused by anna: no &lt;paper&gt;</a>" in page
    assert re.search(r"21:24 UTC: DESK-2, which has not come back", text)
    assert "Which workers came, and which went and came back" in page
    assert "it does not refresh" in page
    assert "data-refresh-s" not in await browser.page(f"/?at={AT}&refresh=5")
    assert 'value="-8"' in page


async def test_its_lists_have_the_jobs_of_that_time_alone(browser: Browser, ask: Ask, house: House) -> None:
    await happen(house)
    page = await browser.page(f"/?at={AT}")
    lists = re.findall(r'<li><a href="(/jobs\?[^"]+)">', page)
    assert len(lists) == 4
    told = [body_of(await ask("/api/v1" + link.replace("&amp;", "&")))["items"] for link in lists]
    assert [len(items) for items in told] == [3, 2, 3, 1]
    shown = await browser.page(lists[1].replace("&amp;", "&"))
    assert shown.count('<tr data-key="') == 2
    assert 'name="ended_before" value="2026-11-23T21:30:00Z"' in shown


async def test_the_slider_leads_to_an_address_that_stays_and_to_now(browser: Browser, house: House) -> None:
    await happen(house)
    assert 'type="range" id="back" name="back" min="-95" max="0" step="1" value="0"' in await browser.page("/")
    moved = await browser.get("/?back=-8")
    assert (moved.code, moved.headers["Location"]) == (303, f"/?at={AT}")
    assert (await browser.get("/?back=0")).headers["Location"] == "/"


async def test_links_lead_to_each_hour_of_the_day_and_each_quarter_of_the_hour(browser: Browser, house: House) -> None:
    await happen(house)
    page = await browser.page(f"/?at={AT}")
    links = re.findall(r'<a (?:rel="\w+" )?href="/\?at=([^"]+)"', page.split("Other times")[1].split("</div>")[0])
    assert links[0] == quote("2026-11-23T21:00:00Z")
    assert [one[11:16] for one in links[1:5]] == ["21%3A", "21%3A", "21%3A", "21%3A"]
    assert links[5] == quote("2026-11-23T21:30:00Z")
    assert len(links) == 6 + 24
    for link in (links[6], links[-1]):
        assert (await browser.get(f"/?at={link}")).code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("at=2026-11-23T23:45:00Z", "at lies ahead"),
        ("at=-25h", "at is too long ago"),
        ("at=yesterday", "at must be an instant as in"),
        ("back=-96", f"back must be a whole number of quarters, from -{MOST_BACK} to 0"),
        ("back=x", "back must be a whole number"),
    ],
)
async def test_a_time_of_which_nothing_is_kept_is_refused(
    browser: Browser, house: House, query: str, words: str
) -> None:
    await happen(house)
    refused = await browser.get(f"/?{query}")
    assert refused.code == 400
    assert words in refused.body.decode().replace("At ", "at ").replace("Back ", "back ")


async def test_programs_get_what_the_page_shows(ask: Ask, house: House) -> None:
    await happen(house)
    told = body_of(await ask(f"/api/v1/quarter?at={AT}"))
    assert (told["at"], told["until"], told["over"]) == ("2026-11-23T21:15:00.000Z", "2026-11-23T21:30:00.000Z", True)
    assert (told["ended"]["succeeded"], told["ended"]["failed"], told["more_types"]) == (1, 2, False)
    assert [(one["type"], one["failed"], one["error"]) for one in told["types"]] == [
        ("fax", 2, "line # is <dead>"), ("sum", 0, None),
    ]  # fmt: skip
    assert [mark["sentence"] for mark in told["marks"]["items"]] == ["Type mail was paused by anna: no <paper>."]
    assert [one["name"] for one in told["workers_gone"]] == ["DESK-2"]
    assert (told["more_workers_gone"], len(told["not_kept"])) == (False, 3)
    assert told["links"]["console"] == f"/?at={AT}"
    assert len(body_of(await ask(told["links"]["failed"]))["items"]) == 2


async def test_what_waited_and_ran_when_the_quarter_began_is_told_by_what_is_known_now(
    browser: Browser, ask: Ask, house: House
) -> None:
    await happen(house)
    later = quote("2026-11-23T21:30:00Z")
    told = body_of(await ask(f"/api/v1/quarter?at={later}"))
    assert [(one["type"], one["waited"], one["ran"]) for one in told["types"]] == [("mail", 1, 0)]
    assert told["all_waited_and_ran"] is True
    page = await browser.page(f"/?at={later}")
    assert '<td data-label="Waited">1</td>' in page


@pytest.mark.parametrize(
    ("started_at", "stopped_at", "waited", "ran"),
    [(None, None, 1, 0), (NOW + 1.0, NOW + 2.0, 1, 0), (NOW, None, 0, 1), (NOW - 9.0, NOW + 1.0, 0, 1),
     (NOW - 9.0, NOW, 1, 0)],
)  # fmt: skip
async def test_a_job_ran_if_its_last_try_had_begun_and_had_not_ended(
    started_at: float | None, stopped_at: float | None, waited: int, ran: int
) -> None:
    job = job_view(type="fax", started_at=started_at, stopped_at=stopped_at)
    for complete, words in ((True, "0"), (False, "not known")):
        stood = stood_then([job], NOW, complete=complete)
        assert (stood.of("fax"), stood.words(0)) == (Stood(waited, ran), words)
    assert stood_then([job], NOW, complete=False).words(1_200) == "at least 1,200"


async def test_without_an_instant_it_is_the_last_quarter_that_is_over(ask: Ask, house: House) -> None:
    await happen(house)
    assert body_of(await ask("/api/v1/quarter"))["at"] == "2026-11-23T23:00:00.000Z"
    now = body_of(await ask("/api/v1/quarter?at=-0s"))
    assert (now["at"], now["over"], now["ended"]["succeeded"]) == ("2026-11-23T23:15:00.000Z", False, 1)
    assert json.dumps(now["links"]).count("/jobs?") == 4
