"""A pool's idle workers in order, sorted only as far as needed."""

from __future__ import annotations

from dispatcher.core.fleet.lineup import LineUp
from tests.core.fleet.farm import Farm


def test_a_worker_that_stands_twice_in_the_heap_stands_once_in_the_line():
    farm = Farm()
    farm.join("w1", "a")
    farm.join("w2", "a")
    first, second = farm.workers["w1"], farm.workers["w2"]
    pool = farm.pools._pools[first.pool]
    stands = iter([first, first, second, None])
    line = LineUp(lambda _: next(stands), pool)
    assert (line.used(0), line.used(1), line.used(2)) == (first.used, second.used, None)
    assert line.workers == [first, second]
    before = len(pool.heap)
    line.put_back()
    assert len(pool.heap) == before + 2
