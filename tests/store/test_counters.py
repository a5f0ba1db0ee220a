"""Counters: kept with each move, so that reading them costs the same however many lanes there are."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.matching import lane_of, requirement_of
from dispatcher.core.jobs.states import JobState
from dispatcher.store.counters import Counters
from dispatcher.store.memory import MemoryStore
from dispatcher.store.requests import Tally
from tests.store.conftest import OpenDesk
from tests.store.contract import MEMORY, SQLITE, Desk, Kind, result
from tests.support.jobs import spec
from tests.support.operations import operations

NOTHING = {str(state): 0 for state in JobState}


def _counters(lanes: int) -> Counters:
    return Counters({(f"lane-{n}", JobState.QUEUED): Tally(1, 10) for n in range(lanes)})


def test_the_states_cost_the_same_among_100_lanes_and_among_10_000() -> None:
    few, many = _counters(100), _counters(10_000)
    assert operations(few.by_state) == operations(many.by_state)
    assert (few.by_state()["queued"], many.by_state()["queued"]) == (100, 10_000)


def test_a_move_costs_the_same_among_100_lanes_and_among_10_000() -> None:
    moves = {("lane-7", JobState.QUEUED): Tally(-1, -10), ("lane-7", JobState.RUNNING): Tally(1, 10)}
    few, many = _counters(100), _counters(10_000)
    assert operations(lambda: few.add(moves)) == operations(lambda: many.add(moves))


def test_the_states_are_those_of_the_moves() -> None:
    counters = _counters(3)
    counters.add({("lane-0", JobState.QUEUED): Tally(-1, -10), ("lane-0", JobState.FAILED): Tally(1, 10)})
    counters.add({("new", JobState.QUEUED): Tally(2, 20)})
    assert counters.by_state() == NOTHING | {"queued": 4, "failed": 1}
    counters.add({("lane-0", JobState.FAILED): Tally(-1, -10)})
    counters.forget("lane-0")
    assert counters.by_state() == NOTHING | {"queued": 4}
    assert (counters.held.jobs, counters.held.bytes) == (4, 40)


def test_the_states_that_are_read_are_the_readers_own() -> None:
    counters = _counters(1)
    counters.by_state()["queued"] = 7
    assert counters.by_state()["queued"] == 1


@pytest.mark.parametrize("kind", [MEMORY, SQLITE], ids=lambda kind: kind.name)
def test_a_store_counts_at_the_same_cost_beside_10_lanes_and_1_000(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind)
    costs = []
    for start, end in ((0, 10), (10, 1_000)):
        desk.submit(*(spec(requires=requirement_of({"order": str(n)})) for n in range(start, end)))
        costs.append(_cost_of_counts(desk))
    desk.report(result(desk.claim_one(lane_of("echo", requirement_of({"order": "7"}))).attempt))
    assert desk.counts() == {"queued": 999, "succeeded": 1}
    assert costs[0] == costs[1]


def _cost_of_counts(desk: Desk) -> int:
    """The operations behind an answer of ``counts``."""
    store = desk.store
    rows = store.rows if isinstance(store, MemoryStore) else store._rows  # type: ignore[attr-defined]
    return operations(rows.counters.by_state)
