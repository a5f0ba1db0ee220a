"""The first jobs of many lanes: the right ones, and few more are read than are wanted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dispatcher.core.jobs.views.outlook import MOST_BEFORE
from dispatcher.store.sqlite.lanes import Place, first_of
from tests.store.conftest import OpenDesk
from tests.store.contract import SQLITE, Desk
from tests.support.jobs import spec


class Ready:
    """Ready jobs by lane; it counts how often and how much is read of them."""

    def __init__(self, lanes: dict[str, list[Place]]) -> None:
        self._lanes = {lane: sorted(places) for lane, places in lanes.items()}
        self.reads = self.places = 0

    def first(self, number: int) -> list[int]:
        """The first jobs of all lanes together."""
        waiting = {lane: len(places) for lane, places in self._lanes.items()}
        (found,) = first_of([list(self._lanes)], [number], waiting, self._heads)
        assert found == self._merged(number)
        return found

    def _merged(self, number: int) -> list[int]:
        return [seq for _, seq in sorted(place for places in self._lanes.values() for place in places)[:number]]

    def _heads(self, lanes: list[str], most: int) -> dict[str, list[Place]]:
        found = {lane: self._lanes[lane][:most] for lane in lanes}
        self.reads += 1
        self.places += sum(map(len, found.values()))
        return found


def _even(lanes: int, each: int) -> Ready:
    """Every lane has every so manieth job."""
    return Ready({f"lane-{n}": [(float(k), k * lanes + n) for k in range(each)] for n in range(lanes)})


@pytest.mark.parametrize(("lanes", "number"), [(1, 100), (10, 100), (100, 100), (1_000, 100), (1_000, 1)])
def test_of_many_lanes_that_have_much_few_more_jobs_are_read_than_are_wanted(lanes: int, number: int) -> None:
    ready = _even(lanes, 100)
    assert len(ready.first(number)) == number
    assert ready.places <= 4 * max(lanes, number)
    assert ready.reads <= 2


def test_more_is_read_only_of_the_lane_that_has_the_first_jobs() -> None:
    late = {f"lane-{n}": [(1e9 + k, 1_000_000 + n * 100 + k) for k in range(100)] for n in range(999)}
    ready = Ready(late | {"first": [(float(k), k) for k in range(500)]})
    assert ready.first(100) == list(range(100))
    assert ready.places <= 2 * 1_000
    assert ready.reads <= 8


@pytest.mark.parametrize("seed", range(20))
def test_the_first_jobs_are_those_of_all_lanes_sorted(seed: int) -> None:
    rng = random.Random(seed)
    seqs = iter(rng.sample(range(100_000), 3_000))
    lanes = {f"lane-{n}": [(float(rng.randrange(50)), next(seqs)) for _ in range(rng.randrange(60))] for n in range(30)}
    for number in (1, 7, 100, 5_000):
        Ready({lane: places for lane, places in lanes.items() if places}).first(number)


def test_a_place_costs_the_same_beside_2_000_ready_jobs_and_beside_10_000(open_desk: OpenDesk) -> None:
    """It is asked of the last job of the lane, which has most before it."""
    desk = open_desk(SQLITE)
    costs = []
    for jobs in (100, 1_900, 8_000):
        for _ in range(0, jobs, 50):
            last = desk.submit(*[spec()] * 50)[-1]
        costs.append(_steps_of_a_place(desk, last.id))
    few, many, more = costs
    assert few < many / 5
    assert more == pytest.approx(many, rel=0.05)
    assert more < 25 * MOST_BEFORE


def _steps_of_a_place(desk: Desk, job_id: str) -> int:
    """SQLite's steps, in tens."""
    store: Any = desk.store
    count = 0

    def step() -> None:
        nonlocal count
        count += 10

    desk.run(store._thread.run(lambda: store._db.set_progress_handler(step, 10)))
    desk.run(store.in_line(job_id))
    desk.run(store._thread.run(lambda: store._db.set_progress_handler(None, 10)))
    return count
