"""What turns have done is counted once, by a bounded number of types, and costs nothing but what moves."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.measures import OTHER_TYPES
from dispatcher.node.turns.activity import BOUNDS_S, MOST_NAMED, Activity
from dispatcher.node.views.measuring import jobs_by_type
from tests.support.house import House, run_one
from tests.support.jobs import spec

QUEUED, RUNNING, SUCCEEDED, FAILED = JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED


def view(name: str, **counts: int) -> TypeView:
    return TypeView(type=name, offered_at=None, counts=counts)


def change(old: JobState | None, new: JobState, type_name: str = "echo") -> Change:
    return Change("job-1", type_name, old, new, 1.0, None, None, None)


def test_a_job_counts_when_it_comes_when_it_is_offered_and_when_it_ends():
    activity = Activity()
    activity.turn(0.002, [change(None, QUEUED), change(QUEUED, RUNNING), change(RUNNING, QUEUED)])
    activity.turn(0.002, [change(QUEUED, RUNNING), change(RUNNING, SUCCEEDED), change(FAILED, QUEUED)])
    assert activity.submitted == {"echo": 1}, "a job that is queued again is not a new one"
    assert activity.offered == {"echo": 2}
    assert activity.settled == {("echo", SUCCEEDED): 1}


def test_a_job_in_doubt_is_counted_and_so_is_what_a_person_makes_of_it():
    activity = Activity()
    activity.turn(0.1, [change(RUNNING, JobState.IN_DOUBT), change(JobState.IN_DOUBT, FAILED)])
    assert activity.settled == {("echo", JobState.IN_DOUBT): 1, ("echo", FAILED): 1}


def test_types_beyond_the_most_are_counted_together_and_the_first_keep_their_names():
    activity = Activity()
    activity.know(["known"])
    activity.turn(0.1, [change(None, QUEUED, f"t{n}") for n in range(MOST_NAMED + 5)])
    activity.turn(0.1, [change(None, QUEUED, name) for name in ("t0", "new", "known")])
    assert activity.submitted[OTHER_TYPES] == 6 + 1
    assert (activity.submitted["t0"], activity.submitted["known"]) == (2, 1)
    assert len(activity.named()) == MOST_NAMED
    assert len(activity.submitted) == MOST_NAMED + 1


def test_a_turn_stands_under_the_first_bound_that_it_does_not_exceed():
    activity = Activity()
    for took_s in (0.0, BOUNDS_S[0], BOUNDS_S[0] * 1.01, BOUNDS_S[-1] * 2):
        activity.turn(took_s, [])
    times = activity.times()
    assert times.turns == (2, 1, *[0] * (len(BOUNDS_S) - 2), 1)
    assert times.took_s == BOUNDS_S[0] * 2.01 + BOUNDS_S[-1] * 2


def test_jobs_of_types_without_a_name_are_the_rest():
    found = jobs_by_type({"queued": 7, "failed": 1, "running": 0}, [view("a", queued=3), view("b", queued=2, failed=1)])
    assert found == {
        ("a", "queued"): 3, ("b", "queued"): 2, ("b", "failed"): 1,
        (OTHER_TYPES, "queued"): 2, (OTHER_TYPES, "failed"): 0, (OTHER_TYPES, "running"): 0,
    }  # fmt: skip


def test_a_job_that_moves_between_the_two_reads_makes_no_negative_count():
    assert jobs_by_type({"queued": 2}, [view("a", queued=3)])[OTHER_TYPES, "queued"] == 0


@pytest.mark.gen_test
async def test_the_node_says_what_it_has_done_and_what_it_holds_now():
    house = await House().start()
    await house.register("s1", "echo")
    await house.dispatcher.submit(spec("echo"))
    await run_one(house)
    await house.dispatcher.submit(spec("later", delay_s=60.0))
    look = await house.dispatcher.measures()
    assert look.jobs["echo", "succeeded"] == 1
    assert look.jobs["later", "scheduled"] == 1
    assert sum(jobs for (name, _), jobs in look.jobs.items() if name == OTHER_TYPES) == 0
    assert (look.submitted, look.offered) == ({"echo": 1, "later": 1}, {"echo": 1})
    assert look.settled == {("echo", SUCCEEDED): 1}
    assert (look.workers, look.busy, look.takes_jobs, look.draining) == ({"connected": 1}, 0, True, False)
    assert sum(look.turns.turns) == len(house.store.turns)


@pytest.mark.gen_test
async def test_types_of_an_earlier_life_keep_their_names():
    house = await House().start()
    await house.dispatcher.submit(spec("old"))
    again = await House(store=house.store).start()
    assert (await again.dispatcher.measures()).jobs["old", "queued"] == 1
