"""A demand is made for lanes that have ready jobs, and its cost depends on what moves."""

from __future__ import annotations

import pytest

from dispatcher.core.fleet.lanes import MOST_EMPTY_LANES
from dispatcher.core.fleet.worker import WorkerState
from dispatcher.core.jobs.turn import LaneReady
from tests.core.fleet.farm import Farm
from tests.support.operations import operations


def test_idle_workers_that_nobody_wants_are_no_demand():
    farm = Farm()
    farm.join("w1", "a")
    farm.ready(b=5)
    assert farm.demand() == []


def test_jobs_that_come_with_the_turn_are_asked_for_too():
    farm = Farm()
    farm.join("w1", "a", slots=5)
    assert [(d.lanes, d.room) for d in farm.pools.demand(9, {"a": 2, "b": 1})] == [(("a",), 2)]
    assert farm.demand() == [], "they were this turn's, and its report has not said that some are left"


def test_no_more_is_asked_for_than_there_are_jobs():
    farm = Farm()
    for n in range(5):
        farm.join(f"w{n}", "a", *(["b"] if n % 2 else []))
    farm.ready(a=2)
    assert sum(room for _, room in farm.demand()) == 2


@pytest.mark.parametrize("others", [0, 1_023, 1_024, 1_100, 3_000])
def test_an_idle_worker_is_asked_for_whoever_else_stands_idle(others):
    """The first version named the first 1,024 idle workers: those behind them never got a job."""
    farm = Farm()
    for n in range(others):
        farm.join(f"a{n}", "a")
    farm.join("b", "b")
    farm.ready(b=4)
    assert farm.demand(1_024) == [(("b",), 1)]


def test_of_many_lanes_those_with_the_oldest_jobs_are_asked_for():
    farm = Farm()
    lanes = [f"t{n}" for n in range(100)]
    farm.join("w1", *lanes, slots=2)
    farm.pools.reported([LaneReady(lane, 9, float(-n)) for n, lane in enumerate(lanes)], claimed=True)
    assert farm.demand() == [(("t99", "t98"), 2)]
    farm.pools.reported([LaneReady("t99", 8, 50.0)], claimed=True)
    assert farm.demand() == [(("t98", "t97"), 2)]


def test_a_group_shared_with_others_asks_for_enough_workers_of_its_own():
    """Both jobs find a worker, whichever the store takes first."""
    farm = Farm()
    for name, lanes in (("ab", "ab"), ("a", "a"), ("b", "b")):
        farm.hold(farm.join(name, *lanes), "x")
        farm.free(farm.workers[name])
    farm.ready(a=1, b=1)
    assert farm.demand() == [(("a", "b"), 1), (("a",), 1), (("b",), 1)]


def test_pools_come_and_go_and_their_lanes_find_who_is_there():
    farm = Farm()
    farm.ready(a=5)
    assert farm.demand() == []
    farm.join("w1", "a")
    farm.join("w2", "a", "b")
    assert sorted(farm.demand()) == [(("a",), 1), (("a",), 1)]
    farm.leave("w1")
    assert farm.demand() == [(("a",), 1)]
    farm.leave("w2")
    assert farm.demand() == []
    farm.join("w3", "a")
    assert farm.demand() == [(("a",), 1)]


def test_what_was_asked_for_and_is_not_there_is_not_asked_for_again_at_once():
    farm = Farm()
    farm.join("w1", "a")
    farm.ready(a=5)
    farm.demand()
    farm.pools.reported([LaneReady("a", 5, 1.0)], claimed=False)
    assert not farm.pools.hungry()
    farm.pools.reported([LaneReady("a", 5, 1.0)], claimed=True)
    assert farm.pools.hungry()


# -- what a demand costs


def _used_once(farm: Farm) -> None:
    for worker in farm.workers.values():
        farm.hold(worker, "x")
        farm.free(worker)


def _turn(farm: Farm, lane: str, worker: str) -> None:
    """A job comes, its worker gets it and gives it back."""
    (entry,) = farm.pools.demand(1_024, {lane: 1})
    taken = farm.pools.take(entry.pool, ())
    assert taken is not None
    assert taken.id == worker
    farm.hold(taken, "x")
    farm.pools.reported([LaneReady(lane, 0)], claimed=True)
    farm.free(taken)


def _cost_of_a_turn(farm: Farm, lane: str, worker: str) -> int:
    return operations(lambda: _turn(farm, lane, worker))


@pytest.mark.parametrize("pools", [1, 10, 1_000])
def test_a_demand_costs_the_same_beside_100_and_10_000_idle_workers(pools):
    costs = []
    for others in (100, 10_000):
        farm = Farm()
        for n in range(others):
            farm.join(f"a{n}", f"other-{n % pools}")
        farm.join("mine", "mine")
        _used_once(farm)
        _turn(farm, "mine", "mine")
        costs.append(_cost_of_a_turn(farm, "mine", "mine"))
    assert costs[0] == costs[1]


def test_a_demand_costs_the_same_beside_100_and_10_000_lanes_that_nobody_can_run():
    costs = []
    for lanes in (100, 10_000):
        farm = Farm()
        farm.join("mine", "mine")
        farm.pools.reported([LaneReady(f"other-{n}", 7, 1.0) for n in range(lanes)], claimed=True)
        _turn(farm, "mine", "mine")
        costs.append(_cost_of_a_turn(farm, "mine", "mine"))
    assert costs[0] == costs[1]


def test_a_demand_costs_the_same_with_100_and_10_000_ready_lanes_of_one_pool():
    costs = []
    for count in (100, 10_000):
        farm = Farm()
        names = [f"t{n:05}" for n in range(count)]
        farm.join("w1", *names)
        farm.pools.reported([LaneReady(name, 9, float(n)) for n, name in enumerate(names)], claimed=True)
        farm.demand()
        costs.append(operations(farm.demand))
    assert costs[0] == costs[1]


def test_one_type_offered_by_a_thousand_pools_costs_as_much_as_by_ten():
    costs = []
    for count in (10, 1_000):
        farm = Farm()
        for n in range(count):
            farm.join(f"w{n}", "shared", f"own-{n}")
        _used_once(farm)
        for n in range(count):
            _turn(farm, "shared", f"w{n}")
        for n in range(3):
            _turn(farm, "shared", f"w{n}")
        costs.append(_cost_of_a_turn(farm, "shared", "w3"))
    assert costs[1] <= costs[0] + 20


# -- what is kept of lanes and groups


def test_how_the_workers_of_a_type_stand_is_counted():
    farm = Farm()
    for name in ("idle", "busy", "paused", "aside", "away"):
        farm.join(name, "a", *(["b"] if name == "busy" else []))
    farm.hold(farm.workers["busy"], "x")
    farm.workers["paused"].paused = farm.workers["aside"].aside = True
    farm.workers["away"].state = WorkerState.AWAY
    for worker in farm.workers.values():
        farm.pools.update(worker)
    assert {str(kind): n for kind, n in farm.pools.standing("a").items() if n} == dict.fromkeys(farm.workers, 1)
    assert {str(kind): n for kind, n in farm.pools.standing("b").items() if n} == {"busy": 1}
    for name in list(farm.workers):
        farm.leave(name)
    assert not farm.pools.standing("a").total()


def test_heaps_of_a_group_stay_in_proportion_and_in_order():
    farm = Farm()
    for name in ("w1", "w2"):
        farm.join(name, "a", *(["b"] if name == "w2" else []))
    farm.ready(a=1)
    farm.join("gone", "a", "c")
    farm.leave("gone")
    (group,) = farm.pools.lanes.hot
    for n in range(1_000):
        farm.pools.reported([LaneReady("a", 1, float(n))], claimed=True)
        farm.hold(farm.workers["w1"], "x")
        farm.free(farm.workers["w1"])
    assert len(group._heads) < 100
    assert len(group._idle) < 100
    assert farm.demand() == [(("a",), 1)]
    assert farm.pools.demand(1)[0].pool == farm.number("w2"), "w1 was used later"


def test_the_heap_of_a_group_keeps_nothing_of_pools_that_have_left():
    """The jobs stay, so that looking at the heap takes nothing out of it."""
    farm = Farm()
    farm.join("stays", "a")
    farm.ready(a=1)
    (group,) = farm.pools.lanes.hot
    farm.hold(farm.workers["stays"], "x")
    for number in range(1_000):
        farm.join("w", "a", f"own-{number}")
        farm.leave("w")
    assert len(group._idle) < 100
    farm.free(farm.workers["stays"])
    assert farm.demand() == [(("a",), 1)]


def test_lanes_without_jobs_are_remembered_up_to_a_bound():
    farm = Farm()
    farm.join("w1", "t1", "t9999")
    for n in range(MOST_EMPTY_LANES + 500):
        farm.pools.reported([LaneReady(f"t{n}", 1, 1.0)], claimed=True)
        farm.pools.reported([LaneReady(f"t{n}", 0)], claimed=True)
    assert len(farm.pools.lanes._lanes) == MOST_EMPTY_LANES
    farm.pools.reported([LaneReady("t0", 0), LaneReady("t1", 1, 1.0)], claimed=True)
    assert farm.demand() == [(("t1",), 1)], (
        "one that was forgotten is made anew, and nothing is kept of one without jobs"
    )


def test_more_hot_groups_than_one_demand_holds_have_their_turns():
    farm = Farm()
    lanes = [f"t{n:02}" for n in range(20)]
    for lane in lanes:
        farm.join(lane, lane)
    farm.ready(**dict.fromkeys(lanes, 1))
    asked: list[str] = []
    for _ in range(20):
        (first, *_) = farm.pools.demand(1)
        taken = farm.pools.take(first.pool, ())
        assert taken is not None
        farm.hold(taken, "x")
        asked += first.lanes
        farm.pools.reported([LaneReady(first.lanes[0], 0)], claimed=True)
    assert sorted(asked) == lanes


def test_groups_that_one_demand_could_not_name_are_asked_for_at_once():
    """They had to wait for the next event when fewer jobs were claimed than a turn can claim."""
    farm = Farm()
    for number in range(6):
        farm.join(f"w{number}", f"t{number}")
    farm.ready(**{f"t{number}": 1 for number in range(6)})
    for claimed in (True, False, False):
        assert farm.pools.hungry()
        lanes = [name for names, _ in farm.demand(2) for name in names]
        for name in lanes if claimed else ():
            farm.hold(farm.workers[f"w{name[1]}"], "x")
        farm.pools.reported([LaneReady(name, 0) for name in lanes], claimed=claimed)
    assert not farm.pools.hungry()


def test_what_stays_and_is_not_claimed_is_not_asked_for_for_ever():
    farm = Farm()
    for number in range(6):
        farm.join(f"w{number}", f"t{number}")
    farm.ready(**{f"t{number}": 1 for number in range(6)})
    lanes = [name for names, _ in farm.demand(2) for name in names]
    farm.pools.reported([LaneReady(name, 1, 1.0) for name in lanes], claimed=False)
    assert not farm.pools.hungry()


def test_a_demand_ends_when_it_asks_for_four_times_what_can_be_claimed():
    farm = Farm()
    lanes = [f"t{n}" for n in range(8)]
    for lane in lanes:
        farm.join(lane, lane, slots=8)
    farm.ready(**dict.fromkeys(lanes, 8))
    first, second = farm.demand(8), farm.demand(8)
    assert [sum(room for _, room in demand) for demand in (first, second)] == [32, 32]
    assert sorted({name for names, _ in first + second for name in names}) == lanes, "the others have their turn next"
