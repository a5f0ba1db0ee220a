"""The page of one worker, and its buttons."""

from __future__ import annotations

import re

import pytest

from dispatcher.access.acts import Actor
from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=30)


async def test_the_list_leads_to_the_page_whose_buttons_pause_and_resume(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    assert f'href="{address}"' in await browser.page("/workers")
    pressed = await browser.post(f"{address}/pause", {"reason": "lunch <b>"}, address)
    assert (pressed.code, pressed.headers["Location"]) == (303, address)
    page = await browser.page(address)
    assert "Paused by console: lunch &lt;b&gt;" in page
    assert "Let it have jobs again" in page
    assert "Paused by console: &quot;lunch &lt;b&gt;&quot;</span>" in await browser.page("/workers")
    await browser.post(f"{address}/resume", {}, address)
    assert "Let it have jobs again" not in await browser.page(address)


async def test_the_page_of_a_drained_worker_says_what_brings_it_back_until_it_is_back(
    browser: Browser, house: House
) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    await browser.post(f"{address}/drain", {"reason": "moving"}, address)
    page = await browser.page(address)
    assert "Drained by console: moving" in page
    assert "its page stops when it has nothing to do. “Let it have jobs again” ends that." in page
    await house.say("s1", op="bye")
    page = await browser.page(address)
    assert "its page has left. “Let it have jobs again” ends that. If its page says STOPPED, somebody there" in page
    await house.pass_time(house.settings.store_check_s)  # now its diary tells of it
    await browser.post(f"{address}/resume", {}, address)
    page = await browser.page(address)
    assert "Let it have jobs again" not in page
    assert "If its page says STOPPED, press “Reconnect now” there." in page


async def test_a_worker_s_connections_are_counted_since_it_was_last_gone(browser: Browser, house: House) -> None:
    known = await house.register("s1", "echo", name="desk")
    again = {"worker": known["worker"], "secret": known["secret"], "name": "desk"}
    for sid in ("s2", "s3"):
        await house.register(sid, "echo", boot="boot-2", after="boot-s1", **again)
    address = f"/workers/{known['worker']}"
    assert "<p>3 connections since it was last gone, or since the server started." in await browser.page(address)
    await house.say("s3", op="bye")
    await house.register("s4", "echo", **again)
    assert "<p>1 connection since it was last gone, or since the server started." in await browser.page(address)


async def test_the_list_cuts_a_long_reason_and_has_it_whole_in_the_title(browser: Browser, house: House) -> None:
    worker = (await house.register("s1", "echo", name="desk"))["worker"]
    await house.dispatcher.orders.pause(worker, "w" * 200, actor=Actor("anna"))
    page = await browser.page("/workers")
    assert f'title="Paused by anna: &quot;{"w" * 200}&quot;">Paused by anna: &quot;{"w" * 59}…&quot;</span>' in page


@pytest.mark.parametrize("order", ["resume", "reload", "reload-now", "drain", "block", "unblock"])
async def test_the_reason_of_each_button_stands_among_the_acts(browser: Browser, house: House, order: str) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    await browser.post(f"{address}/pause", {"reason": "lunch"}, address)
    await browser.post(f"{address}/{order}", {"reason": "because of <ann>"}, address)
    assert "because of &lt;ann&gt;</span></td></tr>" in await browser.page(address)


async def test_an_order_that_is_refused_keeps_the_reason_that_was_typed(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'own', name='desk'))['worker']}"
    here = await browser.post(f"{address}/forget", {"reason": "scrapped"}, address)
    assert (here.code, here.body.decode().count('value="scrapped"')) == (409, 1)
    said = {"type": "print-label", "reason": "a new printer"}
    assert (await browser.post(f"{address}/test", said, address)).code == 409
    wrong = {"name": "", "note": "", "labels": "berlin", "reason": "it moved"}
    refused = await browser.post(f"{address}/describe", wrong, address)
    assert (refused.code, refused.body.decode().count('value="it moved"')) == (422, 1)


async def test_a_blocked_worker_keeps_its_page_until_it_is_unblocked(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    await browser.post(f"{address}/block", {"reason": "not ours"}, address)
    assert "Blocked by console: not ours" in await browser.page(address)
    pressed = await browser.post(f"{address}/unblock", {}, address)
    assert (pressed.code, pressed.headers["Location"]) == (303, address), "it was here, and is known for a while"


async def test_the_buttons_reload_a_page_that_is_there(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    await browser.post(f"{address}/reload", {}, address)
    await browser.post(f"{address}/reload-now", {}, address)
    assert await house.hear("s1") == [{"op": "reload", "idle": True}, {"op": "reload"}]
    assert "loads anew when it has nothing to do" in await browser.page(address)
    house.pages.ended("s1", house.clock.monotonic())
    late = await browser.post(f"{address}/reload", {}, address)
    assert (late.code, "is not connected" in late.body.decode()) == (409, True)


async def test_an_administrator_names_a_worker_and_gives_it_a_note_and_labels(browser: Browser, house: House) -> None:
    told = await house.register("s1", "echo", name="desk", labels={"floor": "2", "site": "rome"})
    address = f"/workers/{told['worker']}"
    wanted = {"name": "FRONT", "note": "by the\r\n<door>", "labels": "site:berlin\r\n\r\nprinter: zebra"}
    wanted["reason"] = "it moved"
    pressed = await browser.post(f"{address}/describe", wanted, address)
    assert (pressed.code, pressed.headers["Location"]) == (303, address)
    view = (await house.dispatcher.orders.one(told["worker"])).shown
    assert (view.name, view.labels) == ("FRONT", {"floor": "2", "site": "berlin", "printer": "zebra"})
    heard = [(m["op"], m["name"], m["labels"]) for m in await house.hear("s1")]
    assert heard == [("registered", "FRONT", view.labels)], "its page shows them"
    page = await browser.page(address)
    assert 'value="FRONT"' in page
    assert "by the\n&lt;door&gt;</p>" in page
    assert ">printer:zebra\nsite:berlin</textarea>" in page
    assert "it moved. name: FRONT; note: by the\n&lt;door&gt;; label printer: zebra; label site: berlin</span>" in page
    await browser.post(f"{address}/describe", {"name": "", "note": "", "labels": "printer:zebra"}, address)
    view = (await house.dispatcher.orders.one(told["worker"])).shown
    assert (view.name, view.labels) == ("desk", {"floor": "2", "site": "rome", "printer": "zebra"})


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ("berlin", "line 1: write a label and its value"),
        ("site:a\nsite:b", "a worker has one site"),
        ("name:FRONT", "the name is a field of its own"),
    ],
)
async def test_what_is_wrong_with_its_labels_is_said_and_what_was_typed_stays(
    browser: Browser, house: House, labels: str, why: str
) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    answer = await browser.post(f"{address}/describe", {"name": "FRONT", "note": "", "labels": labels}, address)
    page = answer.body.decode()
    assert (answer.code, why in page, 'value="FRONT"' in page) == (422, True, True)
    assert f">{labels}</textarea>" in page


async def test_a_job_for_one_worker_is_a_click_away(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk 1'))['worker']}"
    assert 'href="/submit?worker=desk+1&amp;type=echo"' in await browser.page(address)
    page = await browser.page("/submit?worker=desk+1&type=echo")
    assert 'value="desk 1"' in page
    assert 'value="echo"' in page


async def test_a_worker_that_will_not_come_back_is_forgotten_with_a_button(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    await browser.post(f"{address}/pause", {"reason": "broken"}, address)
    assert "Forget it" not in await browser.page(address)
    early = await browser.post(f"{address}/forget", {}, address)
    assert (early.code, "the worker is here" in early.body.decode()) == (409, True)
    await house.say("s1", op="bye")
    await house.pass_time(house.settings.store_check_s)
    assert "Forget it" in await browser.page(address)
    pressed = await browser.post(f"{address}/forget", {}, address)
    assert (pressed.code, pressed.headers["Location"]) == (303, "/workers")
    assert "desk" not in await browser.page("/workers")


async def test_it_shows_who_has_paused_the_worker_and_that_the_person_at_the_page_has_resumed_it(
    browser: Browser, house: House
) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    assert "What people and programs have done to it" not in await browser.page(address)
    await browser.post(f"{address}/pause", {"reason": "printer <broken>"}, address)
    [told] = await house.hear("s1")
    await house.say("s1", op="resume", held_since_ms=told["since_ms"])
    assert await eventually(lambda: house.told.get("s1"), what="the hold ends")
    page = await browser.page(address)
    assert "Let it have jobs again" not in page
    rows = re.findall('data-label="What">([^<]+)</td>.*?title="([^"]*)".*?class="said">([^<]*)<', page)
    assert rows == [
        ("Resumed", "worker desk", "by the person at the page"),
        ("Paused", "console", "printer &lt;broken&gt;"),
    ]


async def test_a_page_that_stood_still_beyond_a_lease_is_no_riddle(browser: Browser, house: House) -> None:
    told = await house.register("s1", "echo", name="desk")
    address, known = f"/workers/{told['worker']}", {"worker": told["worker"], "secret": told["secret"]}
    await house.submit(id="slow", heartbeat_s=30.0, max_crashes=0)
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.pass_time(31.0)
    assert (await house.dispatcher.job("slow")).state == "failed", "a lease is no longer for that"
    said = {"stood_still_ms": 40_000, "stood_still_ago_ms": 2_000, "hidden_for_ms": 3_600_000, "slow_timers": True}
    again = known | {"boot": "boot-s1", "holding": [{"attempt": offer["attempt"]}], "page": said}
    await house.register("s2", "echo", **again)
    await house.say("s2", op="log", attempt=offer["attempt"], line="the page stood still for 40 s")
    assert [line.line for line in (await house.dispatcher.job("slow")).log] == ["the page stood still for 40 s"]
    page = await browser.page(address)
    assert "Its page stood still for 40.0\u00a0s, until <time" in page
    assert "Its page is in the background since <time" in page
    assert "The timers of its page come late" in page
    await house.register("s3", "echo", **(again | {"page": {}}))
    page = await browser.page(address)
    assert "stood still for" not in page
    assert "in the background" not in page


async def test_a_worker_that_has_gone_has_a_page_to_which_the_list_leads(browser: Browser, house: House) -> None:
    told = await house.register("s1", "echo", name="desk", labels={"site": "bonn"})
    address = f"/workers/{told['worker']}"
    await house.submit("echo")
    [offer] = await house.hear("s1")
    await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    await browser.post(f"{address}/pause", {"reason": "printer broken"}, address)
    await house.say("s1", op="bye")
    await house.pass_time(house.settings.store_check_s)
    assert f'href="{address}"' in await browser.page("/workers?state=gone")
    page = await browser.page(address)
    facts = ("It has not been here since", "Paused by console: printer broken", "site:bonn", "Went away", "Connected")
    for words in facts:
        assert words in page
    assert "printer broken" in await browser.page("/workers/name%3Adesk")
    assert ("busy in 1" in page, '"Done today">1<' in page, '"Failed tries today">0<' in page) == (True, True, True)
    forgotten = await browser.post(f"{address}/forget", {}, address)
    assert (forgotten.code, forgotten.headers["Location"]) == (303, "/workers")


async def test_of_one_of_which_only_the_name_is_known_the_page_says_so(browser: Browser, house: House) -> None:
    house.store.names.went("TILL/1 <b>", house.clock.utc(), 0.0)  # as an older version has left it
    assert 'href="/workers/name:TILL%2F1%20%3Cb%3E"' in await browser.page("/workers")
    page = await browser.page("/workers/name:TILL%2F1%20%3Cb%3E")
    assert "Nothing but its name is known" in page
    assert "Forget it" in page
    assert "Pause" not in page
    pressed = await browser.post("/workers/name:TILL%2F1%20%3Cb%3E/forget", {}, "/workers/name:TILL%2F1%20%3Cb%3E")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/workers")


async def test_a_test_job_has_the_example_of_a_task_and_goes_to_this_worker_alone(
    browser: Browser, house: House
) -> None:
    await house.register("s0", "print-label", name="other")
    address = f"/workers/{(await house.register('s1', 'print-label', 'own', name='desk'))['worker']}"
    page = await browser.page(address)
    assert re.findall(r'<option value="([^"]*)">', page) == ["print-label"]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)) | {"type": "print-label"}
    fields["reason"] = "a new <printer>"
    sent = await browser.post(f"{address}/test", fields, address)
    [offer] = [told for told in await house.hear("s1") if told["op"] == "job"]
    assert (sent.code, sent.headers["Location"]) == (303, f"/jobs/{offer['id']}")
    assert offer["data"] == {"order": 7, "copies": 1}
    again = await browser.post(f"{address}/test", fields, address)
    assert again.headers["Location"] == sent.headers["Location"], "a double click sends one"
    assert "Test job: a new &lt;printer&gt;" in await browser.page(sent.headers["Location"])
    assert '<td data-label="What">Sent a test job</td>' in await browser.page(address)


async def test_a_worker_without_such_a_task_says_so(browser: Browser, house: House) -> None:
    page = await browser.page(f"/workers/{(await house.register('s1', 'own', name='desk'))['worker']}")
    assert "None of its tasks comes with an example" in page
    assert "Send a test job" not in page
