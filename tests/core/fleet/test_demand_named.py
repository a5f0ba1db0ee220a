"""Jobs for workers of a name or with a label: a turn costs as much as with one lane, however many there are."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.core.fleet.lanes import MOST_EMPTY_LANES
from dispatcher.core.jobs.turn import LaneReady
from tests.core.fleet.farm import Farm, lane
from tests.support.operations import operations


def named(number: int) -> str:
    return lane("print", name=f"DESK-{number:05d}")


def turn(farm: Farm, key: str, worker: str, jobs: int = 1) -> None:
    """Jobs come to a lane, one is given to its worker, and the worker gives it back."""
    entry = farm.pools.demand(1_024, {key: jobs})[0]
    taken = farm.pools.take(entry.pool, (), key)
    assert taken is not None
    assert taken.id == worker
    farm.hold(taken, "x")
    farm.pools.reported([LaneReady(key, 0)], claimed=True)
    farm.free(taken)


def work_off(farm: Farm) -> dict[str, str]:
    """Runs turns until no job is ready; returns each worker, with the lane of its job. All are free then."""
    given: dict[str, str] = {}
    while farm.pools.hungry():
        report = []
        for entry in farm.pools.demand(1_024):
            taken = farm.pools.take(entry.pool, (), entry.lanes[0])
            assert taken is not None
            farm.hold(taken, "x")
            given[taken.id] = entry.lanes[0]
            report.append(LaneReady(entry.lanes[0], 0))
        farm.pools.reported(report, claimed=True)
    for worker in farm.workers.values():
        farm.free(worker)
    return given


def house(count: int, **fields) -> Farm:
    """``count`` workers, each with a name of its own."""
    farm = Farm()
    for number in range(count):
        farm.join(f"w{number}", "print", name=f"DESK-{number:05d}", **fields)
    return farm


def test_a_name_that_nobody_requires_makes_no_pool():
    farm = house(100)
    turn(farm, "print", "w0")
    assert len(farm.pools._pools) == 1
    turn(farm, named(7), "w7")
    assert len(farm.pools._pools) == 2


def test_ten_thousand_jobs_for_as_many_names_are_each_taken_by_its_own_worker():
    farm = house(10_000)
    keys = [named(number) for number in range(10_000)]
    farm.left(dict.fromkeys(keys, 1))
    given = work_off(farm)
    assert given == {f"w{number}": key for number, key in enumerate(keys)}


def test_a_turn_for_a_name_costs_the_same_beside_100_and_10_000_names():
    costs = []
    for count in (100, 10_000):
        farm = house(count)
        farm.ready(print=0)
        farm.left({named(number): 1 for number in range(count)})
        assert len(work_off(farm)) == count
        for _ in range(3):
            turn(farm, named(7), "w7")
        costs.append(operations(partial(turn, farm, named(7), "w7")))
    assert costs[0] == costs[1]


def test_a_name_that_is_first_required_costs_the_same_beside_100_and_10_000_names():
    """Its worker moves to a pool of its own; only the lanes that it matches hear of it."""
    costs = []
    for count in (100, 10_000):
        farm = house(count, labels={"site": "berlin"})
        farm.left({"print": 1, lane("print", site="berlin"): 1} | {named(n): 1 for n in range(count - 10)})
        farm.demand(10)
        farm.left({named(count - 2): 1})
        costs.append(operations(partial(farm.left, {named(count - 1): 1})))
    assert costs[0] == costs[1]


def test_a_page_that_comes_or_goes_costs_the_same_beside_100_and_10_000_names():
    costs = []
    for count in (100, 10_000):
        farm = house(count)
        farm.left({named(number): 1 for number in range(count)} | {lane("print", name="NEW"): 1, "print": 1})
        farm.demand(1)

        def act(farm=farm):
            farm.join("new", "print", name="NEW", labels={"site": "berlin"})
            farm.leave("new")

        act()
        costs.append(operations(act))
    assert costs[0] == costs[1]


def test_a_label_of_its_own_costs_the_same_beside_100_and_10_000():
    """Every page has a label that no other has: as many pools as pages, and a lane for each."""
    costs = []
    for count in (100, 10_000):
        farm = Farm()
        keys = [lane("print", asset=str(number), area="berlin") for number in range(count)]
        for number in range(count):
            farm.join(f"w{number}", "print", labels={"asset": str(number), "area": "berlin"})
        farm.left(dict.fromkeys(keys, 1))
        assert len(work_off(farm)) == count
        new = lane("print", asset="7", area=["berlin", "bonn"])

        def act(farm=farm, keys=keys, new=new):
            turn(farm, keys[7], "w7")
            turn(farm, new, "w7")

        for _ in range(3):
            act()
        costs.append(operations(act))
    assert costs[0] == costs[1]


def test_a_lane_that_is_first_met_costs_the_same_beside_100_and_10_000_labels():
    costs = []
    for count in (100, 10_000):
        farm = Farm()
        for number in range(count):
            farm.join(f"w{number}", "print", labels={"asset": str(number), "area": "berlin"})
        farm.ready(print=1)
        farm.demand(1)
        new = lane("print", asset="7", area=["berlin", "bonn"])
        costs.append(operations(partial(farm.left, {new: 1})))
    assert costs[0] == costs[1]


def test_targets_that_are_not_there_cost_nothing():
    """They stand in a group that no pool matches."""
    costs = []
    for count in (100, 10_000):
        farm = house(1)
        farm.left({lane("print", name=f"away-{number}"): 1 for number in range(count)})
        turn(farm, "print", "w0")
        costs.append(operations(partial(turn, farm, "print", "w0")))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("wanted", ["name", "asset"])
def test_lanes_that_nobody_needs_any_more_are_forgotten_with_their_pools(wanted):
    farm = Farm(most_empty_lanes=10)
    for number in range(50):
        farm.join(f"w{number}", "print", name=f"{number}", labels={"asset": f"{number}"} if wanted == "asset" else {})
    for number in range(50):
        turn(farm, lane("print", **{wanted: f"{number}"}), f"w{number}")
    lanes = farm.pools.lanes
    assert len(lanes._lanes) == len(lanes._empty) == 10
    assert len(lanes._groups) == 10
    assert sum(map(len, lanes.matcher._filed["print"].values())) == 10
    if wanted == "name":
        assert sorted(lanes.wanted) == [f"{number}" for number in range(40, 50)]
        assert len(farm.pools._pools) == 11, "the others stand in one pool again"
    assert MOST_EMPTY_LANES > 10
