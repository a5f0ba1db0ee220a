"""A paused type: none of its jobs is asked for, none is forgotten, and it costs the turns of others nothing."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.turn import LaneReady
from tests.core.fleet.farm import Farm, lane
from tests.support.operations import operations


def hold(farm: Farm, name: str) -> None:
    farm.pools.lanes.hold(name)


def resume(farm: Farm, name: str) -> None:
    farm.pools.reported(farm.pools.lanes.held.end(name), claimed=True)


@pytest.fixture
def farm() -> Farm:
    """A worker that offers two types, both with jobs."""
    farm = Farm()
    farm.join("w1", "a", "b", slots=9, labels={"site": "x"})
    farm.left({"a": 2, lane("a", site="x"): 1, "b": 1})
    return farm


def asked(farm: Farm) -> set[str]:
    return {name for lanes, _ in farm.demand() for name in lanes}


def test_none_of_its_jobs_is_asked_for_until_it_is_resumed(farm):
    hold(farm, "a")
    assert asked(farm) == {"b"}
    resume(farm, "a")
    assert (asked(farm), farm.pools.hungry()) == ({"a", lane("a", site="x"), "b"}, False)


def test_a_resumed_type_wants_a_turn_even_if_its_lanes_were_asked_for_just_before(farm):
    asked(farm)
    hold(farm, "a")
    resume(farm, "a")
    assert farm.pools.hungry()


def test_what_turns_say_of_it_meanwhile_counts_when_it_is_resumed(farm):
    hold(farm, "a")
    farm.left({"a": 0, lane("a", site="x"): 4, lane("a", site="y"): 7})
    assert asked(farm) == {"b"}
    resume(farm, "a")
    assert asked(farm) == {lane("a", site="x"), "b"}, "nobody has the label of the other lane"


def test_the_first_of_its_jobs_keeps_its_rank(farm):
    hold(farm, "a")
    farm.pools.reported([LaneReady("a", 3, 0.5), LaneReady("b", 1, 2.0)], claimed=True)
    farm.pools.reported([LaneReady("a", 4, 7.0, seen=False)], claimed=False)
    [entry, *_] = sorted(farm.pools.lanes.held.end("a"), key=lambda entry: entry.lane)
    assert entry == LaneReady("a", 4, 0.5)


def test_jobs_that_come_with_the_turn_are_not_asked_for_either(farm):
    hold(farm, "a")
    assert {name for one in farm.pools.demand(9, {"a": 5, "b": 1}) for name in one.lanes} == {"b"}


def test_a_paused_type_is_not_one_that_nobody_offers(farm):
    farm.left({"c": 1})
    assert farm.pools.lanes.unserved.names == ["c"]
    hold(farm, "c")
    assert farm.pools.lanes.unserved.names == []
    assert (farm.pools.lanes.held.waits("c"), farm.pools.lanes.held.waits("b")) == (True, False)
    resume(farm, "c")
    assert farm.pools.lanes.unserved.names == ["c"]


def test_to_pause_it_twice_or_to_resume_what_is_not_paused_changes_nothing(farm):
    hold(farm, "a")
    hold(farm, "a")
    resume(farm, "b")
    resume(farm, "nothing")
    assert asked(farm) == {"b"}
    resume(farm, "a")
    assert len(asked(farm)) == 3


def cost(lanes: int, *, of_it: int) -> tuple[int, int]:
    """What a turn costs beside a paused type with many lanes; and what its pause costs beside many other lanes."""
    farm = Farm()
    farm.join("w1", "b", "a", slots=2)
    farm.left({lane("a" if number < of_it else "b", site=f"s{number}"): 1 for number in range(lanes)})
    farm.left({"b": 1})
    pausing = operations(lambda: hold(farm, "a"))
    return operations(lambda: (farm.left({"b": 1}), farm.demand())), pausing


def test_a_turn_costs_the_same_however_many_lanes_a_paused_type_has():
    assert cost(100, of_it=100)[0] == cost(10_000, of_it=10_000)[0]


def test_a_pause_costs_the_same_however_many_lanes_other_types_have():
    assert cost(100, of_it=10)[1] == cost(10_000, of_it=10)[1]
