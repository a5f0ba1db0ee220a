"""The types that ready jobs wait for and no worker offers."""

from __future__ import annotations

from dispatcher.core.jobs.turn import LaneReady
from tests.core.fleet.farm import Farm, lane
from tests.core.workers.support import Node


def unserved(farm: Farm) -> list[str]:
    return farm.pools.lanes.unserved.names


def test_a_type_is_unserved_from_its_first_ready_job_to_its_last_one() -> None:
    farm = Farm()
    farm.ready(b=2)
    farm.ready(a=1, c=1)
    assert unserved(farm) == ["a", "b", "c"]
    farm.ready(b=1)
    assert unserved(farm) == ["a", "b", "c"]
    farm.ready(b=0)
    farm.join("w", "b")
    farm.leave("w")
    assert unserved(farm) == ["a", "c"]


def test_a_type_is_unserved_while_any_of_its_lanes_has_ready_jobs() -> None:
    farm, berlin = Farm(), lane("a", site="berlin")
    farm.left({"a": 1, berlin: 1})
    farm.ready(a=0)
    assert unserved(farm) == ["a"]
    farm.left({berlin: 0})
    assert unserved(farm) == []


def test_a_type_is_served_from_the_first_worker_that_offers_it_to_the_last_one() -> None:
    farm = Farm()
    farm.ready(a=1, b=1)
    for worker, types in (("w1", "b"), ("w2", "bc")):
        farm.join(worker, *types)
        assert unserved(farm) == ["a"]
    farm.leave("w1")
    assert unserved(farm) == ["a"]
    farm.leave("w2")
    assert unserved(farm) == ["a", "b"]


def test_a_worker_that_lacks_a_label_serves_the_type_all_the_same() -> None:
    farm = Farm()
    farm.left({lane("a", site="berlin"): 1})
    farm.join("w", "a")
    assert unserved(farm) == []


def test_the_machine_names_the_first_of_them() -> None:
    machine = Node().machine
    machine.ready([LaneReady(name, 1, 1.0) for name in "cab"], claimed=False)
    assert (machine.unserved(2), machine.unserved(0)) == (["a", "b"], [])
