"""Ready jobs that no worker takes, though some worker offers their type."""

from __future__ import annotations

import random
from functools import partial

import pytest

from dispatcher.core.fleet.worker import Standing, WorkerState
from dispatcher.core.jobs.turn import LaneReady
from tests.core.fleet.farm import Farm, lane
from tests.core.fleet.test_shut import change
from tests.core.workers.support import Node
from tests.support.operations import operations

BERLIN, ROME = lane("a", site="berlin"), lane("a", site="rome")


def untaken(farm: Farm, most: int = 100) -> list[tuple[str, int]]:
    return [(found.name, jobs) for found, jobs in farm.pools.lanes.untaken.lanes(most)]


def unmatched(farm: Farm) -> list[str]:
    return [found.name for found in farm.pools.lanes.unmatched.lanes()]


def test_a_lane_is_unmatched_until_a_worker_comes_or_its_last_job_goes() -> None:
    farm = Farm()
    farm.join("w1", "a", labels={"site": "paris"})
    farm.left({BERLIN: 2, ROME: 1})
    assert unmatched(farm) == [BERLIN, ROME]
    farm.join("w2", "a", labels={"site": "rome"})
    assert unmatched(farm) == [BERLIN]
    farm.left({BERLIN: 0})
    assert unmatched(farm) == []
    farm.leave("w2")
    assert unmatched(farm) == [ROME]
    assert untaken(farm) == []


def test_a_lane_whose_type_nobody_offers_is_not_unmatched_but_unserved() -> None:
    farm = Farm()
    farm.left({BERLIN: 2})
    assert unmatched(farm) == []
    farm.join("w1", "a")
    assert unmatched(farm) == [BERLIN]
    farm.leave("w1")
    assert unmatched(farm) == []


def test_a_group_is_untaken_while_none_of_its_workers_is_idle_or_busy() -> None:
    farm = Farm()
    first = farm.join("w1", "a", labels={"site": "berlin"})
    second = farm.join("w2", "a", labels={"site": "berlin"})
    farm.left({BERLIN: 3})
    farm.hold(first, "attempt")
    change(farm, second, paused=True)
    assert untaken(farm) == []
    change(farm, first, state=WorkerState.AWAY)
    assert untaken(farm) == [(BERLIN, 3)]
    change(farm, second, paused=False)
    assert untaken(farm) == []


def test_jobs_that_wait_for_the_same_workers_are_told_together() -> None:
    farm = Farm()
    change(farm, farm.join("w1", "a", "b", labels={"site": "berlin"}), paused=True)
    farm.left({BERLIN: 3, lane("b", site="berlin"): 4})
    assert untaken(farm) == [(BERLIN, 7)]
    assert untaken(farm, 0) == []


def test_what_is_kept_is_what_a_look_at_all_groups_finds() -> None:
    """Whatever comes, goes, pauses and waits, in any order."""
    rng, farm = random.Random(7), Farm(most_empty_lanes=3)
    names = [lane("a"), lane("b"), BERLIN, ROME, lane("b", site="rome"), lane("a", name="w1")]
    for step in range(2_000):
        worker = f"w{rng.randrange(6)}"
        act = rng.randrange(4)
        if act == 0:
            farm.left({rng.choice(names): rng.choice([0, 1, 5])})
        elif worker not in farm.workers:
            farm.join(worker, *rng.choice(["a", "b", "ab"]), labels={"site": rng.choice(["berlin", "rome"])})
        elif act == 1:
            farm.leave(worker)
        else:
            change(farm, farm.workers[worker], **{rng.choice(["paused", "aside"]): rng.random() < 0.5})
        lanes = farm.pools.lanes
        takers = {one.pool for one in farm.workers.values() if one.standing() in (Standing.IDLE, Standing.BUSY)}
        groups = lanes._groups.values()
        wanted = {one for one in groups if one.jobs and one.pools and not takers & set(one.pools)}
        assert set(lanes.untaken._groups) == wanted, step
        offered = {name for one in farm.workers.values() for name in one.types}
        nobody = {
            name for name, one in lanes._lanes.items() if one.jobs and not one.group.pools and one.type in offered
        }
        assert set(unmatched(farm)) == nobody, step
        assert set(lanes.waiting) == {name for name, one in lanes._lanes.items() if one.jobs}, step
        assert +lanes.standing == farm.pools.standing("a") + sum_of_others(farm), step


def sum_of_others(farm: Farm):
    """How the workers stand that do not offer ``a``."""
    others = [worker.standing() for worker in farm.workers.values() if "a" not in worker.types]
    return type(farm.pools.lanes.standing)(others)


def test_the_machine_leaves_out_what_it_tells_otherwise_and_who_is_just_away() -> None:
    node = Node()
    berlin, rome = lane("x", site="berlin"), lane("x", site="rome")
    node.join("s1", "w1", types=("x",), labels=(("site", "rome"),))
    node.join("s2", "w2", types=("y", "x"))
    node.machine.ready([LaneReady(name, 1) for name in (berlin, rome, "y", "never")], claimed=False)
    assert (node.machine.unmatched(5), node.machine.untaken(5)) == ([(berlin, 1)], [])
    node.away("s1")
    assert node.machine.untaken(5) == []
    node.back("s1")
    node.pause("s1", True)
    assert (node.machine.untaken(5), node.machine.untaken(0)) == ([(rome, 1)], [])
    node.pause("s2", True)
    assert node.machine.shut(5).keys() == {"x", "y"}
    assert node.machine.untaken(5) == []


def test_lanes_that_wait_are_told_longest_first_and_by_their_type() -> None:
    node = Node()
    node.machine.ready([LaneReady(name, 0) for name in "abc"], claimed=False)
    berlin = lane("x", site="berlin")
    node.machine.ready([LaneReady(name, 1) for name in ("y", berlin, "x")], claimed=False)
    node.machine.ready([LaneReady("y", 0)], claimed=False)
    node.machine.ready([LaneReady("y", 2)], claimed=False)
    assert node.machine.waiting(2) == ([berlin, "x"], 3)
    assert sorted(node.machine.waiting_of("x", 5)) == sorted([berlin, "x"])
    assert len(node.machine.waiting_of("x", 1)) == 1
    assert node.machine.waiting_of("nobody", 5) == []


@pytest.mark.parametrize("known", [True, False])
def test_workers_are_counted_by_how_they_stand_all_and_those_of_a_type(known: bool) -> None:
    node = Node()
    node.join("s1", "w1", types=("x",))
    node.join("s2", "w2", types=("x",))
    node.join("s3", "w3", types=("z",))
    node.pause("s2", True)
    if known:
        node.machine.ready([LaneReady("x", 1)], claimed=False)
    assert node.machine.standings() == {Standing.IDLE: 2, Standing.PAUSED: 1}
    assert node.machine.standing_of("x") == {Standing.IDLE: 1, Standing.PAUSED: 1}
    assert node.machine.standing_of("nobody") == {}


def test_workers_that_stand_in_many_pools_are_not_counted_by_their_type() -> None:
    node = Node()
    for number in range(201):
        node.join(f"s{number}", f"w{number}", types=("x",), labels=(("desk", str(number)),))
    assert node.machine.standing_of("x") is None
    node.machine.ready([LaneReady("x", 1)], claimed=False)
    assert node.machine.standing_of("x") == {Standing.IDLE: 201}, "it is kept for a lane that has had jobs"


def test_to_ask_costs_the_same_with_a_hundred_lanes_that_wait_and_with_ten_thousand() -> None:
    costs = []
    for count in (100, 10_000):
        node = Node()
        node.join("s1", "w1", types=("x",))
        lanes = [LaneReady(lane("x", desk=f"{number}"), 1, 1.0) for number in range(count)]
        node.machine.ready([*lanes, *(LaneReady(f"type-{n}", 1) for n in range(count))], claimed=False)
        asks = (
            node.machine.unmatched,
            node.machine.untaken,
            node.machine.waiting,
            partial(node.machine.waiting_of, "x"),
        )
        costs.append([operations(partial(ask, 20)) for ask in asks])
        assert len(node.machine.unmatched(20)) == len(node.machine.waiting_of("x", 20)) == 20
    assert costs[0] == costs[1]
