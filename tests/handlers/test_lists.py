"""Lists of workers and types: pages, filters, and the console's reads, which do not grow with their number."""

from __future__ import annotations

import re
from html import unescape

import pytest
from tornado.httpclient import HTTPResponse

from dispatcher.core.jobs.model import JobSpec
from handlers.console.page import MOST_CHOICES
from tests.handlers.conftest import Ask, Browser, Scene, Watched, body_of, nothing
from tests.support.house import House
from tests.support.scenes import submit, take

pytestmark = pytest.mark.gen_test


async def many(house: House) -> None:
    """More workers and more types than any page shows; no worker offers a type that jobs wait for."""
    types, now = [f"type-{n:03d}" for n in range(249)], house.clock.monotonic()
    await house.register("once", *types)
    await house.say("once", op="bye")
    await house.dispatcher.submit_batch([JobSpec(type=name, data="null") for name in types])
    for n in range(250):
        house.enlist(f"s{n:03d}", "thumbnail", name=f"DESK-{n:03d}")
        if n % 3 == 1:
            house.pages.quiet(f"s{n:03d}", now)
        elif n % 3 == 2:
            house.pages.away(f"s{n:03d}", now)
    await house.dispatcher.idle(housekeeping=True)


@pytest.fixture
def scene() -> Scene:
    return many


def next_of(response: HTTPResponse) -> str:
    match = re.fullmatch(r'<([^>]+)>; rel="next"', response.headers["Link"])
    assert match
    return match[1]


@pytest.mark.parametrize(("path", "key"), [("/api/v1/workers", "id"), ("/api/v1/types", "type")])
async def test_a_list_of_the_api_has_pages(ask: Ask, path: str, key: str) -> None:
    found: list[str] = []
    following = path
    for length in (100, 100, 50):
        response = await ask(following)
        page = body_of(response)
        assert len(page["items"]) == length
        found += [item[key] for item in page["items"]]
        if len(found) < 250:
            following = next_of(response)
            assert following.endswith(f"cursor={page['next_cursor']}")
    assert page["next_cursor"] is None
    assert "Link" not in response.headers
    assert len(set(found)) == 250


async def test_filters_of_workers_go_on_with_the_list(ask: Ask) -> None:
    path = "/api/v1/workers?name=DESK-1&type=thumbnail&state=quiet&limit=2"
    response = await ask(path)
    assert [item["name"] for item in body_of(response)["items"]] == ["DESK-100", "DESK-103"]
    assert next_of(response).startswith(f"{path}&cursor=")
    following = body_of(await ask(next_of(response)))["items"]
    assert [item["name"] for item in following] == ["DESK-106", "DESK-109"]


async def test_filters_of_types_go_on_with_the_list(ask: Ask) -> None:
    path = "/api/v1/types?q=type-1&limit=3"
    response = await ask(path)
    assert [item["type"] for item in body_of(response)["items"]] == ["type-100", "type-101", "type-102"]
    assert next_of(response).startswith(f"{path}&cursor=")
    following = body_of(await ask(next_of(response)))["items"]
    assert [item["type"] for item in following] == ["type-103", "type-104", "type-105"]


@pytest.mark.parametrize("path", ["/api/v1/workers", "/api/v1/types", "/workers", "/types"])
@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x"])
async def test_what_no_list_has_is_refused(ask: Ask, path: str, query: str) -> None:
    assert (await ask(f"{path}?{query}")).code == 400


@pytest.mark.parametrize("path", ["/api/v1/workers", "/workers"])
async def test_a_state_that_no_worker_has_is_refused(ask: Ask, path: str) -> None:
    response = await ask(f"{path}?state=asleep")
    assert response.code == 400
    assert b"state must be one of connected, quiet, away, set_aside, gone, ready, busy, stuck, paused." in response.body


async def test_a_worker_that_is_set_aside_is_found_by_that(ask: Ask, house: House) -> None:
    tried = await take(house, await submit(house), "KIOSK")
    [offer] = await tried.say("released", reason="declined")
    await house.say(tried.sid, op="released", attempt=offer["attempt"], reason="declined")
    items = body_of(await ask("/api/v1/workers?state=set_aside"))["items"]
    assert [item["name"] for item in items] == ["KIOSK"]


@pytest.mark.parametrize(
    ("path", "row"), [("/workers?name=DESK&state=quiet&limit=40", "DESK-"), ("/types?q=type&limit=40", "type-")]
)
async def test_a_page_of_the_console_leads_to_the_next_with_its_filter(browser: Browser, path: str, row: str) -> None:
    first = (await browser.get(path)).body.decode()
    assert len(set(re.findall(rf"<strong>{row}(\d+)</strong>", first))) == 40
    match = re.search(r'rel="next" href="([^"]+)"', first)
    assert match
    assert unescape(match[1]).startswith(f"{path}&cursor=")
    assert "First page" not in first
    second = (await browser.get(unescape(match[1]))).body.decode()
    shown = re.findall(rf"<strong>{row}(\d+)</strong>", second)
    assert shown
    assert not set(shown) & set(re.findall(rf"<strong>{row}(\d+)</strong>", first))
    back = re.search(r'href="([^"]+)">First page', second)
    assert back
    assert unescape(back[1]) == path


async def test_the_filter_of_workers_shows_what_was_asked(browser: Browser) -> None:
    body = (await browser.get("/workers?name=DESK-0&type=thumbnail&state=quiet")).body.decode()
    assert 'name="name" value="DESK-0"' in body
    assert 'name="type" list="types" value="thumbnail"' in body
    assert '<option value="quiet" selected>' in body
    assert "84 connected" in body, "of all, whatever is asked for"


@pytest.mark.parametrize("path", ["/workers?name=nobody", "/types?q=nothing"])
async def test_a_filter_that_nothing_fits_leads_back(browser: Browser, path: str) -> None:
    body = (await browser.get(path)).body.decode()
    assert f'<a href="{path.partition("?")[0]}">Show all' in body
    assert 'rel="next"' not in body


async def test_the_overview_counts_workers_and_lists_none(browser: Browser, watched: Watched) -> None:
    body = (await browser.get("/")).body.decode()
    assert '<span class="number">84</span> workers ready<span class="beside">166 away</span>' in body
    assert "DESK-" not in body
    assert (watched.asked_workers, watched.asked_types) == ([], []), "no lists"


async def test_the_overview_names_a_few_types_that_nobody_offers(browser: Browser) -> None:
    body = (await browser.get("/")).body.decode()
    assert body.count(": no connected worker offers it.") == 20
    assert '<a href="/types">Jobs of more types wait, and no connected worker offers them.</a>' in body


async def two_thousand(house: House) -> None:
    """Jobs of 2,000 types wait, and nobody offers any of them: each is a warning."""
    for start in (0, 1_000):
        types = [f"type-{n:04d}" for n in range(start, start + 1_000)]
        await house.dispatcher.submit_batch([JobSpec(type=name, data="null") for name in types])
    await house.dispatcher.idle(housekeeping=True)


@pytest.mark.parametrize("scene", [two_thousand])
@pytest.mark.parametrize(
    ("path", "rows", "kib"), [("/", 20, 48), ("/types", 100, 96), ("/jobs", 100, 160), ("/submit", 3, 48)]
)
async def test_two_thousand_types_and_warnings_make_a_page_no_longer(
    browser: Browser, watched: Watched, path: str, rows: int, kib: int
) -> None:
    body = (await browser.get(path)).body
    assert body.count(b"<tr") - body.count(b"<thead><tr") <= rows + 3
    assert body.count(b"<li>") <= 21 + 7 + 9, "of problems, the navigation and counters"
    assert len(body) < kib << 10
    assert all(wanted and wanted.limit <= MOST_CHOICES for wanted in watched.asked_types), "no list of all"


async def test_counters_are_asked_for_and_not_counted(ask: Ask, watched: Watched) -> None:
    stats = body_of(await ask("/api/v1/stats"))
    assert stats["workers"] == {"connected": 84, "quiet": 83, "away": 83}
    assert watched.asked_workers == []


@pytest.mark.parametrize("path", ["/submit", "/jobs", "/workers"])
async def test_a_form_offers_so_many_types_and_takes_any(browser: Browser, path: str) -> None:
    body = (await browser.get(path)).body.decode()
    choices = re.search(r'<datalist id="types">(.*?)</datalist>', body, re.DOTALL)
    assert choices
    assert len(re.findall(r'<option value="[^"]+"', choices[1])) == MOST_CHOICES
    assert re.search(r'<input id="type" name="type" list="types"', body)


async def test_the_form_offers_the_tasks_of_the_site_however_many_types_there_are(browser: Browser) -> None:
    body = (await browser.get("/submit")).body.decode()
    assert '<option value="print-label"' in body, "though its name stands behind 200 others"


@pytest.mark.parametrize("scene", [nothing])
async def test_why_jobs_of_a_type_wait_is_asked_for_once_on_a_page(
    browser: Browser, house: House, watched: Watched
) -> None:
    for number in range(8):
        await house.submit(f"kind-{number % 2}")
    await browser.get("/jobs")
    assert len(watched.asked_why) == 2


@pytest.mark.parametrize("scene", [nothing])
async def test_a_worker_with_many_types_and_jobs_takes_one_row(browser: Browser, house: House) -> None:
    await house.register("s", *(f"kind-{n:03d}" for n in range(999)), slots=64)
    for _ in range(64):
        await house.submit("kind-000")
    page = (await browser.get("/workers")).body.decode()
    [row] = re.findall(r'<td data-label="Worker"><span class="name".*?</tr>', page, re.DOTALL)
    assert len(set(re.findall(r"kind-\d+", row))) == 10
    assert len(set(re.findall(r"/jobs/job-\d+", row))) == 10
    assert "and 989 more" in row
    assert "and 54 more" in row
    assert "(64 of 64 slots)" in row


async def test_jobs_that_are_searched_show_where_they_have_it(browser: Browser, house: House) -> None:
    await submit(house, "j", data='{"text": "<b>Orders</b> of Bern"}', summary="order & more")
    page = (await browser.get("/jobs?q=order")).body.decode()
    assert '<span class="faint">data:</span> {&quot;text&quot;: &quot;&lt;b&gt;<mark>Orders</mark>&lt;/b&gt;' in page
    assert '<span class="faint">summary:</span> <mark>order</mark> &amp; more' in page
    assert "<mark>" not in (await browser.get("/jobs")).body.decode()


async def test_an_answer_has_snippets_if_they_are_asked_for(ask: Ask, house: House) -> None:
    for number in range(2):
        await submit(house, f"j{number}", data='"a label"')
    page = body_of(await ask("/api/v1/jobs?q=label&snippets=1&limit=1&fields=id"))
    hit = {"field": "data", "before": '"a ', "hit": "label", "after": '"'}
    assert page["items"] == [{"id": "j1", "snippets": [hit]}]
    following = await ask(f"/api/v1/jobs?q=label&snippets=1&limit=1&cursor={page['next_cursor']}")
    assert [job["snippets"] for job in body_of(following)["items"]] == [[hit]]
    plain = await ask("/api/v1/jobs?q=label&limit=1")
    assert ("snippets" in body_of(plain)["items"][0], "snippets" in plain.headers["Link"]) == (False, False)
    assert "snippets=1" in (await ask("/api/v1/jobs?q=label&snippets=1&limit=1")).headers["Link"]
    for wrong in ("snippets=yes", "snippets=1&format=csv"):
        assert (await ask(f"/api/v1/jobs?{wrong}")).code == 400
