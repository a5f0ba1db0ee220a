"""The list of types: a slice at a time, in order, at the cost of the slice."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.turn import CommandReport, ForgetTypes, OfferedTypes
from dispatcher.store.memory import MemoryStore
from tests.store.conftest import OpenDesk
from tests.store.contract import Desk, Kind
from tests.support.jobs import spec
from tests.support.operations import operations


def names(desk: Desk, *asked: Any) -> list[str]:
    return [view.type for view in desk.run(desk.store.types(*asked))]


def test_a_slice_of_the_types_is_in_order_whatever_came_first(desk: Desk) -> None:
    desk.submit(spec("b"), spec("b", requires=requirement_of({"site": "berlin"})), spec("c"))
    desk.command(OfferedTypes(("d", "ca", "a")))
    assert names(desk) == ["a", "b", "c", "ca", "d"]
    assert names(desk, "", None, 2) == ["a", "b"]
    assert names(desk, "", "b", 2) == ["c", "ca"]
    assert names(desk, "", "bb", 2) == ["c", "ca"], "behind one that is not there"
    assert names(desk, "c") == ["c", "ca"]
    assert names(desk, "c", "c") == ["ca"]
    assert names(desk, "c", "a", 1) == ["c"]
    assert names(desk, "c", "ca") == names(desk, "x") == names(desk, "", "d") == names(desk, "", None, 0) == []


def test_types_can_be_read_by_their_names(desk: Desk) -> None:
    desk.submit(spec("b"), spec("b", requires=requirement_of({"site": "berlin"})), spec("c"))
    views = desk.run(desk.store.named_types(["c", "never-heard-of", "b"]))
    assert [(view.type, view.counts["queued"], view.offered_at) for view in views] == [("c", 1, None), ("b", 2, None)]


def test_a_type_that_was_forgotten_and_named_again_stands_once(desk: Desk) -> None:
    desk.command(OfferedTypes(("a", "b", "c")))
    desk.command(ForgetTypes(frozenset({"a", "c"})))
    assert names(desk) == ["a", "c"]
    desk.submit(spec("b"))
    assert names(desk) == ["a", "b", "c"]


def test_a_type_that_a_page_names_in_the_turn_that_forgets_stays(desk: Desk) -> None:
    desk.turn(commands=[ForgetTypes(frozenset({"a"})), OfferedTypes(("b",))])
    assert names(desk) == ["a", "b"]
    desk.turn(commands=[OfferedTypes(("c",)), ForgetTypes(frozenset({"a", "b"}))])
    assert names(desk) == ["a", "b", "c"]
    if desk.kind.durable:
        desk.reopen()
    assert names(desk) == ["a", "b", "c"]


def test_types_that_found_no_room_are_named_and_taken_when_there_is_room(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, most_types=2)
    assert desk.command(OfferedTypes(("a", "b"))) == CommandReport(True)
    assert desk.command(OfferedTypes(("a", "d", "c"))) == CommandReport(False, no_room=("d", "c"))
    offered = frozenset("bcd")
    assert desk.command(ForgetTypes(offered)) == CommandReport(True, no_room=("c", "d")), "a goes at its end"
    assert names(desk) == ["b"]
    assert desk.command(ForgetTypes(offered)) == CommandReport(True, no_room=("d",))
    assert names(desk) == ["b", "c"]


@pytest.mark.parametrize("bad_items", [[], [spec("c", data="\ud800")]], ids=["at once", "item by item"])
@pytest.mark.parametrize("first", ["forgotten", "offered", "known before"])
def test_a_type_that_is_offered_in_the_turn_that_forgets_types_stays(
    desk: Desk, first: str, bad_items: list[JobSpec]
) -> None:
    """Its page offers it only once. The command to forget may come before that offer or after it."""
    forget, offer = ForgetTypes(frozenset()), OfferedTypes(("b",))
    if first == "known before":
        desk.command(offer)
    desk.command(OfferedTypes(("a",)))
    desk.turn(commands=[offer, forget] if first == "offered" else [forget, offer], submissions=bad_items)
    assert names(desk) == ["b"]
    [view] = desk.run(desk.store.named_types(["b"]))
    assert view.offered_at is not None


def test_the_order_outlives_a_restart(durable: Desk) -> None:
    durable.command(OfferedTypes(("c", "a", "b")))
    durable.reopen()
    assert names(durable) == ["a", "b", "c"]


@pytest.mark.parametrize("asked", [("", None, 101), ("type-000", "type-00003", 21)])
def test_a_slice_costs_the_same_among_100_types_and_among_10_000(desk: Desk, asked: tuple[Any, ...]) -> None:
    costs = []
    desk.command(OfferedTypes(tuple(f"type-{n:05d}" for n in range(200))))
    cost(desk, *asked)  # a statement costs more the first time
    costs.append(cost(desk, *asked))
    desk.command(OfferedTypes(tuple(f"type-{n:05d}" for n in range(200, 10_000))))
    costs.append(cost(desk, *asked))
    assert len(names(desk, *asked)) == asked[2]
    assert costs[0] == costs[1]


def cost(desk: Desk, *asked: Any) -> int:
    """The operations of one list of types, counted in the store's thread if it has one."""
    store: Any = desk.store
    if isinstance(store, MemoryStore):
        return operations(lambda: _finish(store.types(*asked)))
    count: int = desk.run(store._thread.run(lambda: operations(lambda: store._types(*asked))))
    return count


def _finish(coroutine: Any) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)
