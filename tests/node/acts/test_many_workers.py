"""One order for many workers: each of them once, a slice at a time, and nobody else is held up."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import OperationOrder, OperationState, OperationView, WorkerAction
from dispatcher.core.jobs.model import JobFilter, WorkerFilter
from dispatcher.core.jobs.terms import MOST_LABELS
from tests.support.house import House
from tests.support.jobs import spec

pytestmark = pytest.mark.gen_test(timeout=60)

ANN = Actor("ann", "", "10.0.0.1")


async def farm(*names: str) -> House:
    """A server with a connected worker of each name."""
    house = await House().start()
    for name in names:
        await house.register(name, "sum", name=name, labels={"site": name[0]})
    return house


async def ended(house: House, action: WorkerAction, wanted: WorkerFilter | None = None, **given: Any) -> OperationView:
    """What becomes of it."""
    order = OperationOrder(action=action, wanted=wanted, actor=ANN, **given)
    return await house.dispatcher.operations.wait(house.dispatcher.operations.begin(order).id, 30.0)


def held(house: House) -> list[str]:
    return sorted(one.name for one in house.dispatcher.machine.workers.values() if one.held)


def id_of(house: House, name: str) -> str:
    return next(one.id for one in house.dispatcher.machine.workers.values() if one.name == name)


async def leave(house: House, *names: str) -> None:
    for name in names:
        await house.say(name, op="bye")
    await house.pass_time(house.settings.store_check_s)


async def acts(house: House) -> list[tuple[str, str]]:
    return [(act.action, act.target) for act in (await house.dispatcher.access.acts(AuditFilter())).items]


async def test_all_that_match_are_paused_in_few_turns_and_the_audit_log_has_one_line() -> None:
    house = await House().start()
    for number in range(130):
        house.enlist(f"s{number}", "sum", name=f"DESK-{number}", labels=(("site", "ulm"),))
    house.enlist("other", "sum", name="OTHER")
    await house.dispatcher.idle()
    turns = len(house.store.reports)
    wanted = WorkerFilter(label="site:ulm")
    done = await ended(house, WorkerAction.PAUSE, wanted, reason="paint", expect=130)
    assert (done.state, done.matched, done.done, done.skipped) == (OperationState.DONE, 130, 130, {})
    assert len(held(house)) == 130
    assert "OTHER" not in held(house)
    hold = house.dispatcher.machine.workers[id_of(house, "DESK-7")].held
    assert hold is not None
    assert (hold.by, hold.reason) == ("ann", "paint")
    assert len(house.store.reports) - turns <= 12, "25 in a turn"
    assert await acts(house) == [("workers.pause", done.id)]
    assert done.undo() is WorkerAction.RESUME
    assert (await ended(house, WorkerAction.RESUME, ids=done.did)).done == 130
    assert held(house) == []


async def test_who_is_so_already_is_let_be_and_so_is_who_is_not_there() -> None:
    house = await farm("A", "B", "C")
    await house.dispatcher.orders.pause(id_of(house, "A"), "printer broken", actor=Actor("ben"))
    ids = (id_of(house, "A"), id_of(house, "B"), "nobody", "name:NOBODY")
    done = await ended(house, WorkerAction.PAUSE, ids=ids)
    assert (done.matched, done.done, done.did) == (2, 1, ids[1:2])
    assert done.skipped == {"wrong_state": 1, "not_found": 2}
    hold = house.dispatcher.machine.workers[ids[0]].held
    assert hold is not None
    assert hold.reason == "printer broken"
    drained = await ended(house, WorkerAction.DRAIN, ids=ids[:2])
    assert drained.done == 2, "a pause becomes a drain"
    assert (await ended(house, WorkerAction.UNBLOCK, ids=ids[:2])).skipped == {"wrong_state": 2}


async def test_a_dry_run_counts_and_changes_nothing() -> None:
    house = await farm("A", "B")
    seen = await ended(house, WorkerAction.BLOCK, WorkerFilter(state="connected"), dry_run=True)
    assert (seen.matched, seen.done) == (2, 0)
    assert len(house.dispatcher.machine.workers) == 2
    other = await ended(house, WorkerAction.BLOCK, WorkerFilter(state="connected"), expect=3)
    assert (other.stopped, other.detail) == (
        "count_changed", "2 workers match, and 3 were expected: look again. Nothing was done"
    )  # fmt: skip
    assert await acts(house) == []


async def test_pages_that_are_connected_load_anew_and_others_are_let_be() -> None:
    house = await farm("A", "B")
    house.pages.ended("B", house.clock.monotonic())
    done = await ended(house, WorkerAction.RELOAD, ids=(id_of(house, "A"), id_of(house, "B")))
    assert (done.done, done.skipped) == (1, {"wrong_state": 1})
    assert {"op": "reload", "idle": True} in await house.hear("A")


async def test_blocked_pages_are_turned_away() -> None:
    house = await farm("A", "B")
    ids = (id_of(house, "A"), id_of(house, "B"))
    assert (await ended(house, WorkerAction.BLOCK, ids=ids, reason="not ours")).done == 2
    assert [message["code"] for message in await house.hear("A")] == ["blocked"]
    assert house.dispatcher.machine.workers == {}


async def test_those_that_have_gone_are_forgotten_by_a_filter_or_by_name_and_no_others() -> None:
    house = await farm("A", "B", "C", "D", "E")
    await house.dispatcher.orders.pause(id_of(house, "B"), "", actor=ANN)
    blocked = id_of(house, "D")
    await house.dispatcher.orders.block(blocked, "", actor=ANN)
    await leave(house, "A", "B", "C")
    by_name = await ended(house, WorkerAction.FORGET, ids=("name:C", "name:E", "name:Z"))
    assert (by_name.done, by_name.skipped) == (1, {"not_found": 2}), "E is here, and nobody was called Z"
    done = await ended(house, WorkerAction.FORGET, WorkerFilter(state="gone"), reason="scrapped")
    assert (done.matched, done.done, done.skipped) == (3, 2, {"wrong_state": 1})
    left = await house.dispatcher.known_workers(WorkerFilter())
    assert [worker.name for worker in left.items] == ["D", "E"]
    assert list(house.dispatcher.machine.operators.kept) == [blocked]
    assert (await ended(house, WorkerAction.PAUSE, ids=("name:D",))).skipped == {"wrong_state": 1}


async def test_a_name_that_somebody_here_has_again_is_not_forgotten() -> None:
    house = await farm("A")
    await leave(house, "A")
    house.enlist("again", "sum", name="A")
    assert (await ended(house, WorkerAction.FORGET, ids=("name:A",))).done == 0


async def test_labels_are_set_or_taken_back_and_all_others_stay() -> None:
    house = await farm("A", "B", "C")
    ids = tuple(id_of(house, name) for name in "ABC")
    await house.dispatcher.orders.describe(ids[0], actor=ANN, labels={"floor": "2"})
    done = await ended(house, WorkerAction.LABELS, ids=ids, labels=(("site", "bonn"), ("floor", None)), reason="moved")
    assert (done.done, done.undo()) == (3, None)
    await house.dispatcher.orders.describe(ids[1], actor=ANN, labels={"printer": "zebra"})
    again = await ended(house, WorkerAction.LABELS, ids=ids, labels=(("printer", "zebra"), ("site", "bonn")))
    assert (again.done, again.skipped) == (2, {"wrong_state": 1}), "one has both"
    shown = [(await house.dispatcher.orders.one(worker)).shown.labels for worker in ids]
    assert shown == [{"printer": "zebra", "site": "bonn"}] * 3
    back = await ended(house, WorkerAction.LABELS, WorkerFilter(label="site:bonn"), labels=(("site", None),))
    assert back.done == 3
    assert (await house.dispatcher.orders.one(ids[0])).shown.labels == {"printer": "zebra", "site": "A"}, "as its page"
    [act, *_] = (await house.dispatcher.access.acts(AuditFilter(action="workers.labels"))).items[::-1]
    assert act.detail == '{"matched":3,"labels":{"site":"bonn","floor":null},"ids":3,"reason":"moved"}'


async def test_one_that_would_have_too_many_labels_is_let_be() -> None:
    house = await farm("A", "B")
    full = {f"a{number}": "1" for number in range(MOST_LABELS)}
    await house.dispatcher.orders.describe(id_of(house, "A"), actor=ANN, labels=full)
    ids = (id_of(house, "A"), id_of(house, "B"))
    done = await ended(house, WorkerAction.LABELS, ids=ids, labels=(("site", "bonn"),))
    assert (done.did, done.skipped) == (ids[1:], {"invalid": 1})


async def test_each_gets_a_test_job_that_it_can_run_and_all_are_found_by_the_order() -> None:
    house = await farm("A", "B")
    await house.register("C", "fax", name="C")
    await house.register("D", "other", name="D")
    ids = tuple(id_of(house, name) for name in "ABCD")
    examples = (spec("sum"), spec("fax"))
    done = await ended(house, WorkerAction.TEST, ids=(*ids, "nobody"), examples=examples, reason="a new driver")
    assert (done.done, done.did, done.skipped) == (3, ids[:3], {"wrong_state": 1, "not_found": 1})
    jobs = (await house.dispatcher.jobs(JobFilter(tags=(done.id,)))).items
    told = sorted((job.type, job.terms.requires, job.about.summary) for job in jobs)
    assert told == [
        (kind, (("name", (name,)),), "Test job: a new driver")
        for kind, name in (("fax", "C"), ("sum", "A"), ("sum", "B"))
    ]
    assert await acts(house) == [("workers.test", done.id)], "one act for all of them"
    assert done.undo() is None


async def test_test_jobs_that_a_token_may_not_submit_any_more_are_counted_as_such() -> None:
    house = await farm("A", "B", "C")
    scopes = (Scope.OPERATE, Scope.SUBMIT)
    token, _ = await house.dispatcher.access.make("ops", scopes, actor=ANN, jobs_per_minute=2)
    order = OperationOrder(
        action=WorkerAction.TEST, wanted=WorkerFilter(type="sum"), examples=(spec("sum"),), actor=Actor("ops", token.id)
    )
    done = await house.dispatcher.operations.wait(house.dispatcher.operations.begin(order).id, 30.0)
    assert (done.done, done.skipped) == (2, {"too_many_jobs": 1})
