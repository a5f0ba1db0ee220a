"""The overview as people use it: what it says, and the buttons that help at once."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.matching import requirement_of
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import submit, take

pytestmark = pytest.mark.gen_test(timeout=30)
ANN = Actor("ann")


async def concerns_of(browser: Browser) -> list[str]:
    """Each thing to look at, as a reader hears it."""
    page = (await browser.page("/")).replace("\u00a0", " ")
    found = re.search(r'<ul class="concerns">(.*?)</ul>', page, re.DOTALL)
    items = re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL) if found else []
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", item)).strip() for item in items]


async def paused(house: House, *names: str) -> list[str]:
    """Workers for faxes that an operator has paused; their ids."""
    ids = [str((await house.register(f"s-{name}", "fax", name=name))["worker"]) for name in names]
    for worker_id in ids:
        await house.dispatcher.orders.pause(worker_id, "lunch", actor=ANN)
    return ids


async def test_all_is_well_is_one_line(browser: Browser, house: House) -> None:
    await house.register("s1", "fax")
    page = await browser.page("/")
    assert "All is well. 1 worker ready, no job was done in the last hour, no job waits." in page
    assert await concerns_of(browser) == []


async def test_a_press_resumes_a_worker_that_an_operator_has_paused_and_leads_back(
    browser: Browser, house: House
) -> None:
    first, second = await paused(house, "A", "B")
    await submit(house, type="fax")
    await house.pass_time(130.0)
    [told] = await concerns_of(browser)
    kept = "every worker that offers it is paused. Resume A Resume B Resume both…"
    assert told == f"1 job of type fax waits for 2 min: {kept}"
    answer = await browser.post(f"/workers/{first}/resume", {"back": "overview"}, "/")
    assert (answer.code, answer.headers["Location"]) == (303, "/")
    assert await concerns_of(browser) == []
    answer = await browser.post(f"/workers/{second}/resume", {}, f"/workers/{second}")
    assert answer.headers["Location"] == f"/workers/{second}", "from its own page"


async def test_a_press_resumes_the_one_worker_that_a_job_is_for(browser: Browser, house: House) -> None:
    await paused(house, "A")
    await house.register("s2", "fax", name="B")
    await submit(house, type="fax", requires=requirement_of({"name": "A"}))
    [told] = await concerns_of(browser)
    assert told == ("1 job of type fax, for A, waits: the only worker that matches is paused by ann: lunch. Resume A")


async def test_many_paused_workers_have_one_press_for_all_that_counts_them(browser: Browser, house: House) -> None:
    await paused(house, "A", "B", "C", "D")
    await house.register("other", "mail", name="E")
    await submit(house, type="fax")
    [told] = await concerns_of(browser)
    assert told == "1 job of type fax waits: every worker that offers it is paused. Resume all of them…"
    page = await browser.page("/")
    assert 'href="/workers?type=fax"' in page
    [form] = re.findall(r'<form class="inline" method="post" action="/workers/act">.*?</form>', page, re.S)
    fields = dict(re.findall(r'name="(action|filter)" value="([^"]*)"', form))
    answer = await browser.post("/workers/act", {name: unescape(value) for name, value in fields.items()}, "/")
    assert "4 workers" in await browser.page(answer.headers["Location"])


async def test_a_worker_that_its_own_page_has_paused_has_no_press(browser: Browser, house: House) -> None:
    await house.register("s1", "fax", name="A")
    await house.say("s1", op="pause")
    await submit(house, type="fax")
    assert (await concerns_of(browser))[0].endswith("is paused.")


async def test_a_press_lets_the_jobs_of_a_paused_type_run_again(browser: Browser, house: House) -> None:
    await house.register("s1", "fax")
    await house.dispatcher.types.pause("fax", "no paper", actor=ANN)
    await submit(house, type="fax")
    assert await concerns_of(browser) == [
        "1 job of type fax waits: the type is paused by ann: no paper. Let its jobs run again"
    ]
    answer = await browser.post("/types/fax/resume", {"back": "overview"}, "/")
    assert (answer.code, answer.headers["Location"]) == (303, "/")
    assert await concerns_of(browser) == []


async def test_a_type_that_nobody_has_offered_leads_to_a_worker_page_for_it(browser: Browser, house: House) -> None:
    await submit(house, type="fax")
    assert await concerns_of(browser) == [
        "1 job of type fax waits: no worker has ever offered it. Open a worker page for it"
    ]
    assert 'href="/worker?types=fax"' in await browser.page("/")


async def test_a_type_that_fails_is_told_with_its_commonest_error(browser: Browser, house: House) -> None:
    for number in range(6):
        tried = await take(house, await submit(house, f"f{number}", type="fax"), f"D{number}")
        await tried.error(message="out of toner" if number == 3 else f"line {number} is busy", retry=False)
    assert await concerns_of(browser) == [
        "6 of 6 jobs of type fax failed in the last 15 min, most often with: line # is busy. Run them again…"
    ]


async def test_jobs_whose_task_no_page_could_load_are_told_with_the_reason_and_without_a_button_that_cannot_help(
    browser: Browser, house: House
) -> None:
    bad = {"unloaded": {"fax": "E-TSK-01: line 3: Unexpected token"}}
    await house.register("s1", "echo", name="KASSE-1", **bad)
    await submit(house, type="fax")
    await house.pass_time(130.0)
    why = "the only page could not load the task: E-TSK-01: line 3: Unexpected token (KASSE-1)."
    assert await concerns_of(browser) == [f"1 job of type fax waits for 2 min: {why}"]
    assert '<a href="/types/fax">1 job of type fax' in await browser.page("/")


async def test_a_task_that_some_pages_could_not_load_is_told_until_they_are_loaded_anew_without_the_fault(
    browser: Browser, house: House
) -> None:
    bad = {"unloaded": {"fax": "E-TSK-01: line 3: Unexpected token"}}
    one = await house.register("s1", "echo", name="KASSE-1", **bad)
    await house.register("s2", "fax", name="KASSE-2")
    await house.pass_time(130.0)
    why = "E-TSK-01: line 3: Unexpected token (KASSE-1)."
    assert await concerns_of(browser) == [f"1 of 2 pages could not load the task fax for 2 min: {why}"]
    await house.register("s3", "echo", "fax", **{key: one[key] for key in ("worker", "secret")}, after="boot-s1")
    assert await concerns_of(browser) == []


async def test_one_paused_worker_that_offers_several_types_is_one_thing_with_an_age_and_a_button(
    browser: Browser, house: House
) -> None:
    one = await house.register("s1", "fax", "mail", "spin", name="A")
    await house.dispatcher.orders.pause(str(one["worker"]), "lunch", actor=ANN)
    await house.pass_time(130.0)
    assert await concerns_of(browser) == ["Every worker that offers fax, mail, spin is paused for 2 min. Resume A"]
    await submit(house, type="spin")
    assert await concerns_of(browser) == ["1 job of type spin waits: every worker that offers it is paused. Resume A"]
    await house.register("s2", "copy", name="B")
    await house.say("s2", op="pause")
    assert (await concerns_of(browser))[1:] == ["Every worker that offers copy is paused."]


async def test_jobs_whose_only_worker_is_stuck_are_told_with_a_button_that_loads_its_page_anew(
    browser: Browser, house: House
) -> None:
    tried = await take(house, await submit(house, "hung", type="spin"), "KASSE-1")
    await tried.say("accept")
    await submit(house, "next", type="spin")
    await house.dispatcher.cancel("hung", "enough")
    await house.pass_time(9.0)
    assert await concerns_of(browser) == [], "a task that is told to stop may take a moment"
    await house.pass_time(21.0)
    stuck = "its only worker KASSE-1 is stuck in a task that is over and does not stop."
    assert await concerns_of(browser) == [f"1 job of type spin waits for 30 s: {stuck} Load the page of KASSE-1 anew"]
    [worker] = house.dispatcher.workers().items
    answer = await browser.post(f"/workers/{worker.id}/reload-now", {"back": "overview"}, "/")
    assert (answer.code, answer.headers["Location"]) == (303, "/")
    assert {"op": "reload"} in await house.hear(tried.sid)
    await tried.say("released", reason="cancelled")
    assert await concerns_of(browser) == []
