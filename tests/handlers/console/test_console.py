"""The console's pages as people see them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import FINAL, JobState
from tests.handlers.conftest import Ask, Browser, Scene, Watched, body_of, draining, no_room, nothing
from tests.handlers.rich import BIG, PICTURE, WAITING, rich
from tests.support.house import House
from tests.support.scenes import a_job, a_late_answer, submit, take

PAGES = ["/", "/jobs", "/workers", "/types", "/submit", "/jobs/failed-1", "/jobs/done-1", "/jobs/running-1"]


@pytest.fixture
def scene() -> Scene:
    return rich


async def text_of(browser: Browser, path: str) -> str:
    """The words of a page, as a reader hears them."""
    body = (await browser.get(path)).body.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ")


@pytest.mark.gen_test
@pytest.mark.parametrize("path", [*PAGES, *(f"/jobs?state={state}" for state in JobState)])
async def test_a_page_is_complete_html_without_inline_script_or_style(browser: Browser, path: str) -> None:
    response = await browser.get(path)
    body = response.body.decode()
    assert response.code == 200
    assert body.startswith("<!doctype html>")
    assert body.count("<h1>") == 1
    assert "<style" not in body
    assert not re.search(r"<script(?! src=)", body)
    assert not re.search(r"\s(style|on[a-z]+)=", body)
    for table in re.findall(r"<table.*?</table>", body, re.DOTALL):
        assert "<caption>" in table
        assert not re.search(r"<th(?! scope=)[ >]", table)
    for name in re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"(?![^>]*type="hidden")', body):
        assert f'<label for="{name}">' in body or 'type="hidden"' in body


@pytest.mark.gen_test
async def test_the_overview_shows_problems_first(browser: Browser) -> None:
    text = await text_of(browser, "/")
    assert "34 jobs of type ocr wait: no worker has ever offered it." in text
    assert "1 job of type merge-pdf waits: no connected worker offers it." in text
    assert "1 job is in doubt: a person must decide." in text
    assert "All is well" not in text
    assert text.index("things to look at") < text.index("waiting") < text.index("Last 60 minutes")


@pytest.mark.gen_test
@pytest.mark.parametrize("scene", [nothing])
async def test_an_empty_overview_says_what_to_do(browser: Browser) -> None:
    text = await text_of(browser, "/")
    assert "to look at" not in text
    assert "All is well. No worker is connected, no job was done in the last hour, no job waits." in text
    assert "There are no jobs yet. Submit one" in text
    assert "No worker is connected. Open a worker page" in text


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("scene", "words"),
    [(draining, "The server is stopping"), (no_room, "The disk is nearly full: the server takes no new jobs.")],
)
async def test_a_server_that_takes_no_jobs_says_so(browser: Browser, words: str) -> None:
    assert words in await text_of(browser, "/")


@pytest.mark.gen_test
async def test_the_counters_lead_to_their_lists(browser: Browser) -> None:
    body = (await browser.get("/")).body.decode()
    links = re.findall(r'<a class="counter[^"]*" href="([^"]+)"', body)
    assert links == [
        "/jobs?state=queued&amp;state=scheduled", "/jobs?state=running", "/doubts",
        "/jobs?state=succeeded&amp;ended_after=-1h", "/jobs?state=failed&amp;ended_after=-1h",
        "/workers", "/workers?state=gone",
    ]  # fmt: skip
    for link in links:
        assert (await browser.get(unescape(link))).code == 200


@pytest.mark.gen_test
async def test_the_list_keeps_its_filter_in_the_address(browser: Browser) -> None:
    body = (await browser.get("/jobs?state=running&type=print-label")).body.decode()
    assert "running-1" in body
    assert "failed-1" not in body
    assert 'name="state" value="running" checked>' in body
    assert 'name="type" list="types" value="print-label"' in body


@pytest.mark.gen_test
async def test_the_list_leads_to_the_next_page(browser: Browser) -> None:
    body = (await browser.get("/jobs?limit=3&type=print-label")).body.decode()
    match = re.search(r'rel="next" href="([^"]+)"', body)
    assert match
    assert match[1].startswith("/jobs?type=print-label&amp;limit=3&amp;cursor=")
    following = (await browser.get(match[1].replace("&amp;", "&"))).body.decode()
    assert "failed-1" not in body
    assert "First page" in following


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["state=lost", "limit=0", "cursor=x"])
async def test_a_bad_filter_is_a_400_page(browser: Browser, query: str) -> None:
    response = await browser.get(f"/jobs?{query}")
    assert response.code == 400
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.gen_test
async def test_a_waiting_job_says_why(browser: Browser) -> None:
    text = await text_of(browser, f"/jobs/{WAITING}")
    assert "Why it waits: no connected worker offers the type merge-pdf" in text


@pytest.mark.gen_test
async def test_a_failed_job_shows_its_attempts_newest_first_with_stacks(browser: Browser) -> None:
    text = await text_of(browser, "/jobs/failed-1")
    _, *tries = (await browser.page("/jobs/failed-1")).split('<div class="try"')
    assert [re.findall(r"Try \d|An offer", block)[0] for block in tries] == ["Try 3", "Try 2", "An offer", "Try 1"]
    assert ["page 3 of 5" in block for block in tries] == [False, True, False, False]
    assert "at printLabel (/tasks/print-label.js:31:9)" in text
    assert "Not accepted in time" in text
    assert "page 3 of 5 sent to the printer" in text
    assert "3 of at most 3" in text
    assert text.count("at printLabel") == 1, "the same stack is not told twice"


@pytest.mark.gen_test
async def test_the_stack_of_an_earlier_try_is_folded_and_has_no_line_of_ours(browser: Browser, house: House) -> None:
    job = await submit(house, "j", type="label")
    ours = "\n    at run (http://h/static/worker.js:402:11)"
    await (await take(house, job)).error(stack=f"at one (/tasks/label.js:1:1){ours}")
    await house.pass_time(10.0)
    await (await take(house, job)).error(stack=f"at two (/tasks/label.js:2:2){ours}", retry=False)
    body = (await browser.get("/jobs/j")).body.decode()
    assert re.findall(r"at (\w+) \(", body) == ["two", "one"]
    assert "<summary>Stack of try 1</summary>" in body
    assert "left out" in body


@pytest.mark.gen_test
@pytest.mark.parametrize("state", JobState)
async def test_only_what_the_state_allows_has_a_button(browser: Browser, house: House, state: JobState) -> None:
    await a_job(house, state)
    body = (await browser.get("/jobs/j")).body.decode()
    assert ("/jobs/j/cancel" in body) is (state in ("scheduled", "queued", "running"))
    assert ("/jobs/j/retry" in body) is (state in ("failed", "cancelled", "expired", "in_doubt"))


@pytest.mark.gen_test
@pytest.mark.parametrize("state", JobState)
async def test_only_an_open_job_loads_itself_anew_and_none_for_which_a_reason_is_typed(
    browser: Browser, house: House, state: JobState
) -> None:
    await a_job(house, state)
    refresh = b'<meta http-equiv="refresh" content="2">'
    assert (refresh in (await browser.get("/jobs/j")).body) is (state not in FINAL and state is not JobState.IN_DOUBT)
    assert refresh not in (await browser.get("/jobs/j?refresh=0")).body


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("query", "content"), [("", None), ("?refresh=5", "5"), ("?refresh=1", None), ("?refresh=x", None)]
)
async def test_a_list_loads_itself_anew_where_its_address_says_so(
    browser: Browser, query: str, content: str | None
) -> None:
    body = (await browser.get("/workers" + query)).body.decode()
    match = re.search('http-equiv="refresh" content="([^"]+)"', body)
    assert (match and match[1]) == content


@pytest.mark.gen_test
async def test_a_long_text_is_shown_in_part_until_all_is_asked_for(browser: Browser) -> None:
    part = (await browser.get("/jobs/big-1")).body.decode()
    whole = (await browser.get("/jobs/big-1?full=1")).body.decode()
    assert f"Only the beginning of {len(BIG):,} characters is shown" in part
    assert "&quot;id&quot;: 399" not in part
    assert "Only the beginning" not in whole
    assert whole.count("&quot;id&quot;: 399") == 2


@pytest.mark.gen_test
async def test_a_jobs_page_shows_each_of_its_terms(browser: Browser, house: House) -> None:
    told: dict[str, Any] = {
        "priority": -7,
        "timeout_s": 61.0,
        "max_attempts": 41,
        "max_crashes": 42,
        "heartbeat_s": 2.5,
    }
    await submit(house, effects="once", requires=requirement_of({"site": "bonn"}), **told)
    await submit(house, "plain")
    text = await text_of(browser, "/jobs/j")
    for words in ("Priority -7", "Timeout of an attempt 1 min 1 s", "Attempts 0 of at most 41", "Effects once", "bonn"):
        assert words in text
    assert "Lost attempts 0 of at most 42 (with their page) Longest silence 2.5 s" in text
    assert "Longest silence none Effects repeat" in await text_of(browser, "/jobs/plain")


@pytest.mark.gen_test
async def test_a_picture_is_shown_as_one(browser: Browser) -> None:
    body = (await browser.get("/jobs/done-1")).body.decode()
    assert body.count(f'<img class="picture" src="{PICTURE}"') == 2


@pytest.mark.gen_test
async def test_the_buttons_cancel_and_retry(browser: Browser, house: House) -> None:
    await submit(house)
    response = await browser.post("/jobs/j/cancel", {}, "/jobs/j")
    assert (response.code, response.headers["Location"]) == (303, "/jobs/j")
    assert (await house.dispatcher.job("j")).state == "cancelled"
    await browser.post("/jobs/j/retry", {}, "/jobs/j")
    assert (await house.dispatcher.job("j")).state == "queued"


@pytest.mark.gen_test
async def test_a_button_that_leads_back_to_the_job_does_not_read_it(
    browser: Browser, house: House, watched: Watched
) -> None:
    await submit(house)
    for button in ("cancel", "retry"):
        watched.read_jobs.clear()
        await browser.post(f"/jobs/j/{button}", {}, "/submit")
        assert watched.read_jobs == []


@pytest.mark.gen_test
@pytest.mark.parametrize(("button", "state"), [("succeeded", "succeeded"), ("failed", "failed"), ("retry", "queued")])
async def test_the_buttons_of_a_job_in_doubt(browser: Browser, house: House, button, state) -> None:
    await a_job(house, JobState.IN_DOUBT)
    assert f'action="/jobs/j/{button}"' in (await browser.get("/jobs/j")).body.decode()
    await browser.post(f"/jobs/j/{button}", {}, "/jobs/j")
    assert (await house.dispatcher.job("j")).state == state


@pytest.mark.gen_test
async def test_a_job_that_a_person_decided_says_so_and_how_long_its_attempt_ran(browser: Browser, house: House) -> None:
    tried = await take(house, await submit(house, effects="once", timeout_s=3.0))
    await tried.say("accept")
    await tried.say("progress", percent=20, note="step 2")
    await house.pass_time(3.1)
    text = await text_of(browser, "/jobs/j")
    assert "Last progress: 20 %: step 2" in text
    assert "It gave no answer within 3 s. Nobody knows whether it took effect: a person must decide." in text
    assert "Why it waits" not in text
    await house.pass_time(300.0)
    assert " 3.1 s – a person must decide: it gave no answer within 3 s" in await text_of(browser, "/jobs")
    await browser.post("/jobs/j/succeeded", {}, "/jobs/j")
    text = await text_of(browser, "/jobs/j")
    assert "A person decided just now that it did happen." in text
    assert "Its attempt ended: timed out" in text
    assert "It has a result, from" not in text
    assert re.search(
        r" 3.1 s \d\d:\d\d a person decided ", await text_of(browser, "/jobs?type=print-label&state=succeeded")
    )


@pytest.mark.gen_test
@pytest.mark.parametrize("scene", [nothing])
async def test_a_worker_that_goes_away_stays_in_the_list(browser: Browser, house: House) -> None:
    await (await take(house, await submit(house), "FRONT-DESK-07")).leave()
    await house.pass_time(house.settings.store_check_s)
    text = await text_of(browser, "/workers")
    assert re.search(r"FRONT-DESK-07 Not here since \d\d:\d\d UTC – – – .* ago – ", text)
    assert re.search(r'<time datetime="\S+Z">since', (await browser.get("/workers")).body.decode()), (
        "the local time, too"
    )
    assert "FRONT-DESK-07 Not here" in await text_of(browser, "/workers?state=gone")
    assert re.search(r" 1 not here ", await text_of(browser, "/"))
    [gone] = body_of(await browser.get("/api/v1/workers"))["items"]
    assert (gone["name"], gone["state"]) == ("FRONT-DESK-07", "gone")
    assert gone["gone_at"].endswith("Z")


@pytest.mark.gen_test
async def test_the_button_that_takes_a_late_answer(browser: Browser, house: House) -> None:
    await a_late_answer(house)
    assert "A late result" in (await browser.get("/jobs/j")).body.decode()
    await browser.post("/jobs/j/adopt", {}, "/jobs/j")
    job = await house.dispatcher.job("j")
    assert (job.state, job.result) == ("succeeded", '"late"')
    assert "/jobs/j/adopt" not in (await browser.get("/jobs/j")).body.decode()


@pytest.mark.gen_test
async def test_a_button_that_came_too_late_is_explained_on_the_jobs_page(browser: Browser) -> None:
    response = await browser.post("/jobs/done-1/cancel", {}, "/jobs/running-1")
    assert response.code == 409
    assert b"the job is succeeded: only scheduled, queued and running jobs can be cancelled" in response.body
    assert b'http-equiv="refresh"' not in response.body


@pytest.mark.gen_test
async def test_an_unknown_job_is_a_404_page(browser: Browser) -> None:
    for response in (await browser.get("/jobs/nope"), await browser.post("/jobs/nope/cancel", {})):
        assert response.code == 404
        assert b"There is no job" in response.body


@pytest.mark.gen_test
async def test_workers_show_what_they_do_and_what_they_are(browser: Browser) -> None:
    text = await text_of(browser, "/workers")
    assert "No sign of life it has not answered for a while; nothing shows that it has gone" in text
    assert "Paused at its page" in text
    assert "Browser: Internet Explorer 11, Windows 7 in document mode 11" in text
    assert "(0 of 4 slots)" in text


@pytest.mark.gen_test
@pytest.mark.parametrize("scene", [nothing])
async def test_types_that_no_worker_ever_offered_are_said_so(browser: Browser, house: House) -> None:
    house.shipped["never"] = "0123456789ab-1700000000"
    for job in ("j1", "j2"):
        await a_job(house, JobState.FAILED, job, type="once")
    await house.pass_time(120)
    text = await text_of(browser, "/types")
    assert "never 0 no worker has ever offered it none" in text
    assert "once 0 2 min ago 2 failed" in text


@pytest.mark.gen_test
async def test_an_error_is_told_to_people_in_whole_sentences(browser: Browser) -> None:
    text = await text_of(browser, "/jobs/nope")
    assert "There is no job 'nope': it was never accepted here, or it ended long ago and is no longer kept. " in (
        text.replace("&#x27;", "'").replace("&#39;", "'")
    )


@pytest.mark.gen_test
async def test_a_program_that_asks_for_a_page_gets_plain_words(ask: Ask) -> None:
    response = await ask("/jobs/nope")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    why = "it was never accepted here, or it ended long ago and is no longer kept"
    assert response.body.decode() == f"404 Not Found: there is no job 'nope': {why}\n"
