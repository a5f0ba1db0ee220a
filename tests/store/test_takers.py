"""A job looks at a few lines of the demand, not at all of its entries."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.core.jobs.turn import Demand
from dispatcher.store.takers import Takers
from tests.support.operations import operations


def _one_lane(entries: int) -> list[Demand]:
    return [Demand(number, ("echo",), 1) for number in range(entries)]


def _lanes_of_their_own(entries: int) -> list[Demand]:
    return [Demand(number, (f"other-{number}",), 1) for number in range(1, entries)] + [Demand(0, ("echo",), 1)]


def _two_lines(entries: int) -> list[Demand]:
    return [Demand(number, ("echo", "other") if number % 2 else ("echo",), 1) for number in range(entries)]


@pytest.mark.parametrize("shape", [_one_lane, _lanes_of_their_own, _two_lines])
def test_the_last_job_costs_the_same_with_10_entries_and_with_1_000(shape):
    costs = []
    for entries in (10, 1_000):
        demand = shape(entries)
        takers = Takers(demand)
        fit = sum("echo" in entry.lanes for entry in demand)
        assert None not in [takers.take("echo") for _ in range(fit - 1)]
        costs.append(operations(partial(takers.take, "echo")))
        assert takers.take("echo") is None
    assert costs[0] == costs[1]
