"""Orders for many jobs, from the buttons below the list to what was done."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import unescape
from urllib.parse import urlencode

import pytest

from dispatcher.core.jobs.states import JobState
from tests.handlers.conftest import Browser
from tests.support.forms import hidden
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test(timeout=60)

FAILED = {"state": "failed"}


async def press(browser: Browser, action: str, ids: Sequence[str] = (), **asked: str) -> str:
    """Presses a button below the list with this filter, or with these jobs ticked; the path of the order's page."""
    address = "/jobs?tick=1" if ids else f"/jobs?{urlencode(asked)}"
    fields: dict[str, str | list[str]] = {"only": "ticked", "id": list(ids)}
    if not ids:
        fields = {"filter": hidden(await browser.page(address))["filter"]}
    pressed = await browser.post("/jobs/act", {"action": action, **fields}, address)
    assert pressed.code == 303, pressed.body
    return str(pressed.headers["Location"])


async def say_yes(browser: Browser, counted: str, **fields: str) -> str:
    """Presses the button of the page that has counted; the path of the page of what is done then."""
    pressed = await browser.post(f"{counted}/go", fields, counted)
    assert pressed.code == 303, pressed.body
    return str(pressed.headers["Location"])


def text_of(page: str) -> str:
    """A page's words."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)).replace("\u00a0", " ").replace("&nbsp;", " ")


async def states(house: House, *jobs: str) -> list[JobState]:
    return [(await house.dispatcher.job(job)).state for job in jobs]


async def some_failed(house: House, count: int) -> list[str]:
    names = [f"failed-{number}" for number in range(count)]
    for name in names:
        await a_job(house, JobState.FAILED, name)
    return names


async def test_jobs_that_a_filter_finds_are_counted_and_then_run_again(browser: Browser, house: House) -> None:
    failed, queued = await some_failed(house, 2), (await house.submit("other")).id
    assert "Run again…" in await browser.page("/jobs?state=failed")
    counted = await press(browser, "retry", **FAILED)
    seen = text_of(await browser.page(counted))
    assert "2 jobs are like that. Nothing has been changed yet." in seen
    assert "state: failed" in seen
    assert await states(house, *failed) == [JobState.FAILED] * 2
    done = await say_yes(browser, counted, reason="printer <b> is back")
    assert "Done: 2 jobs. Reason: printer &lt;b&gt; is back" in text_of(await browser.page(done))
    assert JobState.FAILED not in await states(house, *failed)
    assert await states(house, queued) == [JobState.QUEUED]


async def test_ticked_jobs_alone_are_meant(browser: Browser, house: House) -> None:
    failed = await some_failed(house, 3)
    page = await browser.page("/jobs?tick=1&refresh=5")
    assert page.count('type="checkbox" name="id"') == 3
    assert "data-refresh-s" not in page
    counted = await press(browser, "retry", failed[:2])
    await say_yes(browser, counted)
    assert (await states(house, *failed)).count(JobState.FAILED) == 1
    assert await states(house, failed[2]) == [JobState.FAILED]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": "retry"}, "The list shows all jobs: choose a state"),
        ({"action": "retry", "only": "ticked"}, "No job is ticked"),
        ({"action": "explode", "filter": "state=failed"}, "The form names no action"),
        ({"action": "retry", "filter": "state=faild"}, "must be one of"),
    ],
)
async def test_a_form_that_means_no_jobs_is_refused_in_words(
    browser: Browser, house: House, fields: dict[str, str], words: str
) -> None:
    refused = await browser.post("/jobs/act", fields)
    assert refused.code == 400
    assert words in refused.body.decode()
    assert house.dispatcher.operations.all() == []


async def test_the_number_of_very_many_jobs_must_be_typed(browser: Browser, house: House) -> None:
    jobs = [(await house.submit("echo")).id for _ in range(101)]
    counted = await press(browser, "cancel", type="echo")
    for typed in ("", "100", "all"):
        refused = await browser.post(f"{counted}/go", {"count": typed}, counted)
        assert refused.code == 422
        assert "Type 101 to say that you mean all of these jobs." in refused.body.decode()
    assert set(await states(house, *jobs)) == {JobState.QUEUED}
    done = await say_yes(browser, counted, count=" 101 ")
    assert "101 jobs" in await browser.page(done)
    assert set(await states(house, *jobs)) == {JobState.CANCELLED}


def shown_in(page: str, name: str) -> str:
    """What a field of the form shows."""
    [field] = re.findall(rf'<input[^>]* name="{name}"[^>]*>', page)
    value = re.search(r' value="([^"]*)"', field)
    return unescape(value[1]) if value else ""


async def test_a_wrong_number_leaves_all_that_was_typed_where_it_is(browser: Browser, house: House) -> None:
    jobs = [await house.submit("echo") for _ in range(101)]
    counted = await press(browser, "set_priority", type="echo")
    typed = {"reason": "they wait", "priority": "2000", "count": "101"}
    refused = (await browser.post(f"{counted}/go", typed, counted)).body.decode()
    assert [shown_in(refused, name) for name in typed] == list(typed.values())
    for job in jobs:
        await house.dispatcher.cancel(job.id, "")
    counted = await press(browser, "delete", type="echo")
    typed = {"reason": 'wrong "price"', "count": "100", "free_key": "1"}
    refused = (await browser.post(f"{counted}/go", typed, counted)).body.decode()
    assert (shown_in(refused, "reason"), shown_in(refused, "count")) == ('wrong "price"', "100")
    assert 'name="free_key" value="1" checked>' in refused


async def test_the_page_of_an_order_shows_its_reason_also_when_it_was_stopped(browser: Browser, house: House) -> None:
    await house.submit("echo")
    counted = await press(browser, "cancel", type="echo")
    assert "Reason:" not in await browser.page(counted)
    await house.submit("echo")
    stopped = await say_yes(browser, counted, reason="wrong <b> price")
    seen = text_of(await browser.page(stopped))
    assert "Nothing was done." in seen
    assert "Reason: wrong &lt;b&gt; price" in seen
    again = (await browser.post(f"{stopped}/again", {}, stopped)).headers["Location"]
    assert shown_in(await browser.page(again), "reason") == "wrong <b> price", "it is the same order"


async def test_a_priority_is_asked_for_where_the_jobs_are_counted(browser: Browser, house: House) -> None:
    job = (await house.submit("echo")).id
    counted = await press(browser, "set_priority", type="echo")
    for typed in ("", "1001", "-1001", "high", "1.5", "²"):
        refused = await browser.post(f"{counted}/go", {"priority": typed}, counted)
        assert refused.code == 422
        assert "must be a whole number from -1,000 to 1,000" in refused.body.decode()
    done = await say_yes(browser, counted, priority="-7")
    assert "now with priority -7" in await browser.page(done)
    assert (await house.dispatcher.job(job)).terms.priority == -7


async def test_what_was_left_alone_is_told_with_the_reason(browser: Browser, house: House) -> None:
    [failed] = await some_failed(house, 1)
    waits = (await house.submit("echo")).id
    counted = await press(browser, "delete", [failed, waits])
    seen = text_of(await browser.page(await say_yes(browser, counted)))
    assert "Done: 1 job." in seen
    assert "1 job: in a state that does not allow it." in seen
    assert await states(house, waits) == [JobState.QUEUED]


async def test_the_count_says_to_how_many_it_can_be_done_and_the_button_means_these(
    browser: Browser, house: House
) -> None:
    [failed] = await some_failed(house, 1)
    waits = (await house.submit("echo")).id
    counted = await press(browser, "cancel", [failed, waits, "nobody"])
    page = await browser.page(counted)
    assert "2 jobs are like that, and it can be done to 1. Nothing has been changed yet." in text_of(page)
    told = "1 job: in a state that does not allow it. 1 job: no longer there."
    assert f"These would stay as they are: {told}" in text_of(page)
    assert ">Cancel: 1 job</button>" in page
    done = text_of(await browser.page(await say_yes(browser, counted)))
    assert f"Done: 1 job. Left as they are: {told}" in done


async def test_where_it_can_be_done_to_no_job_there_is_no_button(browser: Browser, house: House) -> None:
    await some_failed(house, 2)
    counted = await press(browser, "cancel", **FAILED)
    page = await browser.page(counted)
    assert "2 jobs are like that, and it can be done to none of them. Nothing has been changed." in text_of(page)
    assert f"{counted}/go" not in page
    assert "Count again" in page
    refused = await browser.post(f"{counted}/go", {}, counted)
    assert (refused.code, "Nothing can be done to these jobs now" in refused.body.decode()) == (422, True)


async def test_jobs_whose_keys_are_kept_are_removed_only_if_that_is_ticked(browser: Browser, house: House) -> None:
    for name in ("one", "two"):
        await submit(house, name, key=name)
        await house.dispatcher.cancel(name, "")
    counted = await press(browser, "delete", state="cancelled")
    page = await browser.page(counted)
    assert "2 jobs: ended less than a day ago, with an idempotency key that must be kept so long." in text_of(page)
    assert "Idempotency keys may go, too (2 jobs): the same" in page
    assert re.search(r'name="free_key" value="1" required>', page)
    assert ">Remove: 2 jobs</button>" in page
    assert "Done: 2 jobs." in text_of(await browser.page(await say_yes(browser, counted, free_key="1")))


async def test_jobs_that_came_between_the_count_and_the_yes_stop_it(browser: Browser, house: House) -> None:
    await house.submit("echo")
    counted = await press(browser, "cancel", type="echo")
    late = (await house.submit("echo")).id
    stopped = await say_yes(browser, counted)
    seen = text_of(await browser.page(stopped))
    assert "2 jobs match" in seen
    assert "Nothing was done." in seen
    assert await states(house, late) == [JobState.QUEUED]
    again = await browser.post(f"{stopped}/again", {}, stopped)
    seen = text_of(await browser.page(again.headers["Location"]))
    assert "2 jobs are like that. Nothing has been changed yet." in seen


async def test_an_order_that_is_over_is_neither_stopped_nor_given_twice(browser: Browser, house: House) -> None:
    await house.submit("echo")
    counted = await press(browser, "cancel", type="echo")
    done = await say_yes(browser, counted)
    stopped = await browser.post(f"{done}/stop", {}, done)
    assert (stopped.code, stopped.headers["Location"]) == (303, done)
    twice = await browser.post(f"{done}/go", {}, done)
    assert twice.code == 422
    assert "This order was not just counted" in twice.body.decode()


async def test_no_job_is_found_and_nothing_is_asked(browser: Browser, house: House) -> None:
    pressed = await browser.post("/jobs/act", {"action": "retry", "filter": "type=nobody"})
    counted = pressed.headers["Location"]
    page = await browser.page(counted)
    assert "No job is like that now. There is nothing to do." in page
    assert f"{counted}/go" not in page


async def test_the_orders_are_listed_the_newest_first(browser: Browser, house: House) -> None:
    assert "There is none." in await browser.page("/operations")
    await house.submit("echo")
    counted = await press(browser, "cancel", type="echo")
    done = await say_yes(browser, counted)
    page = await browser.page("/operations")
    assert page.index(done) < page.index(counted)
    assert "type: echo" in page


async def test_a_form_of_another_site_counts_and_does_nothing(browser: Browser, house: House) -> None:
    job = (await house.submit("echo")).id
    counted = await press(browser, "cancel", type="echo")
    for path in ("/jobs/act", f"{counted}/go", f"{counted}/again"):
        refused = await browser.post(path, {"action": "cancel", "filter": "type=echo", "_xsrf": "2|00|00|0"}, counted)
        assert refused.code == 403
    assert len(house.dispatcher.operations.all()) == 1
    assert await states(house, job) == [JobState.QUEUED]


async def test_what_was_asked_for_is_text_on_every_page_of_an_order(browser: Browser) -> None:
    hostile = 'tag=</span><script>alert("1")</script>'
    pressed = await browser.post("/jobs/act", {"action": "retry", "filter": hostile})
    for address in (pressed.headers["Location"], "/operations"):
        page = await browser.page(address)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(" in page


async def test_an_order_is_taken_back_for_the_jobs_that_it_has_changed(browser: Browser, house: House) -> None:
    failed = await some_failed(house, 2)
    counted = await press(browser, "retry", **FAILED)
    done = await say_yes(browser, counted)
    assert "Undo: cancel them…" in await browser.page(done)
    pressed = await browser.post(f"{done}/undo", {}, done)
    assert pressed.code == 303
    asked = pressed.headers["Location"]
    assert "Cancel: 2 jobs" in text_of(await browser.page(asked))
    assert await states(house, *failed) == ["queued", "queued"], "it only counts"
    back = await say_yes(browser, asked)
    assert await states(house, *failed) == ["cancelled", "cancelled"]
    assert "Undo: run them again…" in await browser.page(back)


async def test_who_takes_a_cancel_back_reads_which_jobs_had_begun(browser: Browser, house: House) -> None:
    tried = await take(house, await submit(house, "runs"))
    await tried.say("accept")
    await submit(house, "waits")
    done = await say_yes(browser, await press(browser, "cancel", type="print-label"))
    warns = "1 of them had begun to run: taken back, it runs anew, and what it did may happen a second time."
    assert f"{warns} Undo: run them again…" in text_of(await browser.page(done)).replace("Count again ", "")
    asked = (await browser.post(f"{done}/undo", {}, done)).headers["Location"]
    assert warns in text_of(await browser.page(asked))
    assert "had begun" not in text_of(await browser.page(await say_yes(browser, asked)))
    told = json.loads((await browser.get(f"/api/v1{done}")).body)
    assert (told["done"], told["begun"]) == (2, 1)


async def test_what_cannot_be_taken_back_has_no_button_and_says_so(browser: Browser, house: House) -> None:
    await some_failed(house, 1)
    counted = await press(browser, "delete", **FAILED)
    assert "Undo" not in await browser.page(counted)
    done = await say_yes(browser, counted)
    assert "Undo" not in await browser.page(done)
    refused = await browser.post(f"{done}/undo", {}, done)
    assert refused.code == 409
    assert "This order cannot be taken back." in refused.body.decode()


async def test_programs_get_the_ids_of_the_jobs_that_an_order_has_changed(browser: Browser, house: House) -> None:
    failed = await some_failed(house, 2)
    done = await say_yes(browser, await press(browser, "retry", **FAILED))
    told = json.loads((await browser.get(f"/api/v1{done}")).body)
    assert sorted(told["did"]) == sorted(failed)
    [_, listed] = json.loads((await browser.get("/api/v1/operations")).body)["items"]
    assert "did" not in listed
