"""A job goes to the first entry of the demand that has room for its lane; other entries cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from dispatcher.core.jobs.turn import Demand
from dispatcher.store.applier.takers import Takers
from tests.support.operations import operations

#: Demands in which this many entries match the lane ``a``, with room for one job each.
SHAPES: dict[str, Callable[[int], list[Demand]]] = {
    "of the same lanes": lambda number: [Demand(n, ("a", "b"), 1) for n in range(number)],
    "of the lane alone and with another": lambda number: [Demand(n, ("a", "b")[: 1 + n % 2], 1) for n in range(number)],
}


def _taken(takers: Takers, number: int) -> list[int | None]:
    return [takers.take("a") for _ in range(number)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_job_costs_the_same_with_10_entries_and_with_1_000(shape: str) -> None:
    few, many = (Takers(SHAPES[shape](number)) for number in (10, 1_000))
    costs = [operations(lambda: _taken(few, 10)) / 10, operations(lambda: _taken(many, 1_000)) / 1_000]
    assert costs[1] <= 1.1 * costs[0]
    assert few.take("a") is many.take("a") is None


def test_a_job_costs_the_same_beside_10_and_1_000_entries_of_other_lanes() -> None:
    costs = []
    for number in (10, 1_000):
        takers = Takers([*(Demand(n, (f"lane-{n}",), 1) for n in range(number)), Demand(number, ("a",), 1)])
        costs.append(operations(partial(takers.take, "a")))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_entry_that_has_room_takes_the_job(shape: str) -> None:
    takers = Takers(SHAPES[shape](10))
    assert takers.room == 10
    assert _taken(takers, 11) == [*range(10), None]


def test_an_entry_takes_as_many_jobs_as_it_has_room_for_from_any_of_its_lanes() -> None:
    takers = Takers([Demand(1, ("a",), 1), Demand(2, ("a", "b"), 2), Demand(3, ("b",), 1)])
    assert [takers.take(lane) for lane in "abaabb"] == [1, 2, 2, None, 3, None]
    assert takers.take("c") is None
