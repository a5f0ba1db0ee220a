"""Jobs that a worker could take and none is given: a stall, of which people are told."""

from __future__ import annotations

from dispatcher.core.jobs.turn import LaneReady
from tests.core.workers.support import Node


def told(node: Node, after_s: float = 0.0) -> list[tuple[str, float]]:
    node.now += after_s
    return node.machine.stalled(10, node.now)


def ready(node: Node, jobs: int = 1, type_name: str = "echo") -> None:
    node.machine.ready([LaneReady(type_name, jobs, 1.0)], claimed=False)


def test_a_job_stands_from_when_a_worker_could_take_it() -> None:
    node = Node()
    ready(node)
    assert told(node, 5.0) == []
    node.join(types=("echo",))
    assert told(node) == [("echo", 0.0)]
    assert told(node, 1.5) == [("echo", 1.5)]
    ready(node)
    assert told(node, 0.5) == [("echo", 2.0)]


def test_a_job_that_is_given_out_ends_the_stall_and_begins_the_time_anew() -> None:
    node = Node()
    node.join(types=("echo",), slots=3)
    ready(node, 3)
    assert told(node, 4.0) == [("echo", 4.0)]
    node.offer(type="echo")
    node.offer("a2", type="of a lane that is forgotten")
    assert told(node) == [("echo", 0.0)]
    ready(node, 0)
    assert told(node, 9.0) == []


def test_jobs_that_only_come_with_the_turn_under_way_do_not_stand_yet() -> None:
    node = Node()
    node.join(types=("echo",))
    assert node.machine.demand(9, {"echo": 3}) != []
    assert told(node, 5.0) == [], "the turn has not ended"
    ready(node, 2)
    assert [name for name, _ in told(node)] == ["echo"]


def test_who_is_busy_paused_or_stopping_keeps_no_job_standing() -> None:
    node = Node()
    node.join(types=("echo",))
    ready(node)
    node.pause("s1", True)
    assert told(node, 2.0) == []
    node.pause("s1", False)
    assert told(node, 2.0) == [("echo", 2.0)]
    node.drain()
    assert told(node) == []


def test_the_time_goes_on_when_other_workers_come_and_go() -> None:
    node = Node()
    node.join(types=("echo", "scan"))
    ready(node)
    ready(node, type_name="scan")
    assert told(node, 2.0) == [("echo", 2.0)]
    node.join("s2", "w2", types=("echo",), labels=(("site", "berlin"),))
    assert sorted(told(node)) == [("echo", 2.0), ("scan", 2.0)]
    node.bye("s2")
    assert told(node) == [("echo", 2.0)]
