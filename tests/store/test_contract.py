"""The contract of a store, first part: jobs go in, wait in their lanes in order, and are claimed."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cancel, Demand, Holder, Started, Verdict
from tests.store.contract import HOLDER, NOW, Desk, error, lapsed, lost, released, result
from tests.support.jobs import spec


def test_a_submitted_job_is_queued_and_shown_as_it_was_submitted(desk: Desk) -> None:
    (job,) = desk.submit(
        spec("count", '{"a": 1.0}', priority=3, timeout_s=7.5, max_attempts=2, max_crashes=0, expires_s=90.0, key="k")
    )
    assert desk.job(job.id) == job
    assert (job.type, job.data, job.state, job.terms.priority, job.key) == ("count", '{"a": 1.0}', "queued", 3, "k")
    terms = job.terms
    assert (terms.timeout_s, terms.max_attempts, terms.max_crashes, job.expires_at) == (7.5, 2, 0, NOW + 90.0)
    assert (job.number, job.errors, job.crashes, job.created_at) == (0, 0, 0, NOW)
    assert (job.result, job.error, job.worker, job.run_at, job.ended_at) == (None, None, None, None, None)
    assert (job.attempts, job.log) == ([], [])


def test_what_was_never_submitted_is_not_there(desk: Desk) -> None:
    assert desk.run(desk.store.job("job-1")) is None
    assert desk.listed() == []
    assert desk.counts() == {}


def test_a_job_is_claimed_in_the_turn_that_submits_it(desk: Desk) -> None:
    report = desk.turn(submissions=[spec(data="[1]")], demand=[Demand(7, ("echo",), 1)])
    (claim,), job = report.claims, desk.taken(report.accepted[0])
    assert (claim.pool, claim.job, claim.type, claim.data, claim.number) == (7, job.id, "echo", "[1]", 1)
    assert (claim.errors, claim.crashes, claim.terms) == (0, 0, Terms())
    assert claim.had == ()
    shown = desk.job(job.id)
    assert (shown.state, shown.number, shown.offered_at, shown.started_at) == ("running", 0, NOW, None)
    (attempt,) = shown.attempts
    assert (attempt.state, attempt.number, attempt.offered_at, attempt.ended_at) == ("offered", 1, NOW, None)


def test_an_attempts_id_is_new_and_ends_with_what_cannot_be_guessed(desk: Desk) -> None:
    desk.submit(spec(), spec())
    first, second = desk.claim(2)
    assert first.attempt != second.attempt
    assert first.attempt.endswith(f"{1:032x}")
    assert second.attempt.endswith(f"{2:032x}")


def test_a_turn_applies_reports_then_commands_then_submissions_then_what_is_due_then_claims(desk: Desk) -> None:
    running, waiting = desk.start(), desk.submit(spec(delay_s=5.0), spec(delay_s=5.0), spec(expires_s=5.0))
    desk.pass_time(10.0)
    report = desk.turn(
        reports=[lost(running.attempt)],
        commands=[Cancel(waiting[0].id, "not needed")],
        submissions=[spec()],
        demand=[Demand(1, ("echo",), 9)],
    )
    assert report.verdicts[0].verdict is Verdict.RECORDED
    # Cancelled while it still waited for its time, although that had come.
    assert report.commands[0].done
    assert desk.states(waiting[0].id) == ["cancelled"]
    # Expired before anything could be claimed; the two others became ready after the submission.
    assert report.finished == [waiting[0].id, waiting[2].id]
    assert [claim.job for claim in report.claims] == [running.job, waiting[1].id, desk.taken(report.accepted[0]).id]


def test_a_slot_that_a_result_frees_is_filled_in_the_same_turn(desk: Desk) -> None:
    first = desk.start()
    (next_job,) = desk.submit()
    report = desk.turn(reports=[result(first.attempt)], demand=[Demand(1, ("echo",), 1)])
    assert report.verdicts[0].finished == first.job
    assert [claim.job for claim in report.claims] == [next_job.id]


def test_equal_priorities_are_claimed_in_the_order_of_submission(desk: Desk) -> None:
    jobs = desk.submit(*[spec() for _ in range(5)])
    desk.pass_time(1.0)
    jobs += desk.submit(*[spec() for _ in range(5)])
    claims = desk.claim(3) + desk.claim(99)
    assert [claim.job for claim in claims] == [job.id for job in jobs]


def test_a_step_of_priority_is_a_head_start_of_sixty_seconds_and_no_more(desk: Desk) -> None:
    (first,) = desk.submit(spec())
    desk.pass_time(59.0)
    (urgent,) = desk.submit(spec(priority=1))
    desk.pass_time(2.0)
    (late,) = desk.submit(spec(priority=1))
    (idle,) = desk.submit(spec(priority=-1))
    assert [claim.job for claim in desk.claim(4)] == [urgent.id, first.id, late.id, idle.id]


def test_a_job_keeps_its_place_when_it_lapses_or_is_lost_or_given_back(desk: Desk) -> None:
    jobs = desk.submit(spec(), spec(), spec(), spec())
    desk.pass_time(30.0)
    claims = desk.claim(3)
    desk.turn(reports=[lapsed(claims[0].attempt), Started(claims[1].attempt, HOLDER), lost(claims[1].attempt)])
    desk.turn(reports=[released(claims[2].attempt)])
    assert [claim.job for claim in desk.claim(9)] == [job.id for job in jobs]


def test_a_job_that_waited_for_a_time_is_ranked_anew(desk: Desk) -> None:
    delayed, failing = desk.submit(spec(delay_s=20.0), spec())
    claim = desk.claim_one()
    desk.report(error(claim.attempt, delay_s=20.0))
    (other,) = desk.submit(spec())
    desk.pass_time(30.0)
    assert [claim.job for claim in desk.claim(9)] == [other.id, delayed.id, failing.id]


def test_claims_never_exceed_the_room(desk: Desk) -> None:
    desk.submit(*[spec() for _ in range(10)])
    assert [len(desk.claim(room)) for room in (0, 1, 3, 100)] == [0, 1, 3, 6]
    assert desk.turn().claims == []


def test_a_lane_is_claimed_only_for_those_who_match_it(desk: Desk) -> None:
    desk.submit(spec("a"), spec("b"))
    assert desk.claim(9, "c") == []
    assert [claim.type for claim in desk.claim(9, "b", "c")] == ["b"]
    assert [claim.type for claim in desk.claim(9, "a", "b")] == ["a"]


def test_lanes_are_merged_by_rank(desk: Desk) -> None:
    desk.submit(spec("a"), spec("b"), spec("a"), spec("b", priority=1))
    claims = desk.claim(9, "a", "b")
    assert [claim.type for claim in claims] == ["b", "a", "b", "a"]


def test_a_job_goes_to_the_first_pool_in_the_list_that_has_room(desk: Desk) -> None:
    desk.submit(*[spec() for _ in range(5)])
    demand = [Demand(3, ("echo",), 1), Demand(1, ("echo",), 2), Demand(3, ("echo",), 1)]
    assert [claim.pool for claim in desk.turn(demand=demand).claims] == [3, 1, 1, 3]


def test_pools_that_overlap_share_a_lane_in_the_order_of_the_list(desk: Desk) -> None:
    desk.submit(spec("a"), spec("b"), spec("b"), spec("a"), spec("c"))
    demand = [Demand(1, ("a", "b"), 2), Demand(2, ("b", "c"), 2), Demand(3, ("a",), 5)]
    claims = desk.turn(demand=demand).claims
    assert [(claim.type, claim.pool) for claim in claims] == [("a", 1), ("b", 1), ("b", 2), ("a", 3), ("c", 2)]


def test_a_job_that_nobody_can_run_blocks_no_other(desk: Desk) -> None:
    desk.submit(*[spec("nobody", priority=1000) for _ in range(50)], spec("echo"))
    assert [claim.type for claim in desk.claim(1)] == ["echo"]
    demand = [Demand(1, ("nobody",), 1), Demand(2, ("echo",), 1)]
    desk.submit(spec("echo"))
    assert [claim.type for claim in desk.turn(demand=demand).claims] == ["nobody", "echo"]


def test_a_claim_says_which_worker_had_the_job_before(desk: Desk) -> None:
    claim = desk.start()
    desk.report(lost(claim.attempt))
    again = desk.claim_one()
    assert (again.had, again.crashes, again.number) == ((HOLDER.worker,), 1, 2)


def test_a_claim_says_which_workers_have_had_the_job_the_last_one_first(desk: Desk) -> None:
    desk.submit()
    for name in ("w1", "w2", "w1", "w3"):
        holder = Holder(name, name, "boot")
        desk.report(replace(lost(desk.claim_one().attempt), holder=holder))
    assert desk.claim_one().had == ("w3", "w1", "w2")


def test_two_turns_that_are_called_at_once_are_applied_in_the_order_of_the_calls(desk: Desk) -> None:
    demand = [Demand(1, ("echo",), 1)]
    turns = [desk.make_turn(submissions=[spec()], demand=demand) for _ in range(4)]

    async def call_all() -> list:
        return await asyncio.gather(*(desk.store.apply(turn) for turn in turns))

    reports = desk.run(call_all())
    accepted = [desk.taken(report.accepted[0]).id for report in reports]
    assert accepted == ["job-1", "job-2", "job-3", "job-4"]
    assert [report.claims[0].job for report in reports] == accepted


def test_an_empty_turn_changes_nothing(desk: Desk) -> None:
    desk.start()
    before = (desk.listed(), desk.counts())
    report = desk.turn()
    assert (report.verdicts, report.commands, report.accepted, report.claims, report.finished) == ([], [], [], [], [])
    assert not report.more
    assert (desk.listed(), desk.counts()) == before


@pytest.mark.parametrize("number", [1, 2, 3, 5, 511, 512, 513, 1024])
def test_turns_of_every_size_are_stored_whole(desk: Desk, number: int) -> None:
    specs = [spec(data=f'"{n}"', key=f"key-{n}") for n in range(number)]
    report = desk.turn(submissions=specs, demand=[Demand(1, ("echo",), number)])
    assert [claim.data for claim in report.claims] == [item.data for item in specs]
    verdicts = desk.turn(reports=[result(claim.attempt, claim.data) for claim in report.claims]).verdicts
    assert {settled.verdict for settled in verdicts} == {Verdict.RECORDED}
    assert desk.counts() == {JobState.SUCCEEDED: number}
    jobs = [desk.job(claim.job) for claim in (report.claims[0], report.claims[-1])]
    assert [job.result for job in jobs] == [specs[0].data, specs[-1].data]
    assert desk.listed(limit=100)[0].key == f"key-{number - 1}"
