"""The flight record as a file: everything that happened, nothing of what was put in, and no need of this server."""

from __future__ import annotations

import asyncio
import html
import re

import pytest

from dispatcher.access.commands import NOBODY_ASKED
from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.states import JobState
from handlers.record.masking import Mask
from handlers.record.moments import Happening
from handlers.record.page import _SLICE_CHARS, _masked
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test(timeout=30)
DATA = '{"order":4711,"to":"Anna Berg"}'


def rows_of(page: str) -> list[str]:
    """Each row of the first table as a reader hears it, without its time."""
    table = page.partition("</table>")[0]
    rows = re.findall(r"<tr class=.*?</tr>", table, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()).partition(" s ")[2] for row in rows]


async def failed(house: House) -> None:
    """A job that printed for Anna, was given back by an operator, and failed on the next page."""
    job = await submit(house, "bad", type="label", data=DATA, summary="order 4711", max_attempts=2)
    first = await take(house, job, "DESK-1")
    await first.say("accept")
    await first.say("log", line="order 4711: one page")
    await first.error("Anna Berg has moved", code="task_error")
    await house.pass_time(60.0)
    second = await take(house, job, "DESK-1")
    await second.say("accept")
    await second.error("no paper", stack="at print (label.js:7)", retry=False)


async def test_it_tells_in_order_what_happened_to_the_job_and_its_pages(browser: Browser, house: House) -> None:
    await failed(house)
    await house.pass_time(1.0)
    await browser.post("/jobs/bad/retry", {})
    response = await browser.get("/jobs/bad/record")
    assert response.headers["Content-Disposition"] == 'attachment; filename="pagehand-bad.html"'
    rows = rows_of(response.body.decode())
    assert rows[0] == "– Submitted"
    assert "DESK-1 Was offered the job" in rows
    assert "DESK-1 Started it (try 1)" in rows
    assert "DESK-1 Wrote ••• •••: one page" in rows
    assert "DESK-1 Error (try 1) ••• ••• has moved (task_error)" in rows
    assert "DESK-1 Error (try 2) no paper at print (label.js:7)" in rows
    assert rows[-1] == "console Had it run again"
    assert rows.index("DESK-1 Started it (try 1)") < rows.index("DESK-1 Error (try 1) ••• ••• has moved (task_error)")


async def test_it_has_no_value_no_script_and_no_address_of_this_server(browser: Browser, house: House) -> None:
    await failed(house)
    await a_job(house, JobState.SUCCEEDED, "good", data=DATA, result='{"printed":"for Anna Berg"}')
    for job in ("bad", "good"):
        page = await browser.page(f"/jobs/{job}/record")
        assert not re.search(r"4711|Anna|Berg", page)
        assert not re.search(r"<script|href=|src=|url\(|@import", page)
        assert "Data, hidden" in page


async def test_summary_tags_and_key_are_hidden_with_their_words_like_data(browser: Browser, house: House) -> None:
    given = {"summary": "Brief an Frau Schmidt, IBAN DE8937", "tags": ("patient-Meier", "vip"), "key": "order-4799"}
    tried = await take(house, await submit(house, "bad", type="letter", **given), "DESK-1")
    await tried.say("accept")
    await tried.say("log", line="Meier and SCHMIDT of 4799: de8937 is no IBAN")
    await tried.error("no paper for Frau Schmidt", retry=False)
    page = await browser.page("/jobs/bad/record")
    assert not re.search(r"Schmidt|Meier|8937|4799|vip|IBAN|Brief", page, re.IGNORECASE)
    assert "DESK-1 Wrote ••• and ••• of •••: ••• is no •••" in rows_of(page)
    assert "It failed, and another try cannot help: no paper for ••• •••." in page
    terms = re.sub(r"<[^>]+>", " ", page.partition("Its terms")[2].partition("</table>")[0])
    assert re.findall(r"(Summary|Tags|Key) +(.*?) *\n", terms) == [
        ("Summary", "•••"), ("Tags", "•••, •••"), ("Key", "•••"),
    ]  # fmt: skip


async def test_what_looks_like_a_secret_is_hidden_wherever_it_is_said(browser: Browser, house: House) -> None:
    tried = await take(house, await submit(house, "bad", type="letter"), "DESK-1")
    await tried.say("accept")
    await tried.say("log", line="password=hunter2 at https://anna:hunter2@erp.example/?token=hunter2")
    await tried.say("log", line="the page showed (1 of 1): Login | pin 9981 | the pinned note")
    await tried.say("error", message="no, Bearer hunter2", stack="at login (Kennwort: hunter2)", retry=False)
    [worker] = house.dispatcher.workers(WorkerFilter()).items
    await house.dispatcher.orders.pause(worker.id, "its pin is 9981", actor=NOBODY_ASKED)
    page = await browser.page("/jobs/bad/record")
    assert not re.search(r"hunter2|9981", page)
    assert "DESK-1 Wrote password=••• at https://•••@erp.example/?token=•••" in rows_of(page)
    assert "the page showed (1 of 1): Login | pin ••• | the pinned note" in page
    assert "its pin is •••" in page


async def test_two_jobs_stand_side_by_side(browser: Browser, house: House) -> None:
    await failed(house)
    await a_job(house, JobState.SUCCEEDED, "good")
    page = await browser.page("/jobs/bad/record?beside=GOOD")
    assert page.count("<section>") == 2
    assert 'class="two"' in page
    assert (await browser.page("/jobs/bad/record?beside=bad")).count("<section>") == 1, "not beside itself"
    assert (await browser.get("/jobs/bad/record?beside=nope")).code == 404


async def test_a_job_s_page_leads_to_every_other_one_beside_it(browser: Browser, house: House) -> None:
    await failed(house)
    for name, type_name, worker in (("a", "label", "DESK-1"), ("b", "label", "DESK-2"), ("c", "scan", "DESK-1")):
        tried = await take(house, await submit(house, name, type=type_name), worker)
        await tried.result("1")
    page = await browser.page("/jobs/bad")
    form = page.partition('<form class="filter" method="get" action="/jobs/bad/record">')[2].partition("</form>")[0]
    assert 'name="beside"' in form
    words = re.findall(r'name="beside" value="([^"]+)"', page)
    assert words == ["last-success", "last-failure", "last-success-of-worker", "last-failure-of-worker"]
    answers = [await browser.get(f"/jobs/bad/record?beside={word}") for word in words]
    assert [answer.code for answer in answers] == [200, 404, 200, 404]
    names = [answer.headers.get("Content-Disposition") for answer in answers]
    assert names[0] == 'attachment; filename="pagehand-bad-b.html"', "the newest of its type"
    assert names[2] == 'attachment; filename="pagehand-bad-a.html"', "the newest of its type on that worker"
    assert "No other job of the type label has failed on DESK-1" in answers[3].body.decode()


async def test_of_a_job_that_no_worker_had_no_other_one_of_its_worker_is_offered(
    browser: Browser, house: House
) -> None:
    await submit(house, "waits", type="label")
    assert "of-worker" not in await browser.page("/jobs/waits")
    assert (await browser.get("/jobs/waits/record?beside=last-failure-of-worker")).code == 404


async def test_a_job_s_page_leads_to_it(browser: Browser, house: House) -> None:
    await a_job(house, JobState.SUCCEEDED, "good")
    assert '<a href="/jobs/good/record">' in await browser.page("/jobs/good")


async def test_of_two_jobs_neither_says_a_value_of_the_other(browser: Browser, house: House) -> None:
    await failed(house)
    await submit(house, "other", type="label", data='{"to":"Carla"}', summary="after Anna Berg")
    page = await browser.page("/jobs/other/record?beside=bad")
    assert not re.search(r"Carla|Anna|Berg", page)


async def two_on_a_desk(house: House, *lines: str, worker: str = "DESK") -> str:
    """A job was done and one is in doubt at a desk; there the job ``bad`` wrote these lines, and failed."""
    done = await submit(house, "done", type="a", data='{"order":4711}', summary="for Carla")
    await (await take(house, done, worker)).result('{"printed":"Dora"}')
    doubt = await submit(house, "doubt", type="b", data='{"order":4712}', effects="once")
    tried = await take(house, doubt, worker)
    await tried.say("accept")
    await tried.leave()
    bad = await take(house, await submit(house, "bad", type="label", data='{"to":"Anna"}'), worker)
    await bad.say("accept")
    for line in lines:
        await bad.say("log", line=line)
    await bad.error("no paper", retry=False)
    return "bad"


@pytest.mark.parametrize("worker", ["DESK", ""])
async def test_a_line_that_a_page_wrote_says_no_value_of_the_page_s_other_jobs(
    browser: Browser, house: House, worker: str
) -> None:
    told = "order 4712 for Anna, 4711 for Carla and Dora: paper jam"
    lines = (f"the page showed (1 of 1): {told}", f"uncaught on the page: {told}", "a task's own line of 4711")
    await two_on_a_desk(house, *lines, worker=worker)
    rows = rows_of(await browser.page("/jobs/bad/record"))
    hidden = "order ••• ••• •••, ••• ••• ••• and •••: paper jam"
    [shown, uncaught, own] = [row.partition(" Wrote ")[2] for row in rows if " Wrote " in row]
    assert shown == f"the page showed (1 of 1): {hidden}"
    assert uncaught == f"uncaught on the page: {hidden}"
    assert own == "a task's own line of 4711", "whatever a task writes is its own"


async def test_of_what_an_older_page_showed_nothing_is_told(browser: Browser, house: House) -> None:
    lines = ("the page showed: READY | Last error: no order 4799", "... of Emil", "a line", "... goes on")
    await two_on_a_desk(house, *lines)
    rows = [row.partition(" Wrote ")[2] for row in rows_of(await browser.page("/jobs/bad/record"))]
    assert [row for row in rows if row] == ["•••", "•••", "a line", "... goes on"]
    beside = await browser.page("/jobs/done/record?beside=bad")
    assert not re.search(r"4799|Emil|4711", beside), "nor beside another one"


async def test_neither_a_page_s_report_nor_a_reason_says_a_value(browser: Browser, house: House) -> None:
    job = await submit(house, "bad", type="label", data=DATA)
    page = {"library": "0.1.0", "last_order": "4712"}
    tried = await take(house, job, "DESK-1", page=page)
    await tried.say("accept")
    await tried.say("error", message="no", retry=False)
    [worker] = house.dispatcher.workers(WorkerFilter()).items
    await house.dispatcher.orders.pause(worker.id, "4711 hangs", actor=NOBODY_ASKED)
    record = (await browser.page("/jobs/bad/record")).partition("Its page")[2]
    assert ("0.1.0" in record, "last_order" in record, "••• hangs" in record) == (True, True, True)
    assert not re.search(r"4711|4712", record)


async def test_an_error_s_own_code_and_what_a_job_requires_say_no_value(browser: Browser, house: House) -> None:
    job = await submit(house, "bad", type="label", data=DATA, requires=(("desk", ("berg",)),))
    page = await take(house, job, "DESK-1", labels={"desk": "berg"})
    await page.say("accept")
    await page.error("no", code="no_4711", retry=False)
    record = await browser.page("/jobs/bad/record")
    assert "no_•••" in record
    assert not re.search(r"4711|>berg<", record.partition("Its page")[0])


async def test_others_are_served_while_long_lines_are_hidden(browser: Browser, house: House) -> None:
    mask, turns = Mask([DATA]), 0

    async def others() -> None:
        nonlocal turns
        for _ in range(1_000):
            turns += 1
            await asyncio.sleep(0)

    rows = [Happening(1.0, "line", "", "Wrote", "Berg " * 400)] * 200
    task = asyncio.create_task(others())
    found = await _masked(rows, mask, {})
    task.cancel()
    assert {row.said for row in found} == {"••• " * 400}
    assert turns >= 200 * 2_000 // (_SLICE_CHARS + 2_000) - 1
