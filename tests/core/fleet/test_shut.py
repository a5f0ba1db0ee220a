"""The types that workers offer and none takes."""

from __future__ import annotations

from dispatcher.core.fleet.worker import Standing, WorkerState
from tests.core.fleet.farm import Farm
from tests.core.workers.support import Node

PAUSED, ASIDE = frozenset({Standing.PAUSED}), frozenset({Standing.ASIDE})


def shut(farm: Farm) -> list[str]:
    return farm.pools.lanes.shut.names


def change(farm: Farm, worker, **fields) -> None:
    for name, value in fields.items():
        setattr(worker, name, value)
    farm.pools.update(worker)


def test_a_type_is_shut_while_each_worker_that_is_there_is_paused_or_set_aside() -> None:
    farm = Farm()
    first, second = farm.join("w1", "b", "a"), farm.join("w2", "b")
    assert shut(farm) == []
    change(farm, first, paused=True)
    assert shut(farm) == ["a"]
    change(farm, second, aside=True)
    assert shut(farm) == ["a", "b"]
    assert farm.pools.lanes.shut.why("a") == PAUSED
    assert farm.pools.lanes.shut.why("b") == PAUSED | ASIDE
    change(farm, first, paused=False)
    assert shut(farm) == []


def test_workers_of_one_pool_shut_it_together_and_one_that_is_busy_keeps_it_open() -> None:
    farm = Farm()
    first, second = farm.join("w1", "a"), farm.join("w2", "a")
    farm.hold(first, "attempt")
    change(farm, second, paused=True)
    assert shut(farm) == []
    farm.leave("w1")
    assert shut(farm) == ["a"]
    farm.leave("w2")
    assert shut(farm) == []


def test_who_is_away_neither_shuts_a_type_nor_opens_it() -> None:
    farm = Farm()
    first, second = farm.join("w1", "a"), farm.join("w2", "a", labels={"site": "berlin"})
    change(farm, first, state=WorkerState.AWAY)
    change(farm, second, state=WorkerState.QUIET)
    assert shut(farm) == []
    change(farm, second, state=WorkerState.CONNECTED, paused=True)
    assert shut(farm) == ["a"]
    change(farm, first, state=WorkerState.CONNECTED)
    assert shut(farm) == []


def test_a_worker_that_offers_other_types_now_opens_and_shuts_those() -> None:
    farm = Farm()
    worker = farm.join("w1", "a")
    change(farm, worker, paused=True)
    change(farm, worker, types=("b",))
    assert shut(farm) == ["b"]


def test_nothing_is_kept_of_workers_that_have_gone() -> None:
    farm = Farm()
    for number in range(3):
        change(farm, farm.join(f"w{number}", "a", f"t{number}"), paused=True, aside=True)
        farm.leave(f"w{number}")
    assert farm.pools.lanes.shut._pools == {}


def test_the_machine_names_the_first_of_them() -> None:
    node = Node()
    node.join(types=("c", "a", "b"))
    node.pause("s1", True)
    assert node.machine.shut(2) == {"a": PAUSED, "b": PAUSED}
