"""Random fleets with labels and names: every job goes to the worker that matches it and was used longest ago.

A naive reference looks at all workers and all lanes after each step; the index must agree with it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.matching import lane_parts, matches
from dispatcher.core.jobs.turn import LaneReady
from dispatcher.store.applier.takers import Takers
from tests.core.fleet.farm import Farm, lane

MOST = 64
NAMES = ["N1", "N2", "N3"]
WANTED: list[dict[str, Any]] = [
    {},
    {"name": "N1"},
    {"name": ["N1", "N2"]},
    {"name": "nobody"},
    {"site": "b"},
    {"site": ["b", "p"]},
    {"site": "b", "printer": "z"},
    {"site": "p", "printer": ["x", "z"]},
    {"name": "N1", "site": "b"},
]
LANES = [lane(type_name, **wanted) for type_name in "ab" for wanted in WANTED]
_labels = st.fixed_dictionaries({}, optional={"site": st.sampled_from("bpq"), "printer": st.sampled_from("zx")})
_workers = st.tuples(st.sets(st.sampled_from("ab"), min_size=1), st.sampled_from(NAMES), _labels)
#: What happens: a worker joins, ends its job, leaves, pauses or goes on, says something else of itself; jobs come.
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), _workers),
        st.tuples(st.just("jobs"), st.dictionaries(st.sampled_from(LANES), st.integers(1, 4), min_size=1, max_size=4)),
        st.tuples(st.sampled_from(["free", "leave", "pause"]), st.integers(0, 50)),
        st.tuples(st.just("say"), st.tuples(st.integers(0, 50), _workers)),
    ),
    min_size=1,
    max_size=50,
)


def able(worker: Worker, key: str) -> bool:
    """Whether the worker matches the lane."""
    type_name, requirement = lane_parts(key)
    return type_name in worker.types and matches(requirement, dict(worker.labels), worker.name)


class Ground:
    """A farm of workers with one slot each, and the lanes of a store."""

    def __init__(self) -> None:
        self.farm = Farm(most_empty_lanes=1)
        self.queued: dict[str, list[int]] = {key: [] for key in LANES}
        self.joined = self.rank = 0

    def step(self, what: str, value) -> None:
        ids = list(self.farm.workers)
        if what == "join":
            self.joined += 1
            types, name, labels = value
            self.farm.join(f"w{self.joined}", *types, name=name, labels=labels)
        elif what == "jobs":
            self.turn(value)
        elif what == "say" and ids:
            self.say(self.farm.workers[ids[value[0] % len(ids)]], *value[1])
        elif ids and what != "say":
            self.change(what, self.farm.workers[ids[value % len(ids)]])

    def say(self, worker: Worker, types, name, labels) -> None:
        worker.types, worker.name, worker.labels = tuple(sorted(types)), name, tuple(sorted(labels.items()))
        self.farm.pools.update(worker)

    def change(self, what: str, worker: Worker) -> None:
        if what == "leave":
            self.farm.leave(worker.id)
        elif what == "free":
            self.farm.free(worker)
        else:
            worker.paused = not worker.paused
            self.farm.pools.update(worker)

    def turn(self, coming) -> None:
        demand = self.farm.pools.demand(MOST, coming)
        for key, jobs in coming.items():
            self.queued[key] += range(self.rank + 1, self.rank + 1 + jobs)
            self.rank += jobs
        takers, claims = Takers(demand), 0
        for _, key in sorted((rank, key) for key, ranks in self.queued.items() for rank in ranks):
            pool = takers.take(key)
            free = [worker.used for worker in self.farm.workers.values() if worker.room() and able(worker, key)]
            assert (pool is None) == (not free), f"{key}: {free} could take it"
            if pool is not None:
                claims += 1
                self.give(pool, key, min(free))
        touched = {*coming, *(key for entry in demand for key in entry.lanes)}
        self.farm.pools.reported([self.left(key) for key in LANES if key in touched], claimed=bool(claims))

    def give(self, pool: int, key: str, first: int) -> None:
        worker = self.farm.pools.take(pool, (), key)
        assert worker is not None, "claimed for somebody who has no room"
        assert able(worker, key), "it does not match"
        assert worker.used == first, "somebody else was used longer ago"
        self.farm.hold(worker, "x")
        del self.queued[key][0]

    def left(self, key: str) -> LaneReady:
        return LaneReady(key, len(self.queued[key]), float(min(self.queued[key], default=0)))

    def settle(self) -> None:
        for _ in range(3):
            if self.farm.pools.hungry():
                self.turn({})
        assert not self.farm.pools.hungry(), "turns without end"
        for worker in self.farm.workers.values():
            waiting = [key for key, ranks in self.queued.items() if ranks and able(worker, key)]
            assert not (worker.room() and waiting), f"{worker.id} is idle beside {waiting}"

    def check(self) -> None:
        """The records of lanes, groups and pools agree with a look at all workers."""
        workers, lanes = list(self.farm.workers.values()), self.farm.pools.lanes
        for key in LANES:
            standing = Counter(worker.standing() for worker in workers if able(worker, key))
            assert +Counter(self.farm.pools.standing(key)) == standing, key
        for key, known in lanes._lanes.items():
            matching = {worker.pool for worker in workers if able(worker, key)}
            assert set(known.group.pools) == matching
            assert known.group.lanes[key] is known
            assert known.jobs == len(self.queued[key])
        for number, pool in self.farm.pools._pools.items():
            assert {group for group in lanes._groups.values() if number in group.pools} == set(pool.groups)
        assert {group.key for group in lanes._groups.values()} == lanes._groups.keys()
        assert len({frozenset(group.pools) for group in lanes._groups.values()}) == len(lanes._groups)
        assert all(group.jobs == sum(one.jobs for one in group.lanes.values()) for group in lanes._groups.values())
        waiting = {lane_parts(key)[0] for key, ranks in self.queued.items() if ranks}
        assert lanes.unserved.names == sorted(waiting - {name for worker in workers for name in worker.types})
        names = Counter(name for key in lanes._lanes for name in dict(lane_parts(key)[1]).get("name", ()))
        assert lanes.wanted == names
        assert sum(not one.jobs for one in lanes._lanes.values()) == len(lanes._empty) <= 4


@given(_steps)
@settings(max_examples=300, deadline=None)
def test_every_job_goes_to_the_worker_that_matches_it_and_was_used_longest_ago(steps) -> None:
    ground = Ground()
    for step in steps:
        ground.step(*step)
        ground.settle()
        ground.check()


@given(_steps)
@settings(max_examples=100, deadline=None)
def test_nothing_is_kept_of_workers_that_have_left(steps) -> None:
    ground = Ground()
    for step in steps:
        ground.step(*step)
    for worker_id in list(ground.farm.workers):
        ground.farm.leave(worker_id)
    pools = ground.farm.pools
    matcher = pools.lanes.matcher
    assert not any((pools._pools, pools._by_key, pools._called, matcher._offered, matcher._labelled))
    assert len(pools.lanes._free_bits) == pools.lanes._bits
    assert len(pools.lanes._groups) <= 1, "all lanes are matched by nobody now"
