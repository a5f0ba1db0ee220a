"""The console: jobs under the names that people have for them."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from handlers.routes import TaskDirectory
from tests.handlers.conftest import Browser
from tests.handlers.console.test_labels import read, rows, text_of
from tests.support.house import House
from tests.support.scenes import submit

pytestmark = pytest.mark.gen_test


@pytest.fixture
def tasks(tmp_path: Path) -> TaskDirectory:
    (tmp_path / "order.js").write_text('// pagehand: {"summary": "order {data.number}"}\n', "utf-8")
    return TaskDirectory(tmp_path)


async def test_a_list_shows_a_job_by_its_summary_and_leads_to_it(browser: Browser, house: House) -> None:
    await submit(house, summary="order <4711>")
    await submit(house, "k")
    page = await read(browser, "/jobs")
    link = '<a class="name" href="/jobs/j" title="order &lt;4711&gt;">order &lt;4711&gt;</a>'
    assert page.count(link) == 1
    assert re.findall(r'<a class="id" href="/jobs/([^"]+)"', page) == ["k", "j"], "the ids are still there"


async def test_the_page_of_a_job_is_called_what_the_job_is_called(browser: Browser, house: House) -> None:
    await submit(house, summary="order 4711", tags=("urgent", "customer:7"))
    await submit(house, "k")
    page = await read(browser, "/jobs/j")
    assert "<title>Queued: order 4711 – Pagehand</title>" in page
    assert text_of(page).count("order 4711 Queued Job j print-label urgent customer:7") == 1
    plain = await read(browser, "/jobs/k")
    assert "<title>Queued: print-label – Pagehand</title>" in plain


async def test_the_form_leads_to_a_job_that_is_called_as_its_task_says(browser: Browser) -> None:
    await browser.get("/submit")
    answer = await browser.post("/submit", {"type": "order", "data": '{"number": 7}'})
    assert answer.code == 303
    assert "order 7" in text_of(await read(browser, answer.headers["Location"]))


async def test_each_tag_and_the_batch_of_a_job_lead_to_the_jobs_that_have_it(browser: Browser, house: House) -> None:
    await submit(house, tags=("a b", "Ärger & Co"), batch="b-1")
    await submit(house, "k", tags=("a b",), batch="b-1")
    await submit(house, "other")
    links = re.findall(r'href="(/jobs\?(?:tag|batch)=[^"]+)"', await read(browser, "/jobs/j"))
    assert [await rows(browser, unescape(link)) for link in links] == [["k", "j"], ["j"], ["k", "j"]]


async def test_the_filter_keeps_its_tags_and_its_batch(browser: Browser, house: House) -> None:
    await submit(house, tags=("a", "b"), batch="b-1")
    page = await read(browser, "/jobs?tag=a&tag=b&batch=b-1")
    fields = re.findall(r'<input[^>]* name="(tag|batch)" value="([^"]*)"', page)
    assert fields == [("tag", "a"), ("tag", "b"), ("batch", "b-1")]
    assert re.findall(r'name="(tag|batch)" value="([^"]*)"', await read(browser, "/jobs")) == [("tag", "")]


async def test_the_filter_keeps_its_text_and_finds_jobs_by_it(browser: Browser, house: House) -> None:
    await submit(house)
    await submit(house, "k", data='{"to": "Berlin"}')
    assert await rows(browser, "/jobs?q=berlin") == ["k"]
    assert 'name="q" value="&quot;berlin&quot;"' in await read(browser, "/jobs?q=%22berlin%22")
    refused = await browser.get("/jobs?q=-")
    assert (refused.code, "q has no letter and no digit" in text_of(refused.body.decode())) == (400, True)


async def test_a_search_for_an_id_or_a_key_lists_its_job_though_no_text_has_it(browser: Browser, house: House) -> None:
    job_id = "01991b2c-7d3e-7000-8000-0000f0747895"
    await submit(house, job_id, key="k 7", summary="order 7")
    await submit(house, "order-8", data='"k 7"')
    assert await rows(browser, "/jobs?q=k+7") == ["order-8", job_id]
    for typed in (job_id.upper(), "01991B2C", "%E2%80%A6f0747895"):
        assert await rows(browser, f"/jobs?q={typed}") == [job_id]
    told = await read(browser, "/jobs?q=f0747895")
    assert '<span class="faint">id:</span> 01991b2c-7d3e-7000-8000-0000<mark>f0747895</mark>' in told
    assert "By this id or key" not in told
    assert "No job is like that" in text_of(await read(browser, "/jobs?q=f0747896"))


async def test_a_job_of_this_id_is_told_where_another_field_of_the_filter_leaves_it_out(
    browser: Browser, house: House
) -> None:
    await submit(house, "order-7", key="k 7", summary="order 7")
    told = await read(browser, "/jobs?q=Order-7&state=failed")
    assert 'By this id or key: <a href="/jobs/order-7" title="order-7">order 7</a> (Queued)' in told
    assert "No other job is like that" in text_of(told)
    assert "By this id or key" in await read(browser, "/jobs?q=k+7&state=failed")
    assert "By this id or key" not in await read(browser, "/jobs?q=order-9&state=failed")
