"""The list of jobs: its form, which asks for several states and for times by a clock that it names."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode

import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.store.views import SLICE, SLICES
from tests.handlers.conftest import Browser
from tests.support.forms import hidden
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test(timeout=60)


def listed(page: str) -> list[str]:
    """The ids of the jobs of a page, as they stand there."""
    return re.findall(r'<tr data-key="([^"]+)"', page)


async def asked(browser: Browser, **query: str | list[str]) -> str:
    return unescape(await browser.page("/jobs?" + urlencode(query, doseq=True)))


async def two_failures_an_hour_apart(house: House) -> None:
    await a_job(house, JobState.FAILED, "early")
    await house.pass_time(3_600.0)
    await a_job(house, JobState.FAILED, "late")
    await a_job(house, JobState.SUCCEEDED, "done")


async def test_the_form_offers_every_state_as_a_box_and_the_usual_times_without_a_word_in_the_address(
    browser: Browser,
) -> None:
    page = await asked(browser)
    boxes = re.findall(r'<input type="checkbox" name="state" value="(\w+)"( checked)?', page)
    assert boxes == [(state.value, "") for state in JobState]
    [choices] = re.findall(r'<select id="ended" name="ended_after".*?</select>', page, re.DOTALL)
    assert re.findall(r'value="([^"]*)"( selected)?', choices) == [
        ("", ""), ("-15m", ""), ("-1h", ""), ("-24h", ""), ("-7d", ""), ("today", ""), ("yesterday", ""),
    ]  # fmt: skip
    for field in ("ended_after", "ended_before", "created_after", "created_before"):
        assert f'<input id="{field}" name="{field}" value=""' in page
    assert '<details class="more">' in page, "rare fields are folded"


async def test_failed_this_morning_is_asked_for_with_boxes_and_a_choice(browser: Browser, house: House) -> None:
    await two_failures_an_hour_apart(house)
    page = await asked(browser, state=["failed", "cancelled"], ended_after=["-15m", ""], ended_before="")
    assert listed(page) == ["late"]
    assert re.findall(r'name="state" value="(\w+)" checked', page) == ["failed", "cancelled"]
    assert '<option value="-15m" selected>' in page
    assert '<details class="more">' in page
    assert set(listed(await asked(browser, state="failed", ended_after="today"))) == {"early", "late"}


async def test_times_are_read_by_the_clock_that_the_form_names(browser: Browser, house: House) -> None:
    # The second one fails at 22:24 UTC.
    await two_failures_an_hour_apart(house)
    for typed, clock, found in [
        ("22:00", "", ["late"]),
        ("23:00", "+01:00", ["late"]),
        ("22:00", "+01:00", ["late", "early"]),
        ("today", "", ["late", "early"]),
        ("today", "+02:00", ["late"]),
        ("yesterday", "+02:00", ["late", "early"]),
        ("2026-11-23 22:00", "", ["late"]),
        ("2026-11-23T22:00:00", "", ["late"]),
        ("2026-11-23", "", ["late", "early"]),
        ("2026-11-24", "", []),
        ("2026-11-23T22:00:00Z", "+05:30", ["late"]),
        ("-15m", "-03:00", ["late"]),
    ]:
        page = await asked(browser, state="failed", ended_after=typed, clock=clock)
        assert listed(page) == found, (typed, clock)
        assert page.count(f'<span class="clock-name">{"UTC" + clock}</span>') == 2
        assert f'name="clock" value="{clock}"' in page


async def test_a_form_that_has_a_rare_field_shows_it(browser: Browser, house: House) -> None:
    await two_failures_an_hour_apart(house)
    page = await asked(browser, state="failed", ended_before="22:00")
    assert listed(page) == ["early"]
    assert '<details class="more" open>' in page
    assert '<input id="ended_before" name="ended_before" value="22:00"' in page
    assert '<details class="more" open>' in await asked(browser, owner="anna")


async def test_a_choice_and_a_time_narrow_together(browser: Browser, house: House) -> None:
    await two_failures_an_hour_apart(house)
    assert listed(await asked(browser, state="failed", ended_after=["-24h", "22:00"])) == ["late"]
    assert listed(await asked(browser, state="failed", ended_after=["-15m", "2026-11-20"])) == ["late"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"ended_after": "soon"}, "soon is no time: write one as in 09:00, 2026-11-23 21:04 or 2026-11-23T21:04:05Z"),
        ({"created_before": "25:00"}, "25:00 is no time"),
        ({"clock": "Berlin"}, "clock must be a difference from UTC, as in +01:00."),
    ],
)
async def test_a_time_that_is_none_is_refused_and_stays_as_it_was_typed(
    browser: Browser, query: dict[str, str], words: str
) -> None:
    response = await browser.get("/jobs?" + urlencode(query))
    page = unescape(response.body.decode())
    assert response.code == 400
    assert words in page
    [(name, text)] = query.items()
    assert f'name="{name}" value="{text}"' in page


async def test_an_order_for_what_the_form_finds_means_the_same_times(browser: Browser, house: House) -> None:
    await two_failures_an_hour_apart(house)
    query = urlencode({"state": "failed", "ended_after": "23:00", "clock": "+01:00"})
    fields = {"filter": hidden(await browser.page(f"/jobs?{query}"))["filter"], "action": "retry"}
    pressed = await browser.post("/jobs/act", fields, f"/jobs?{query}")
    assert "1 job is like that" in await browser.page(pressed.headers["Location"])


@pytest.mark.parametrize("path", ["/jobs", "/workers"])
async def test_a_link_ticks_all_rows_of_the_page_and_one_takes_the_ticks_away(
    browser: Browser, house: House, path: str
) -> None:
    for number in range(3):
        await house.register(f"s{number}", "paint", name=f"DESK-{number}")
        await submit(house, f"waiting-{number}", type="other")
    page = unescape(await browser.page(f"{path}?tick=1&type="))
    assert (page.count('name="id"'), page.count(" checked ")) == (3, 0)
    assert '<a href="?type=&tick=all">Tick all on this page</a>' in page
    page = unescape(await browser.page(f"{path}?type=&tick=all"))
    assert page.count('type="checkbox" name="id"') == page.count(" checked aria-label=") == 3
    assert '<a href="?type=&tick=1">Tick none</a>' in page
    assert "data-refresh-s" not in unescape(await browser.page(f"{path}?tick=all&refresh=5"))


async def test_the_list_tells_how_long_jobs_waited_and_ran_and_when_they_ended(browser: Browser, house: House) -> None:
    job = await submit(house, "tried", type="paint")
    await house.pass_time(95.0)
    tried = await take(house, job)
    await tried.say("accept")
    await house.pass_time(2.5)
    await tried.error(message="no paper\nat all", retry=False)
    await house.pass_time(24 * 3_600.0)
    page = (await browser.page("/jobs?type=paint")).replace("\u00a0", " ")
    assert re.search(r'data-label="Waited"[^>]*><span class="age">1 min<', page)
    assert re.search(r'data-label="Ran for">2.5 s<', page)
    ended = (
        '<time data-local datetime="2026-11-23T21:25:42.623Z" title="2026-11-23 21:25:42.623 UTC">23 Nov 21:25</time>'
    )
    assert f'data-label="Ended">{ended}' in page
    assert '<span class="said">no paper</span>' in page
    assert 'Clock: <span class="local-name">UTC</span></caption>' in page


def hits(page: str) -> str:
    """The line that says how many jobs are shown, and its link."""
    [line] = re.findall(r'<p class="hits">(.*?)</p>', page, re.DOTALL)
    return re.sub(r"<[^>]*>", "", line)


async def test_the_list_says_how_many_jobs_it_shows_of_how_many_and_how_far_back_it_has_looked(
    browser: Browser, house: House
) -> None:
    for number in range(3):
        await submit(house, f"job-{number}", type="paint")
    assert hits(await asked(browser)) == "3 jobs."
    assert hits(await asked(browser, type="paint", limit="1")) == (
        "1 of 3 jobs, looked back to 21:24 (UTC). Older jobs"
    )
    assert hits(await asked(browser, q="order", limit="2")) == "2 jobs, looked back to 21:24 (UTC). Search older"
    house.store.rows.last_seq += SLICES * SLICE
    page = await asked(browser, worker="nobody")
    assert hits(page) == "No job found so far, looked back to 21:24 (UTC). Search older"
    assert (
        '<time data-local datetime="2026-11-23T21:24:05.123Z" title="2026-11-23 21:24:05.123 UTC">21:24</time>' in page
    )
    [older] = set(re.findall(r'<a rel="next" href="([^"]+)">', page))
    page = await asked(browser, **dict(parse_qsl(older.partition("?")[2])))
    assert "No job is like that." in page
    assert 'class="hits"' not in page
