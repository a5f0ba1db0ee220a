"""The flight record says what people did to a job's type and to the workers that had it: who, when and why."""

from __future__ import annotations

import pytest

from dispatcher.access.acts import Actor, AuditEntry, AuditNote
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder, WorkerAction
from dispatcher.core.jobs.model import WorkerFilter
from handlers.console.acts import ACTS
from handlers.record.acts import AROUND_S, MOST_ACTS, act_words
from tests.handlers.conftest import Browser
from tests.handlers.record.test_page import rows_of
from tests.support.house import House
from tests.support.scenes import Try, submit, take

pytestmark = pytest.mark.gen_test(timeout=30)
ANNA = Actor("anna (console)")
V1, V2 = "aaaaaaaaaaaa-1764493200", "bbbbbbbbbbbb-1764493230"


async def running(house: House, id: str = "bad", **page: object) -> tuple[Try, str]:
    """A job that runs on DESK-1, and the id of that worker."""
    tried = await take(house, await submit(house, id, type="label"), "DESK-1", **page)
    await tried.say("accept")
    return tried, next(one.id for one in house.dispatcher.workers(WorkerFilter()).items if one.name == "DESK-1")


async def rows(browser: Browser, path: str = "/jobs/bad/record") -> list[str]:
    return rows_of(await browser.page(path))


async def test_what_was_done_to_its_worker_stands_between_its_other_rows(browser: Browser, house: House) -> None:
    tried, desk = await running(house)
    orders = house.dispatcher.orders
    await house.pass_time(1.0)
    await orders.pause(desk, "paper jam in tray 2", actor=ANNA)
    await orders.pause(desk, "goes home, pin 9981", actor=ANNA, leaves=True)
    await orders.describe(desk, actor=ANNA, wanted='{"name":"DESK-9","labels":{"site":"berlin"}}', name="DESK-9")
    await orders.reload(desk, actor=ANNA)
    await orders.resume(desk, actor=ANNA)
    await house.pass_time(1.0)
    await tried.say("error", message="no paper", retry=False)
    await house.pass_time(1.0)
    await orders.block(desk, "stolen", actor=ANNA)
    await orders.unblock(desk, actor=ANNA)
    found = await rows(browser)
    begin = found.index("DESK-1 Started it (try 1)")
    assert [row for row in found[begin:] if row.startswith(("anna", "DESK-1 Error"))] == [
        "anna (console) Paused DESK-1 paper jam in tray 2",
        "anna (console) Drained DESK-1 goes home, pin •••",
        'anna (console) Changed DESK-1 {"name":"DESK-9","labels":{"site":"berlin"}}',
        "anna (console) Had the page of DESK-1 reloaded",
        "anna (console) Let DESK-1 have jobs again",
        "DESK-1 Error (try 1) no paper",
        "anna (console) Blocked DESK-1 stolen",
        "anna (console) Unblocked DESK-1",
    ]


async def test_what_was_done_to_its_type_and_to_all_stands_there_too(browser: Browser, house: House) -> None:
    await running(house)
    types, access = house.dispatcher.types, house.dispatcher.access
    for name in ("label", "*", "scan"):
        await types.pause(name, f"no {name}", actor=ANNA)
        await types.resume(name, actor=ANNA)
    for detail in (V1, f"{V2} was {V1}", f"{V2} was {V1}"):
        access.note(AuditNote(Actor("server"), "task.version", "label", detail))
    await house.pass_time(1.0)
    assert [row for row in await rows(browser) if row.startswith(("anna", "server"))] == [
        "anna (console) Paused the type label no label",
        "anna (console) Resumed the type label",
        "anna (console) Paused all types no *",
        "anna (console) Resumed all types",
        "server Has another version of the task: bbbbbbbbbbbb of 2025-11-30 09:00 UTC, before that aaaaaaaaaaaa of "
        "2025-11-30 09:00 UTC",
    ]


async def test_orders_for_many_workers_stand_there_and_say_that_they_may_be_for_others(
    browser: Browser, house: House
) -> None:
    _, desk = await running(house)
    order = OperationOrder(action=WorkerAction.PAUSE, ids=(desk,), reason="paper jam", actor=ANNA)
    operations = house.dispatcher.operations
    await operations.wait(operations.begin(order).id, 5.0)
    labels = OperationOrder(action=WorkerAction.LABELS, ids=(desk,), labels=(("site", "bonn"),), actor=ANNA)
    await operations.wait(operations.begin(labels).id, 5.0)
    house.dispatcher.access.note(AuditNote(ANNA, "rollout.begin", "", '{"at_a_time":5,"reason":"new labels"}'))
    await house.pass_time(1.0)
    found = await rows(browser)
    assert "anna (console) Paused 1 worker by one order (its own may be among them) paper jam" in found
    assert "anna (console) Changed the labels of 1 worker by one order (its own may be among them)" in found
    assert "anna (console) Began a rollout: pages with old tasks load anew new labels" in found


async def test_an_order_for_many_jobs_stands_there_if_it_was_for_this_one_too(browser: Browser, house: House) -> None:
    await running(house)
    await submit(house, "other", type="scan")
    operations = house.dispatcher.operations
    for ids in (("bad", "other"), ("other",)):
        order = OperationOrder(action=OperationAction.CANCEL, ids=ids, reason="wrong jobs", actor=ANNA)
        await operations.wait(operations.begin(order).id, 5.0)
    assert [row for row in await rows(browser) if row.startswith("anna")] == [
        "anna (console) Cancelled: one order for 2 jobs wrong jobs"
    ]
    page = await browser.page("/jobs/bad/record")
    assert "It was cancelled by anna (console): wrong jobs." in page.replace("\u00a0", " ")


async def test_two_jobs_side_by_side_show_with_which_version_each_ran(browser: Browser, house: House) -> None:
    for id, version in (("good", V1), ("bad", V2)):
        tried, _ = await running(house, id, versions={"label": version})
        await (tried.result("1") if id == "good" else tried.error("no paper", retry=False))
    page = await browser.page("/jobs/bad/record?beside=good")
    bad, good = page.split("<section>")[1:]
    assert "DESK-1 Started it (try 1), with the task bbbbbbbbbbbb of 2025-11-30 09:00 UTC" in rows_of(bad)
    assert "DESK-1 Started it (try 1), with the task aaaaaaaaaaaa of 2025-11-30 09:00 UTC" in rows_of(good)


async def test_acts_long_before_or_after_it_and_on_others_are_left_out(browser: Browser, house: House) -> None:
    first, desk = await running(house, "first")
    other = await take(house, await submit(house, "other", type="scan"), "DESK-2")
    await house.dispatcher.orders.pause(desk, "long before", actor=ANNA)
    await house.dispatcher.orders.resume(desk, actor=ANNA)
    await first.result("1")
    await house.pass_time(AROUND_S + 1.0)
    tried, desk = await running(house)
    await other.say("accept")
    second = next(one.id for one in house.dispatcher.workers(WorkerFilter()).items if one.name == "DESK-2")
    await house.dispatcher.orders.pause(second, "another worker", actor=ANNA)
    await tried.say("error", message="no paper", retry=False)
    await house.pass_time(AROUND_S - 1.0)
    await house.dispatcher.orders.pause(desk, "soon after", actor=ANNA)
    await house.pass_time(2.0)
    await house.dispatcher.orders.resume(desk, actor=ANNA)
    assert [row for row in await rows(browser) if row.startswith("anna")] == ["anna (console) Paused DESK-1 soon after"]


async def test_only_the_newest_acts_are_told_and_how_many_more_there_are(browser: Browser, house: House) -> None:
    _, desk = await running(house)
    house.dispatcher.access.note(AuditNote(ANNA, "job.retry", "bad"))
    for _ in range(MOST_ACTS - 10):
        house.dispatcher.access.note(AuditNote(ANNA, "worker.reload", desk))
    for number in range(30):
        house.dispatcher.access.note(AuditNote(ANNA, "type.pause", "label", f"pause {number}"))
    await house.pass_time(1.0)
    page = await browser.page("/jobs/bad/record")
    told = [row for row in rows_of(page) if row.startswith("anna")]
    assert (len(told), told[-1]) == (1 + MOST_ACTS, "anna (console) Paused the type label pause 29")
    assert told[0] == "anna (console) Had it run again", "what was done to the job itself is told"
    assert "20 older acts of these can be found in the audit log alone." in page.replace("\u00a0", " ")
    for _ in range(11):
        house.dispatcher.access.note(AuditNote(ANNA, "worker.reload", desk))
    await house.pass_time(1.0)
    page = await browser.page("/jobs/bad/record")
    assert "30 older acts or more of these can be found in the audit log alone." in page.replace("\u00a0", " ")


def act(action: str, detail: str = "", target: str = "w-1") -> AuditEntry:
    return AuditEntry(at=0.0, actor=ANNA, action=action, target=target, detail=detail)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (act("worker.pause", "jam"), ("Paused DESK-1", "jam")),
        (act("worker.pause", target="w-2"), ("Paused w-2", "")),
        (
            act("workers.drain", '{"matched":12,"filter":{},"reason":"moving"}'),
            ("Drained 12 workers by one order (its own may be among them)", "moving"),
        ),
        (
            act("workers.resume", '{"matched":12,"filter":{"la'),
            ("Let many workers have jobs again by one order (its own may be among them)", ""),
        ),
        (
            act("job.change", '{"priority":3,"tags":["Anna"],"was":{"priority":0,"tags":["Berta"]},"reason":"late"}'),
            ("Changed", "priority 0 → 3, tags •••: late"),
        ),
        (act("job.change", '{"tags":["Anna"]}'), ("Changed", "tags •••")),
        (act("job.change", '{"priority":3}'), ("Changed", "priority 3")),
        (act("jobs.cancel", '{"matched":40,"reason":"wrong"}'), ("Cancelled: one order for 40 jobs", "wrong")),
        (act("job.change", '{"tags":["Anna","Be'), (ACTS["job.change"], "•••")),
        (act("job.cancel", "not wanted"), ("Cancelled", "not wanted")),
    ],
)
def test_an_act_in_words(one: AuditEntry, words: tuple[str, str]) -> None:
    assert act_words(one, {"w-1": "DESK-1"}) == words


@pytest.mark.parametrize("action", [name for name in ACTS if name.startswith("worker.")])
def test_each_act_on_a_worker_has_words(action: str) -> None:
    assert "DESK-1" in act_words(act(action), {"w-1": "DESK-1"})[0]
