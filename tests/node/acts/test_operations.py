"""Orders for many jobs: each of its jobs once, a slice at a time, and nobody else is held up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder, OperationState, OperationView
from dispatcher.core.jobs.model import JobFilter, JobPage
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel
from dispatcher.errors import Draining, OperationNotFound, StorageFull, Unavailable, WrongState
from dispatcher.node.acts.operations import MOST_KEPT, MOST_RUNNING, SLICE_JOBS
from tests.support.house import House, TroubledStore, memory_store
from tests.support.jobs import spec

pytestmark = pytest.mark.gen_test(timeout=60)

ANN = Actor("ann", "", "10.0.0.1")
QUEUED = JobFilter(states=(JobState.QUEUED,))


class Lists(TroubledStore):
    """It counts its pages, and a test can let something happen between a page and its answer."""

    pages = 0
    after_page: Callable[[int], Awaitable[object]] | None = None

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        page = await super().jobs(job_filter)
        self.pages += 1
        if self.after_page is not None:
            await self.after_page(self.pages)
        return page


async def house_of(count: int, type_name: str = "echo", house: House | None = None) -> House:
    """A server with so many jobs."""
    house = house or await House().start()
    while count > 0:
        await house.dispatcher.submit_batch([spec(type_name)] * min(count, 1_000))
        count -= 1_000
    return house


def order(wanted: JobFilter | None = QUEUED, **given: Any) -> OperationOrder:
    return OperationOrder(**{"action": OperationAction.CANCEL, "wanted": wanted, "actor": ANN} | given)


async def ended(house: House, asked: OperationOrder) -> OperationView:
    """What becomes of it."""
    return await house.dispatcher.operations.wait(house.dispatcher.operations.begin(asked).id, 30.0)


async def test_every_job_that_matches_is_cancelled_and_the_audit_log_has_one_line():
    house = await house_of(250)
    await house_of(3, "other", house)
    done = await ended(house, order(JobFilter(type="echo"), reason="no paper", expect=250, asked='{"type":"echo"}'))
    assert (done.state, done.matched, done.done, done.skipped) == (OperationState.DONE, 250, 250, {})
    counts = await house.dispatcher.counts()
    assert (counts["cancelled"], counts["queued"]) == (250, 3)
    job = await house.dispatcher.job("job-1")
    assert (job.reason, job.detail) == ("cancelled", "no paper")
    [act] = (await house.dispatcher.access.acts(AuditFilter())).items
    assert (act.action, act.target, act.actor) == ("jobs.cancel", done.id, ANN)
    assert act.detail == '{"matched":250,"filter":{"type":"echo"},"reason":"no paper"}'
    followed = [change for turn in house.store.reports for change in turn.changes if change.new == "cancelled"]
    assert {change.actor for change in followed} == {"ann"}


async def test_what_cannot_be_helped_is_skipped_and_counted_by_its_code():
    house = await house_of(3)
    await house.dispatcher.cancel("job-2", "")
    done = await ended(house, order(None, ids=("job-1", "job-2", "job-3", "nobody")))
    assert (done.matched, done.done, done.skipped) == (3, 2, {"wrong_state": 1, "not_found": 1})
    kept = await house.submit(id="keyed", key="k")
    await house.dispatcher.cancel(kept.id, "")
    removed = await ended(house, order(JobFilter(type="echo"), action=OperationAction.DELETE))
    assert (removed.matched, removed.done, removed.skipped) == (4, 3, {"key_kept": 1})


async def test_the_others_get_another_round_and_another_priority():
    house = await house_of(2)
    await house.dispatcher.cancel("job-1", "")
    ranked = await ended(house, order(action=OperationAction.SET_PRIORITY, priority=7))
    again = await ended(house, order(JobFilter(states=(JobState.CANCELLED,)), action=OperationAction.RETRY))
    assert (ranked.done, again.done) == (1, 1)
    jobs = [await house.dispatcher.job(name) for name in ("job-1", "job-2")]
    assert [(job.state, job.terms.priority) for job in jobs] == [("queued", 0), ("queued", 7)]
    acts = (await house.dispatcher.access.acts(AuditFilter(action="jobs.set_priority"))).items
    assert [act.detail for act in acts] == ['{"matched":1,"priority":7,"filter":null}']


async def test_a_dry_run_or_another_number_than_expected_changes_nothing():
    house = await house_of(3)
    dry = await ended(house, order(dry_run=True))
    assert (dry.state, dry.matched, dry.done) == (OperationState.DONE, 3, 0)
    other = await ended(house, order(expect=2))
    assert (other.state, other.stopped, other.matched) == (OperationState.STOPPED, "count_changed", 3)
    assert (await house.dispatcher.counts())["queued"] == 3
    assert (await house.dispatcher.access.acts(AuditFilter())).items == []


async def test_a_dry_run_says_to_how_many_it_could_be_done_and_reads_no_more_for_it():
    lists = memory_store(Lists)
    house = await house_of(250, house=await House(lists).start())
    for number in range(1, 4):
        await house.dispatcher.cancel(f"job-{number}", "")
    lists.pages = 0
    dry = await ended(house, order(JobFilter(type="echo"), dry_run=True))
    assert (dry.matched, dry.would_do, dry.done, dry.skipped) == (250, 247, 0, {"wrong_state": 3})
    assert lists.pages == 2
    named = await ended(house, order(None, ids=("job-1", "job-4", "nobody"), dry_run=True))
    assert (named.matched, named.would_do, named.skipped) == (2, 1, {"wrong_state": 1, "not_found": 1})
    done = await ended(house, order(JobFilter(type="echo")))
    assert (done.matched, done.would_do, done.done, done.skipped) == (250, None, 247, {"wrong_state": 3})


async def test_jobs_that_come_after_the_start_are_not_touched():
    house = await house_of(SLICE_JOBS + 1)
    begun = house.dispatcher.operations.begin(order())

    async def one_more() -> None:
        house.store.gate = None
        await asyncio.sleep(0)
        late.append(asyncio.ensure_future(house.dispatcher.submit(spec())))

    late: list[asyncio.Future[Any]] = []
    house.store.gate = one_more  # before the turn with which it begins to act
    done = await house.dispatcher.operations.wait(begun.id, 30.0)
    assert (await late[0]).job.state == "queued"
    assert (done.matched, done.done) == (SLICE_JOBS + 1, SLICE_JOBS + 1)
    assert (await house.dispatcher.counts())["queued"] == 1


async def test_a_job_that_a_page_takes_meanwhile_has_left_the_states_of_the_filter_and_is_let_be():
    lists = memory_store(Lists)
    house = await house_of(2, house=await House(lists).start())

    async def a_page_comes(read: int) -> None:
        if read == 2:  # the first read was for the count
            await house.register("s1")

    lists.after_page = a_page_comes
    done = await ended(house, order())
    assert (done.matched, done.done, done.skipped) == (2, 1, {"wrong_state": 1})
    counts = await house.dispatcher.counts()
    assert (counts["running"], counts["cancelled"]) == (1, 1)


@pytest.mark.parametrize("others", [100, 10_000])
async def test_an_order_costs_as_many_turns_and_reads_however_many_other_jobs_there_are(others: int):
    lists = memory_store(Lists)
    house = await house_of(others, "other", await House(lists).start())
    await house_of(250, house=house)
    batch = (await house.dispatcher.job(f"job-{others + 1}")).batch
    turns = len(house.store.turns)
    done = await ended(house, order(JobFilter(batch=batch)))
    assert done.done == 250
    slices = [sum(isinstance(one, Cancel) for one in turn.commands) for turn in house.store.turns[turns:]]
    assert [size for size in slices if size] == [25] * 10
    assert len(slices) == 11, "and one for the audit log"
    assert lists.pages == 2 + 11, "counted in larger pages"


async def test_another_turn_begins_between_two_slices():
    house = await house_of(300)
    begun = house.dispatcher.operations.begin(order())
    submitted: list[asyncio.Future[Any]] = []

    async def somebody_submits() -> None:
        if len(submitted) < 3:
            submitted.append(asyncio.ensure_future(house.dispatcher.submit(spec("other"))))
        await asyncio.sleep(0)

    house.store.gate = somebody_submits
    done = await house.dispatcher.operations.wait(begun.id, 30.0)
    assert done.done == 300
    assert all(future.done() for future in submitted[:2]), "it has waited for all slices"
    await asyncio.gather(*submitted)


async def test_it_can_be_stopped_after_a_slice_and_only_while_it_runs():
    house = await house_of(300)
    operations = house.dispatcher.operations
    begun = operations.begin(order())
    stopping: list[asyncio.Future[OperationView]] = []

    async def stop() -> None:
        if not stopping:
            stopping.append(asyncio.ensure_future(operations.stop(begun.id, "bob")))
        await asyncio.sleep(0)

    house.store.gate = stop
    done = await operations.wait(begun.id, 30.0)
    assert await stopping[0] == done
    assert (done.state, done.stopped) == (OperationState.STOPPED, "asked")
    assert "bob" in str(done.detail)
    assert done.done < 300
    with pytest.raises(WrongState, match="stopped"):
        await operations.stop(begun.id, "bob")
    with pytest.raises(OperationNotFound):
        operations.one("nope")


async def test_it_goes_no_further_than_its_slice_when_the_token_ends_that_asked_for_it():
    house = await house_of(300)
    token, _ = await house.dispatcher.access.make("ann", (Scope.OPERATE,), actor=ANN)
    begun = house.dispatcher.operations.begin(order(actor=Actor("ann", token.id)))
    revoking: list[asyncio.Future[object]] = []

    async def revoke() -> None:
        if not revoking:
            revoking.append(asyncio.ensure_future(house.dispatcher.access.revoke(token.id)))
        await asyncio.sleep(0)

    house.store.gate = revoke
    done = await house.dispatcher.operations.wait(begun.id, 30.0)
    await asyncio.gather(*revoking)
    assert (done.state, done.stopped, done.done < 300) == (OperationState.STOPPED, "token_ended", True)
    assert "opens nothing any more" in str(done.detail)
    assert len(house.dispatcher.access.opened) == 0


async def test_a_server_that_stops_ends_it_after_its_slice_and_says_so():
    house = await house_of(300)
    begun = house.dispatcher.operations.begin(order())
    await house.dispatcher.close()
    left = house.dispatcher.operations.one(begun.id)
    assert (left.state, left.stopped) == (OperationState.STOPPED, "server_stopped")
    with pytest.raises(Draining):
        house.dispatcher.operations.begin(order())


@pytest.mark.expect_log("what pages say waits")
async def test_a_full_disk_ends_it_and_others_can_go_on():
    house = await house_of(3)
    house.store.trouble = StorageFull("full")
    done = await ended(house, order())
    assert (done.state, done.stopped) == (OperationState.STOPPED, "storage_full")
    house.store.trouble = None
    await house.pass_time(2.0)
    assert (await ended(house, order())).done == 3


async def test_only_so_many_run_at_once_and_only_so_many_are_kept():
    house = await house_of(1)
    operations = house.dispatcher.operations
    running = [operations.begin(order(dry_run=True)) for _ in range(MOST_RUNNING)]
    with pytest.raises(Unavailable, match="run already"):
        operations.begin(order())
    await operations.wait(running[-1].id, 30.0)
    for _ in range(MOST_KEPT):
        last = await ended(house, order(dry_run=True))
    known = operations.all()
    assert len(known) == MOST_KEPT
    assert known[0] == last
    with pytest.raises(OperationNotFound):
        operations.one(running[0].id)
