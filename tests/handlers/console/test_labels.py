"""The console: what jobs require, what workers have, and two workers of one name."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import JobState
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test

BOTH = requirement_of({"printer": ["zebra", "brother"], "site": "berlin mitte"})
TWO = "2 workers have this name; a job for it goes to either"


def text_of(page: str) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", page)))


async def read(browser: Browser, path: str) -> str:
    return (await browser.get(path)).body.decode()


async def rows(browser: Browser, path: str) -> list[str]:
    """The ids of the jobs that a page lists."""
    return re.findall(r'<a class="id" href="/jobs/([^"]+)"', await read(browser, path))


async def test_a_job_shows_what_it_requires_and_why_it_waits(browser: Browser, house: House) -> None:
    await house.register("s", "print-label", name="DESK", labels={"site": "berlin mitte"})
    await submit(house, requires=BOTH)
    page = await read(browser, "/jobs/j")
    assert "Only for a worker with printer:brother or zebra site:berlin mitte" in text_of(page)
    assert "Why it waits: 1 worker offers print-label, but does not have printer:brother or zebra" in text_of(page)
    await a_job(house, JobState.SUCCEEDED, "free", type="other")
    assert "Only for" not in await read(browser, "/jobs/free")


async def test_each_label_of_a_job_leads_to_the_jobs_that_require_it(browser: Browser, house: House) -> None:
    await submit(house, requires=BOTH)
    await submit(house, "k", requires=requirement_of({"site": "berlin mitte"}))
    links = re.findall(r'href="(/jobs\?requires=[^"]+)"', await read(browser, "/jobs/j"))
    assert [await rows(browser, unescape(link)) for link in links] == [["j"], ["j"], ["k", "j"]]


async def test_a_list_shows_what_jobs_require_in_short(browser: Browser, house: House) -> None:
    await submit(house, requires=requirement_of({"name": "DESK-1", "site": ["berlin", "bonn"]}))
    await submit(house, "k", requires=requirement_of({"name": [f"DESK-{n}" for n in range(20)]}))
    await submit(house, "free", type="other")
    text = text_of(await read(browser, "/jobs"))
    assert "print-labelfor DESK-1, site:berlin or bonn" in text
    assert "print-labelfor DESK-0 or DESK-1 or DESK-10 or DESK-11 or DESK-12 or DESK-1… " in text
    assert "otherfor" not in text


async def test_the_list_of_jobs_keeps_its_filter_and_goes_on_with_it(browser: Browser, house: House) -> None:
    for number in range(3):
        await submit(house, f"j{number}", requires=BOTH)
    await submit(house, "other")
    path = "/jobs?state=queued&requires=printer%3Azebra&requires=site%3Aberlin+mitte&limit=2"
    page = await read(browser, path)
    assert re.findall(r'<input [^>]*name="requires" value="([^"]*)"', page) == ["printer:zebra", "site:berlin mitte"]
    assert await rows(browser, path) == ["j2", "j1"]
    [following] = re.findall(r'rel="next" href="([^"]+)"', page)
    assert await rows(browser, unescape(following)) == ["j0"]
    [first] = re.findall(r'href="([^"]+)">First page', await read(browser, unescape(following)))
    assert await rows(browser, unescape(first)) == ["j2", "j1"]


async def test_the_worker_of_a_job_leads_to_all_that_it_ran_last(browser: Browser, house: House) -> None:
    await (await take(house, await submit(house, "one"), "DESK & 1", boot="b")).result("1")
    await (await take(house, await submit(house, "two"), "KIOSK")).result("1")
    for path in ("/jobs", "/jobs/one"):
        [link, *_] = re.findall(r'href="(/jobs\?worker=DESK[^"]+)"', await read(browser, path))
        assert await rows(browser, unescape(link)) == ["one"]
    assert 'name="worker" list="names" value="KIOSK"' in await read(browser, "/jobs?worker=KIOSK")
    assert '<label for="worker">Last worker</label>' in await read(browser, "/jobs")
    assert "No job is like that" in await read(browser, "/jobs?worker=nobody")


async def test_a_page_of_a_rare_filter_that_has_found_nothing_yet_leads_on(browser: Browser, house: House) -> None:
    house.store.in_vain = True
    page = await read(browser, "/jobs?requires=site:berlin")
    assert "No job found so far." in page
    assert "is like that" not in page
    assert re.findall(r'rel="next" href="([^"]+)"', page) == [
        "/jobs?requires=site%3Aberlin&amp;limit=50&amp;cursor=later"
    ]


async def test_workers_show_their_labels_which_lead_to_those_that_have_them(browser: Browser, house: House) -> None:
    many = {f"l{n:02d}": "x" for n in range(20)}
    for number, labels in enumerate(({"site": "berlin mitte"}, {"site": "berlin mitte", "printer": "a:b"}, many)):
        await house.register(f"s{number}", "echo", name=f"DESK-{number}", labels=labels)
    page = await read(browser, "/workers")
    links = re.findall(r'<a class="tag name" href="([^"]+)" title="[^"]*">([^<]*)</a>', page)
    assert [text for _, text in links][:3] == ["site:berlin mitte", "printer:a:b", "site:berlin mitte"]
    assert len(links) == 13, "ten of the last one"
    assert "and 10 more" in page
    shown = re.findall(r"<strong>(DESK-\d)</strong>", await read(browser, unescape(links[0][0])))
    assert shown == ["DESK-0", "DESK-1"]
    assert 'name="label" value="site:berlin mitte"' in await read(browser, unescape(links[0][0]))
    assert "No worker is like that" in await read(browser, "/workers?label=site:bonn")


async def test_two_connected_workers_of_one_name_are_told_of(browser: Browser, house: House) -> None:
    for number, name in enumerate(("DESK", "DESK", "DESK-2", "DESK-3", "DESK-3", "DESK-3")):
        await house.register(f"s{number}", "echo", name=name)
    for path in ("/workers", "/workers?limit=1"):
        page = await read(browser, path)
        assert page.count(TWO) == (1 if "limit" in path else 2)
        assert page.count("3 workers have this name; a job for it goes to any of them") == (0 if "limit" in path else 3)
    [link, *_] = re.findall(r'class="warn" href="([^"]+)"', page)
    assert re.findall(r"<strong>(.*?)</strong>", await read(browser, unescape(link))) == ["DESK", "DESK"]


async def test_a_page_that_is_away_is_no_second_worker_of_its_name(browser: Browser, house: House) -> None:
    await house.register("s1", "echo", name="DESK")
    await house.register("s2", "echo", name="DESK")
    house.pages.away("s1", house.clock.monotonic())
    assert "have this name" not in await read(browser, "/workers")


async def test_an_open_job_for_a_name_that_two_workers_have_says_so(browser: Browser, house: House) -> None:
    for sid in ("s1", "s2"):
        await house.register(sid, "print-label", name="DESK")
        await house.say(sid, op="pause")
    await submit(house, requires=requirement_of({"name": ["DESK", "KIOSK"]}))
    assert f"DESK: {TWO}." in text_of(await read(browser, "/jobs/j"))
    await house.dispatcher.cancel("j", "")
    assert TWO not in await read(browser, "/jobs/j")
