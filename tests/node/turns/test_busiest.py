"""The types that have most to do of late."""

from __future__ import annotations

import math
import random
from functools import partial

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.node.turns.busiest import HALF_S, MOST_TYPES, Busiest
from tests.support.operations import operations


def came(name: str, jobs: int = 1) -> list[Change]:
    return [Change("j", name, None, JobState.QUEUED, 1.0, None, None, None)] * jobs


def test_who_has_more_stands_first_until_another_has_more_of_late() -> None:
    busiest = Busiest()
    busiest.seen(came("old", 8) + came("few", 2), 0.0)
    assert busiest.first(5) == ["old", "few"]
    busiest.seen(came("new", 3), HALF_S)
    assert busiest.first(5) == ["old", "new", "few"], "eight count as four by now"
    busiest.seen(came("new", 2), 2 * HALF_S)
    assert busiest.first(2) == ["new", "old"]
    assert busiest.first(0) == []


def test_a_job_counts_when_it_comes_and_when_it_settles_and_not_in_between() -> None:
    busiest = Busiest()
    steps = [(JobState.QUEUED, JobState.RUNNING), (JobState.RUNNING, JobState.QUEUED)] * 5
    busiest.seen([Change("j", "moves", old, new, 1.0, None, None, None) for old, new in steps], 0.0)
    assert busiest.first(5) == []
    busiest.seen([Change("j", "a", JobState.RUNNING, JobState.FAILED, 1.0, None, None, None), *came("b")], 0.0)
    assert sorted(busiest.first(5)) == ["a", "b"]


def test_after_a_restart_the_types_with_most_jobs_stand_first() -> None:
    busiest = Busiest()
    counts = {"a": {"queued": 1}, "b": {"failed": 5, "queued": 2}, "none": {}}
    busiest.begin([TypeView(type=name, offered_at=None, counts=jobs) for name, jobs in counts.items()], 50.0)
    assert busiest.first(5) == ["b", "a"]


def test_the_order_is_that_of_the_counts_that_fade() -> None:
    rng, busiest = random.Random(3), Busiest()
    plain: dict[str, float] = {}
    now = 0.0
    for _ in range(500):
        now += rng.uniform(0.0, HALF_S)
        name, jobs = f"t{rng.randrange(20)}", rng.randrange(1, 50)
        busiest.seen(came(name, jobs), now)
        plain[name] = plain.get(name, 0.0) + jobs * math.pow(2.0, now / HALF_S)
    assert busiest.first(20) == sorted(plain, key=lambda name: -plain[name])


def test_a_bounded_number_of_types_is_kept_and_a_change_costs_the_same_among_them() -> None:
    costs = []
    for count in (100, MOST_TYPES + 10):
        busiest = Busiest()
        for number in range(count):
            busiest.seen(came(f"t{number}", 2 if number else 1), 0.0)
        changes = came("t50", 3)
        costs.append([operations(partial(busiest.seen, changes, 1.0)), operations(partial(busiest.first, 20))])
    assert costs[0] == costs[1]
    assert len(busiest._order) == len(busiest._weights) == MOST_TYPES
    assert "t0" not in busiest._weights, "it had least to do"
