"""The fleet tells both of its orders of every change."""

from __future__ import annotations

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.model import WorkerFilter


def fleet_of_one():
    fleet = Fleet()
    worker = Worker("w1", "b1", "desk", ("a",), 1, "s1", attempts={})
    fleet.add(worker)
    return fleet, worker


def listed(fleet):
    return fleet.roster.page(WorkerFilter(limit=10), None)[0]


def test_a_worker_that_was_added_stands_in_no_order_until_it_has_changed():
    fleet, worker = fleet_of_one()
    assert (listed(fleet), fleet.pools.count_called("desk")) == ([], 0)
    fleet.changed(worker)
    assert (listed(fleet), fleet.pools.count_called("desk")) == (["w1"], 1)


def test_a_worker_that_was_removed_stands_nowhere():
    fleet, worker = fleet_of_one()
    fleet.changed(worker)
    fleet.remove(worker)
    assert (listed(fleet), fleet.pools.count_called("desk"), fleet.workers) == ([], 0, {})
