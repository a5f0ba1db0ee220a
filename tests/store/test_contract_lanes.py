"""Lanes in a store: a type and what its jobs require of a worker."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.matching import lane_of, requirement_of
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cause, Demand, Ended, ForgetTypes, LaneReady, OfferedTypes, Started
from dispatcher.core.jobs.views.outlook import MOST_BEFORE, InLine
from tests.store.contract import HOLDER, Desk, lost, result
from tests.support.jobs import spec

DESK_1 = requirement_of({"name": "DESK-1"})
ZEBRA = requirement_of({"site": "berlin", "printer": ["zebra", "brother"]})


def _ready(desk: Desk) -> dict[str, int]:
    return {entry.lane: entry.jobs for entry in desk.run(desk.store.ready())}


def test_jobs_of_one_type_stand_in_a_lane_for_each_requirement(desk: Desk) -> None:
    plain, first, second, zebra = desk.submit(
        spec(), spec(requires=DESK_1), spec(requires=DESK_1), spec(requires=ZEBRA)
    )
    lanes = {"echo": 1, lane_of("echo", DESK_1): 2, lane_of("echo", ZEBRA): 1}
    assert _ready(desk) == lanes
    assert [claim.job for claim in desk.claim(9, lane_of("echo", DESK_1))] == [first.id, second.id]
    (claim,) = desk.claim(9, lane_of("echo", ZEBRA))
    assert (claim.job, claim.terms.requires) == (zebra.id, ZEBRA)
    assert [claim.job for claim in desk.claim(9)] == [plain.id]


def test_what_a_job_requires_is_kept(durable: Desk) -> None:
    (job,) = durable.submit(spec(requires=ZEBRA))
    durable.reopen()
    assert durable.job(job.id).terms.requires == ZEBRA
    assert _ready(durable) == {lane_of("echo", ZEBRA): 1}
    assert durable.claim_one(lane_of("echo", ZEBRA)).job == job.id


def test_a_job_that_comes_back_stands_in_its_own_lane_again(desk: Desk) -> None:
    desk.submit(spec(requires=DESK_1))
    lane = lane_of("echo", DESK_1)
    claim = desk.claim_one(lane)
    report = desk.turn(reports=[Ended(claim.attempt, Cause.LAPSED, Event.REQUEUE, HOLDER)])
    assert [(entry.lane, entry.jobs) for entry in report.ready] == [(lane, 1)]
    assert desk.claim(9) == []
    assert desk.claim_one(lane).job == claim.job


def test_many_lanes_are_handed_out_by_rank(desk: Desk) -> None:
    names = [requirement_of({"name": f"DESK-{number}"}) for number in range(40)]
    jobs = desk.submit(*(spec(requires=name) for name in names for _ in range(2)))
    lanes = tuple(lane_of("echo", name) for name in names)
    report = desk.turn(demand=[Demand(1, lanes, 50)])
    assert [claim.job for claim in report.claims] == [job.id for job in jobs[:50]]
    left = {entry.lane: entry.jobs for entry in report.ready}
    assert left == {lane: 0 if number < 25 else 2 for number, lane in enumerate(lanes)}
    heads = {entry.lane: entry.head for entry in report.ready}
    assert min(heads[lane] for lane in lanes[25:]) == heads[lanes[25]], "the first that is left stands first"


def test_a_deep_lane_beside_a_shallow_one_is_read_as_far_as_it_is_wanted(desk: Desk) -> None:
    """More of a lane is read only if further jobs may be wanted behind the last one read."""
    deep = desk.submit(*(spec(requires=DESK_1) for _ in range(30)))
    (shallow,) = desk.submit(spec())
    report = desk.turn(demand=[Demand(1, ("echo", lane_of("echo", DESK_1)), 31)])
    assert [claim.job for claim in report.claims] == [job.id for job in [*deep, shallow]]


def test_counts_of_a_type_are_those_of_all_its_lanes(desk: Desk) -> None:
    desk.submit(spec(), spec(requires=DESK_1), spec("other"))
    counts = {view.type: view.counts.get("queued") for view in desk.run(desk.store.types())}
    assert counts == {"echo": 2, "other": 1}


def test_a_lane_without_jobs_is_forgotten_and_its_type_stays_while_workers_offer_it(desk: Desk) -> None:
    desk.submit(spec(requires=DESK_1))
    claim = desk.claim_one(lane_of("echo", DESK_1))
    desk.report(result(claim.attempt))
    desk.reopen(retention_s=60.0) if desk.kind.durable else None
    desk.pass_time(8 * 86_400.0)
    while desk.turn().more:
        pass
    desk.turn(commands=[OfferedTypes(("echo",)), ForgetTypes(frozenset({"echo"}))])
    assert [view.type for view in desk.run(desk.store.types())] == ["echo"]
    desk.turn(commands=[ForgetTypes(frozenset())])
    assert [view.type for view in desk.run(desk.store.types())] == []
    desk.submit(spec(requires=DESK_1))
    assert _ready(desk) == {lane_of("echo", DESK_1): 1}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((("name", "DESK-1"),), [1]),
        ((("printer", "brother"),), [2]),
        ((("printer", "zebra"), ("site", "berlin")), [2]),
        ((("printer", "zebra"), ("site", "paris")), []),
        ((("printer", "brothe"),), []),
    ],
)
def test_a_list_shows_jobs_that_require_a_label(desk: Desk, wanted, found: list[int]) -> None:
    jobs = desk.submit(spec(), spec(requires=DESK_1), spec(requires=ZEBRA))
    [page] = desk.pages(requires=wanted)
    assert [job.id for job in page] == [jobs[place].id for place in found]


def test_a_lane_that_was_forgotten_is_not_found_by_its_labels_until_it_is_there_again(desk: Desk) -> None:
    wanted = (("site", "berlin"), ("printer", "zebra"))
    for requires, found in ((ZEBRA, 1), (DESK_1, 0), (ZEBRA, 1)):
        (job,) = desk.submit(spec(requires=requires))
        assert [one.id for one in desk.listed(requires=wanted)] == [job.id][:found]
        desk.report(result(desk.claim_one(lane_of("echo", requires)).attempt))
        desk.pass_time(30 * 86_400.0)
        desk.turn()
        desk.command(ForgetTypes(frozenset()))
        assert desk.run(desk.store.types()) == desk.listed(requires=wanted) == []


def test_a_list_by_label_goes_on_after_a_restart(durable: Desk) -> None:
    jobs = durable.submit(*[spec(requires=ZEBRA)] * 3, spec())
    first = next(iter(durable.pages(requires=(("printer", "zebra"),), limit=2)))
    durable.reopen()
    assert durable.listed(requires=(("printer", "zebra"),)) == [*first, durable.listed()[-1]]
    assert [job.id for job in first] == [jobs[2].id, jobs[1].id]


def test_a_list_shows_the_jobs_that_a_worker_runs_or_ran_last(desk: Desk) -> None:
    desk.submit(spec(), spec())
    claim = desk.claim_one()
    desk.report(Started(claim.attempt, HOLDER))
    desk.report(result(claim.attempt))
    [page] = desk.pages(worker=HOLDER.name)
    assert [job.id for job in page] == [claim.job]
    assert list(desk.pages(worker="somebody else")) == [[]]


def test_what_a_turn_adds_to_a_lane_that_it_does_not_look_into_is_told_as_that(desk: Desk) -> None:
    desk.submit(spec())
    (entry,) = desk.turn(submissions=[spec(priority=5)]).ready
    assert isinstance(entry, LaneReady)
    assert (entry.lane, entry.jobs, entry.seen) == ("echo", 2, False)


def test_the_first_in_line_tells_since_when_it_has_been_ready(desk: Desk) -> None:
    zebra = lane_of("echo", ZEBRA)
    begun = desk.now_at
    desk.submit(spec(), spec(requires=ZEBRA), spec("other"))
    desk.pass_time(60.0)
    later = desk.now_at
    desk.submit(spec(), spec(requires=ZEBRA, priority=1_000))
    asked = ["echo", zebra, "empty", lane_of("echo", DESK_1)]
    assert desk.run(desk.store.first_in_line(asked)) == {"echo": begun, zebra: later}, "priority goes first"
    assert desk.run(desk.store.first_in_line([])) == {}


def test_a_job_that_is_ready_again_has_waited_since_then(desk: Desk) -> None:
    claim = desk.start()
    desk.pass_time(100.0)
    lost_at = desk.now_at
    desk.report(lost(claim.attempt))
    assert desk.run(desk.store.first_in_line(["echo"])) == {"echo": lost_at}


def test_a_ready_job_has_a_place_in_its_lane(desk: Desk) -> None:
    first, second, third = desk.submit(spec(), spec(requires=DESK_1), spec())
    urgent, low = desk.submit(spec(priority=5), spec(priority=-5))
    stands = {job.id: desk.run(desk.store.in_line(job.id)) for job in (first, second, third, urgent, low)}
    assert stands == {
        urgent.id: InLine(before=0, later=0, of=4),
        first.id: InLine(before=1, later=1, of=4),
        third.id: InLine(before=2, later=1, of=4),
        low.id: InLine(before=3, later=0, of=4),
        second.id: InLine(before=0, later=0, of=1),
    }


def test_only_a_ready_job_has_a_place(desk: Desk) -> None:
    (delayed,) = desk.submit(spec(delay_s=60.0))
    claim = desk.start()
    assert [desk.run(desk.store.in_line(job)) for job in (delayed.id, claim.job, "nobody")] == [None] * 3


def test_the_jobs_before_another_are_counted_up_to_a_limit(desk: Desk) -> None:
    jobs = desk.submit(*[spec()] * (MOST_BEFORE + 3))
    assert desk.run(desk.store.in_line(jobs[MOST_BEFORE].id)) == InLine(MOST_BEFORE, 0, MOST_BEFORE + 3)
    assert desk.run(desk.store.in_line(jobs[-1].id)) == InLine(MOST_BEFORE + 1, 0, MOST_BEFORE + 3)
