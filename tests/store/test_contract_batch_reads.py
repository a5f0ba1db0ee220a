"""The contract of a store: a batch says how far its jobs are, and what has become of them, in their order."""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.model import JobSpec, JobView
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cancel, Cause, Ended, Started
from dispatcher.core.jobs.views.batches import BatchItem, BatchView
from dispatcher.store.batches import MOST_ITEMS_READ, SLICE_BYTES
from tests.store.contract import HOLDER, Desk, error, result
from tests.support.jobs import spec


def batch(name: str, *specs: JobSpec) -> list[JobSpec]:
    return [replace(one, batch=name) for one in specs]


def submit(desk: Desk, name: str, *specs: JobSpec) -> list[JobView]:
    return desk.submit(*batch(name, *specs))


def view(desk: Desk, name: str = "b") -> BatchView | None:
    return desk.run(desk.store.batches.view(name))


def items(desk: Desk, name: str = "b") -> list[BatchItem]:
    """All of them, slice by slice."""
    found: list[BatchItem] = []
    while more := desk.run(desk.store.batches.items(name, found[-1].seq if found else 0)):
        found += more
    return found


def test_a_batch_counts_its_own_jobs_by_state(desk: Desk) -> None:
    desk.submit(spec(), spec())
    jobs = submit(desk, "b", spec(), spec("other", delay_s=60.0), spec())
    submit(desk, "c", spec())
    assert {job.batch for job in jobs} == {"b"}
    assert view(desk) == BatchView(
        id="b", created_at=jobs[0].created_at, counts={"scheduled": 1, "queued": 2}, types=frozenset({"echo", "other"}),
        pending=jobs[2].id,
    )  # fmt: skip
    desk.turn(commands=[Cancel(jobs[2].id, ""), Cancel(jobs[1].id, "")])
    now = view(desk)
    assert now is not None
    assert (now.counts, now.pending) == ({"queued": 1, "cancelled": 2}, jobs[0].id)
    desk.turn(commands=[Cancel(jobs[0].id, "", Actor(""))])
    ended = view(desk)
    assert ended is not None
    assert (ended.counts, ended.pending) == ({"cancelled": 3}, None)


def test_a_job_in_doubt_is_not_waited_for(desk: Desk) -> None:
    submit(desk, "b", spec(effects="once"))
    claim = desk.claim_one()
    desk.report(Started(claim.attempt, HOLDER))
    desk.report(Ended(claim.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost", counts_crash=True))
    seen = view(desk)
    assert seen is not None
    assert (seen.counts, seen.pending) == ({"in_doubt": 1}, None)


def test_there_is_no_batch_without_jobs(desk: Desk) -> None:
    desk.submit(spec())
    assert view(desk, "nope") is None
    assert items(desk, "nope") == []


def test_results_come_in_the_order_of_the_jobs_whatever_ended_first(desk: Desk) -> None:
    jobs = submit(desk, "b", spec(), spec(), spec(), spec())
    first, second, third = desk.claim(3)
    desk.report(error(third.attempt, delay_s=None))
    desk.report(result(second.attempt, '{"a" : 1.0}'))
    desk.report(error(first.attempt))
    found = items(desk)
    assert [item.id for item in found] == [job.id for job in jobs]
    assert [(str(item.state), item.result, item.error) for item in found] == [
        ("scheduled", None, '{"message":"no"}'),
        ("succeeded", '{"a" : 1.0}', None),
        ("failed", None, '{"message":"no"}'),
        ("queued", None, None),
    ]


def test_an_error_before_a_result_is_not_told(desk: Desk) -> None:
    submit(desk, "b", spec())
    [claim] = desk.claim(1)
    desk.turn(reports=[error(claim.attempt, delay_s=0.1)])
    desk.pass_time(1.0)
    desk.turn()
    [again] = desk.claim(1)
    desk.turn(reports=[result(again.attempt, "7")])
    [item] = items(desk)
    assert (item.result, item.error) == ("7", None)


def test_results_are_read_in_slices_bounded_in_number_and_in_bytes(desk: Desk) -> None:
    jobs = submit(desk, "b", *[spec()] * (MOST_ITEMS_READ + 5))
    desk.submit(spec())
    assert len(desk.run(desk.store.batches.items("b", 0))) == MOST_ITEMS_READ
    assert [item.id for item in items(desk)] == [job.id for job in jobs]


def test_a_large_result_ends_its_slice(durable: Desk) -> None:
    submit(durable, "b", spec(), spec(), spec())
    large = '"' + "x" * SLICE_BYTES + '"'
    durable.turn(reports=[result(claim.attempt, large) for claim in durable.claim(3)])
    assert len(durable.run(durable.store.batches.items("b", 0))) == 1
    assert [item.result for item in items(durable)] == [large] * 3


def test_a_replay_belongs_to_the_batch_that_was_taken_first(desk: Desk) -> None:
    keyed = [spec(key=f"k{n}", fingerprint="f") for n in range(2)]
    submit(desk, "b", *keyed)
    again = desk.turn(submissions=batch("later", *keyed)).accepted
    assert [(item.replayed, desk.taken(item).batch) for item in again] == [(True, "b")] * 2
    assert view(desk, "later") is None


def test_a_batch_outlives_the_server_and_goes_with_its_last_job(durable: Desk) -> None:
    jobs = submit(durable, "b", spec(), spec())
    durable.reopen(retention_s=1_000.0)
    assert durable.job(jobs[0].id).batch == "b"
    durable.turn(reports=[result(claim.attempt) for claim in durable.claim(1)])
    durable.pass_time(2_000.0)
    while durable.turn().more:
        pass
    left = view(durable)
    assert left is not None
    assert left.counts == {"queued": 1}
    durable.turn(commands=[Cancel(jobs[1].id, "", Actor(""))])
    durable.pass_time(2_000.0)
    while durable.turn().more:
        pass
    assert view(durable) is None
