"""The contract of a store: jobs of one batch are taken all or none (promise S3)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.turn import Accepted, Demand
from tests.store.conftest import OpenDesk
from tests.store.contract import NOW, Desk, Kind, result
from tests.support.jobs import spec

DAY_S = 86_400.0
#: Python reads such text from a JSON escape, but it cannot be written as UTF-8.
SURROGATE = '"\ud800"'


def batch(number: int, *specs: JobSpec) -> list[JobSpec]:
    """Jobs that belong together."""
    return [replace(one, batch=f"batch-{number}") for one in specs]


def keyed(number: int, count: int, key: str = "k", fingerprint: str = "f") -> list[JobSpec]:
    return batch(number, *(spec(key=f"{key}{index}", fingerprint=fingerprint) for index in range(count)))


def errors(accepted: list[Accepted]) -> list[str | None]:
    return [item.error for item in accepted]


def test_a_batch_is_taken_in_its_order(desk: Desk) -> None:
    specs = batch(1, spec(data="1"), spec("other", data="2"), spec(data="3", delay_s=60.0))
    report = desk.turn(submissions=specs, demand=[Demand(1, ("echo", "other"), 9)])
    jobs = [desk.taken(item) for item in report.accepted]
    assert [(job.type, job.data, str(job.state)) for job in jobs] == [
        ("echo", "1", "queued"), ("other", "2", "queued"), ("echo", "3", "scheduled"),
    ]  # fmt: skip
    assert [claim.job for claim in report.claims] == [jobs[0].id, jobs[1].id]


@pytest.mark.parametrize("limit", [{"queue_depth": 4}, {"queue_bytes": 40}])
def test_a_batch_that_does_not_fit_leaves_no_trace_and_takes_no_room(
    open_desk: OpenDesk, kind: Kind, limit: dict[str, int]
) -> None:
    desk = open_desk(kind, **limit)
    ten_bytes = '"' + "x" * 8 + '"'
    desk.submit(spec(data=ten_bytes), spec(data=ten_bytes))
    too_many = batch(1, *(spec("new", data=ten_bytes, key=f"k{n}") for n in range(3)))
    report = desk.turn(submissions=[*too_many, spec(data=ten_bytes)])
    assert errors(report.accepted) == ["queue_full"] * 3 + [None]
    assert desk.counts()["queued"] == len(desk.listed()) == 3
    taken = desk.turn(submissions=batch(2, spec("new", data=ten_bytes, key="k0"))).accepted
    assert errors(taken) == [None]


def test_batches_side_by_side_are_taken_each_by_itself(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, queue_depth=3)
    report = desk.turn(submissions=[*keyed(1, 2, "a"), *keyed(2, 2, "b"), *keyed(3, 1, "c")])
    assert errors(report.accepted) == [None, None, "queue_full", "queue_full", None]


def test_a_batch_that_comes_again_is_the_same_jobs(desk: Desk) -> None:
    first = [desk.taken(item).id for item in desk.turn(submissions=keyed(1, 3)).accepted]
    desk.report(result(desk.claim_one().attempt))
    again = desk.turn(submissions=keyed(2, 3)).accepted
    assert [desk.taken(item).id for item in again] == first
    assert all(item.replayed for item in again)
    assert desk.taken(again[0]).state == "succeeded"
    assert len(desk.listed()) == 3


def test_of_equal_batches_in_one_turn_the_first_makes_the_jobs(desk: Desk) -> None:
    accepted = desk.turn(submissions=[*keyed(1, 2), *keyed(2, 2)]).accepted
    assert [item.replayed for item in accepted] == [False, False, True, True]
    assert len(desk.listed()) == 2


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_batch_with_the_key_of_another_is_a_conflict_whole(desk: Desk, count: int) -> None:
    desk.turn(submissions=keyed(1, 3))
    accepted = desk.turn(submissions=[*keyed(2, count, fingerprint="g"), spec()]).accepted
    assert errors(accepted) == ["key_conflict"] * count + [None]
    assert "key" in (accepted[0].detail or "")
    assert len(desk.listed()) == 4


def test_of_a_batch_that_retention_has_removed_in_part_nothing_runs_again(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, retention_s=86_400)
    desk.turn(submissions=keyed(1, 3))
    desk.report(result(desk.claim_one().attempt))
    desk.pass_time(2 * DAY_S)
    desk.turn()
    assert len(desk.listed()) == 2, "one was removed"
    assert errors(desk.turn(submissions=keyed(2, 3)).accepted) == ["key_conflict"] * 3
    assert len(desk.listed()) == 2


def test_a_batch_of_which_one_job_cannot_be_stored_is_refused_whole_and_fails_no_other(desk: Desk) -> None:
    bad = batch(1, spec("new", data="1", key="a"), spec("new", data=SURROGATE, key="b"), spec("new", data="3"))
    report = desk.turn(submissions=[spec(data="1"), *bad, *keyed(2, 2, "c"), spec(data="2")])
    assert errors(report.accepted) == [None, "refused", "refused", "refused", None, None, None]
    assert len(desk.listed()) == 4
    (free,) = desk.turn(submissions=batch(3, spec(key="a"))).accepted
    assert not free.replayed


def test_a_batch_holds_over_a_restart(durable: Desk) -> None:
    first = [durable.taken(item).id for item in durable.turn(submissions=keyed(1, 3)).accepted]
    durable.reopen()
    again = durable.turn(submissions=keyed(1, 3)).accepted
    assert [durable.taken(item).id for item in again] == first
    assert all(durable.taken(item).created_at < NOW + 1 for item in again)
