"""Random fleets and queues: no job waits beside an idle worker that could run it (I20), and each demand is bounded."""

from __future__ import annotations

import heapq
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.core.jobs.turn import LaneReady
from dispatcher.store.applier.takers import Takers
from tests.core.fleet.farm import Farm

LANES = "abcdef"
MOST = 8
_workers = st.tuples(st.sets(st.sampled_from(LANES), min_size=1), st.integers(1, 3))
#: What happens: a worker joins, leaves, ends a job, pauses or goes on; jobs come to a lane.
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), _workers),
        st.tuples(st.just("jobs"), st.dictionaries(st.sampled_from(LANES), st.integers(1, 12), min_size=1)),
        st.tuples(st.sampled_from(["leave", "free", "pause"]), st.integers(0, 50)),
    ),
    min_size=1,
    max_size=60,
)


class Queue:
    """A farm and the lanes of a store, with turns between the two."""

    def __init__(self) -> None:
        self.farm = Farm()
        self.lanes: dict[str, list[int]] = {lane: [] for lane in LANES}
        self.joined = self.rank = self.held = 0

    def step(self, what: str, value) -> None:
        names = list(self.farm.workers)
        if what == "join":
            self.joined += 1
            self.farm.join(f"w{self.joined}", *value[0], slots=value[1])
        elif what == "jobs":
            self.turn(Counter(value))
        elif names:
            self.change(what, names[value % len(names)])

    def change(self, what: str, name: str) -> None:
        worker = self.farm.workers[name]
        if what == "leave":
            self.farm.leave(name)
        elif what == "free":
            self.farm.free(worker)
        else:
            worker.paused = not worker.paused
            self.farm.pools.update(worker)

    def turn(self, coming: Counter[str]) -> None:
        demand = self.farm.pools.demand(MOST, coming)
        assert sum(entry.room for entry in demand) <= sum(worker.room() for worker in self.farm.workers.values())
        for lane, jobs in coming.items():
            for _ in range(jobs):
                self.rank += 1
                self.lanes[lane].append(self.rank)
        claims = self.choose(demand)
        for pool in claims:
            worker = self.farm.pools.take(pool, ())
            assert worker is not None, "claimed for somebody who has no room"
            self.held += 1
            self.farm.hold(worker, f"a{self.held}")
        touched = set(coming) | {lane for entry in demand for lane in entry.lanes}
        ready = [LaneReady(lane, len(self.lanes[lane]), float(min(self.lanes[lane], default=0))) for lane in touched]
        self.farm.pools.reported(ready, claimed=bool(claims))

    def choose(self, demand) -> list[int]:
        takers = Takers(demand)
        jobs = heapq.merge(
            *(
                [(rank, lane) for rank in self.lanes[lane]]
                for lane in {name for entry in demand for name in entry.lanes}
            )
        )
        claims: list[int] = []
        for rank, lane in list(jobs):
            pool = takers.take(lane) if len(claims) < MOST else None
            if pool is not None:
                claims.append(pool)
                self.lanes[lane].remove(rank)
        return claims

    def settle(self) -> None:
        for _ in range(200):
            if not self.farm.pools.hungry():
                break
            self.turn(Counter())
        else:
            raise AssertionError("turns without end")
        ready = {lane for lane, ranks in self.lanes.items() if ranks}
        for worker in self.farm.workers.values():
            assert not (worker.room() and ready & set(worker.types)), f"{worker.id} is idle and {ready} wait"


@given(_steps)
@settings(max_examples=400, deadline=None)
def test_nobody_stands_idle_beside_a_job_that_it_could_run(steps) -> None:
    queue = Queue()
    for step in steps:
        queue.step(*step)
        queue.settle()
