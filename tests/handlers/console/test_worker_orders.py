"""Orders for many workers, from the buttons below the list to what was done."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from dispatcher.core.jobs.model import JobFilter, WorkerFilter
from tests.handlers.conftest import Browser
from tests.handlers.console.test_orders import say_yes, text_of
from tests.support.forms import hidden
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=60)


async def press(browser: Browser, action: str, ticked: list[str] | None = None, **asked: str) -> str:
    """Presses a button below the list with this filter, or with these ticked; the path of the order's page."""
    address = "/workers?tick=1" if ticked else f"/workers?{urlencode(asked)}"
    fields: dict[str, str | list[str]] = {"only": "ticked", "id": ticked or []}
    if not ticked:
        fields = {"filter": hidden(await browser.page(address))["filter"]}
    pressed = await browser.post("/workers/act", {"action": action, **fields}, address)
    assert pressed.code == 303, pressed.body
    return str(pressed.headers["Location"])


def paused(house: House) -> list[str]:
    return sorted(one.name for one in house.dispatcher.machine.workers.values() if one.held)


async def test_workers_that_a_filter_finds_are_counted_then_paused_and_taken_back(
    browser: Browser, house: House
) -> None:
    for name in ("A-1", "A-2", "B"):
        await house.register(name, "sum", name=name)
    assert "Pause…" not in await browser.page("/workers"), "all workers are not meant by chance"
    counted = await press(browser, "pause", name="A-")
    seen = text_of(await browser.page(counted))
    assert "Pause: 2 workers" in seen
    assert "2 workers are like that. Nothing has been changed yet." in seen
    assert paused(house) == []
    done = await say_yes(browser, counted, reason="paint <b>")
    seen = text_of(await browser.page(done))
    assert "Done: 2 workers. Reason: paint &lt;b&gt;" in seen
    assert paused(house) == ["A-1", "A-2"]
    again = await browser.post(f"{done}/undo", {}, done)
    await say_yes(browser, str(again.headers["Location"]))
    assert paused(house) == []
    assert "workers, by id" in text_of(await browser.page("/operations"))


async def test_ticked_workers_alone_are_meant_and_one_that_has_gone_is_found_by_its_name_too(
    browser: Browser, house: House
) -> None:
    for name in ("A", "B", "C"):
        await house.register(name, "sum", name=name)
    await house.say("B", op="bye")
    await house.pass_time(house.settings.store_check_s)
    page = await browser.page("/workers?tick=1&refresh=5")
    assert page.count('type="checkbox" name="id"') == 3
    [gone] = await house.store.names.missing()
    assert f'value="{gone.worker}"' in page
    assert "data-refresh-s" not in page
    here = next(one.id for one in house.dispatcher.machine.workers.values() if one.name == "A")
    counted = await press(browser, "forget", ["name:B", here])
    assert "stand in no list any more" in text_of(await browser.page(counted))
    done = text_of(await browser.page(await say_yes(browser, counted)))
    assert "Done: 1 worker." in done
    assert "1 worker: in a state that does not allow it." in done
    assert ">B<" not in await browser.page("/workers")


async def test_of_very_many_the_number_must_be_typed(browser: Browser, house: House) -> None:
    for number in range(101):
        house.enlist(f"s{number}", "sum", name=f"DESK-{number}")
    counted = await press(browser, "drain", name="DESK-")
    assert "Type 101 to go on" in text_of(await browser.page(counted))
    refused = await browser.post(f"{counted}/go", {"count": "100"}, counted)
    assert (refused.code, "all of these workers" in refused.body.decode()) == (422, True)
    await say_yes(browser, counted, count="101")
    assert len(paused(house)) == 101


@pytest.mark.parametrize("fields", [{"action": "dance"}, {"action": "pause"}, {"action": "pause", "only": "ticked"}])
async def test_a_form_that_means_nobody_is_refused(browser: Browser, house: House, fields: dict[str, str]) -> None:
    await house.register("A", "sum", name="A")
    assert (await browser.post("/workers/act", fields, "/workers?tick=1")).code == 400


async def test_many_get_labels_and_the_page_says_before_what_becomes_of_the_others(
    browser: Browser, house: House
) -> None:
    for name in ("A-1", "A-2"):
        await house.register(name, "sum", name=name, labels={"floor": "2"})
    counted = await press(browser, "labels", name="A-")
    seen = text_of(await browser.page(counted))
    assert "Change the labels: 2 workers" in seen
    assert "All its other labels stay." in seen
    for given, taken_back, why in (
        ("bonn", "", "write a label and its value"), ("", "", "a label to set, or one to take back"),
        ("site:a", "site", "cannot be set and taken back at once"), ("", "a b", "the name of a label has"),
        ("name:X", "", "for one worker alone"),
    ):  # fmt: skip
        typed = {"labels": given, "unset": taken_back, "reason": "they moved"}
        refused = await browser.post(f"{counted}/go", typed, counted)
        page = refused.body.decode()
        assert (refused.code, why in page, f">{given}</textarea>" in page, 'value="they moved"' in page) == (
            422, True, True, True,
        ), why  # fmt: skip
    done = await say_yes(browser, counted, labels="site:bonn\r\nprinter: zebra", unset="floor\r\n", reason="they moved")
    seen = text_of(await browser.page(done))
    for words in ("Done: 2 workers.", "Reason: they moved", "site:bonn", "printer:zebra", "floor taken back"):
        assert words in seen
    workers = [one.labels for one in (await house.dispatcher.known_workers(WorkerFilter())).items]
    assert workers == [{"floor": "2", "printer": "zebra", "site": "bonn"}] * 2
    assert "Undo" not in seen


async def test_many_get_a_test_job_each_and_the_page_leads_to_them(browser: Browser, house: House) -> None:
    ids = [(await house.register(name, "print-label", name=name))["worker"] for name in ("A", "B")]
    counted = await press(browser, "test", ids)
    page = await browser.page(counted)
    assert "runs for real" in page
    assert re.findall(r'<option value="([^"]*)">', page) == ["", "print-label", "thumbnail"]
    done = await say_yes(browser, counted, type="", reason="a new driver")
    await say_yes(browser, counted, type="", reason="a new driver")
    assert f'<a href="/jobs?tag={done.rpartition("/")[2]}">their test jobs</a>' in await browser.page(done)
    jobs = (await house.dispatcher.jobs(JobFilter())).items
    assert [job.about.summary for job in jobs] == ["Test job: a new driver"] * 2, "pressed twice, each gets one"
