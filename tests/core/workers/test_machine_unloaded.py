"""Workers that are here and do not help jobs that wait: they could not load the task, or are stuck in another one."""

from __future__ import annotations

import pytest

from dispatcher.core.fleet.worker import Standing
from dispatcher.core.jobs.matching import lane_of, requirement_of
from dispatcher.core.jobs.turn import LaneReady
from dispatcher.core.workers import answering
from tests.core.workers.support import Node

BAD = {"fax": "E-TSK-01: line 3: bad"}


def who(node: Node) -> str:
    unloaded = node.machine.unloaded("fax")
    return "nobody" if unloaded is None else unloaded.who()


def test_pages_that_could_not_load_a_task_are_counted_beside_those_that_offer_it() -> None:
    node = Node()
    assert who(node) == "nobody"
    node.join("s1", "w1", types=(), unloaded=BAD)
    assert (who(node), node.machine.unloaded_first(5)) == ("the only page", {"fax": 1_000.0})
    node.join("s2", "w2", types=("fax",))
    node.join("s3", "w3", types=("fax",))
    assert who(node) == "1 of 3 pages"
    node.away("s3")
    assert who(node) == "1 of 2 pages"
    node.join("s1", "w1", types=("fax",))
    assert (who(node), node.machine.unloaded_first(5)) == ("nobody", {})


def test_where_workers_differ_too_much_those_that_are_away_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_POOLS", 0)
    node = Node()
    node.join("s1", "w1", types=(), unloaded=BAD)
    node.join("s2", "w2", types=("fax",))
    node.away("s2")
    assert who(node) == "1 of 2 pages"


def test_a_worker_without_a_task_gets_no_job() -> None:
    node = Node()
    node.join("s1", "w1", types=(), unloaded=BAD)
    node.machine.ready([LaneReady("fax", 1, 1.0)], claimed=False)
    assert node.machine.standings() == {Standing.PAUSED: 1}, "nobody counts it as ready"
    assert (node.room(), node.machine.unserved(5)) == (0, ["a", "b", "c", "fax"])


def stuck(node: Node, most: int = 3) -> dict[str, list[str]]:
    """With how many others there are, if any."""
    found = node.machine.stuck(most).items()
    return {
        name: [*(one.id for one in workers), *([f"+{others}"] if others else [])] for name, (workers, others) in found
    }


def hang(node: Node, worker: str, attempt: str) -> None:
    node.run(attempt, worker=worker, type="x")
    node.cancelled(attempt, "enough")


def test_a_type_is_stuck_while_all_of_its_workers_that_are_here_have_tasks_that_do_not_stop() -> None:
    node = Node()
    for number in (1, 2, 3):
        node.join(f"s{number}", f"w{number}", types=("x", "y"))
    node.machine.ready([LaneReady("x", 1, 1.0)], claimed=False)
    hang(node, "w1", "a1")
    assert stuck(node) == {}, "others take it"
    hang(node, "w2", "a2")
    node.away("s3")
    assert stuck(node) == {"x": ["w1", "w2", "+1"]}, "no job waits for y"
    node.back("s3")
    node.pause("s3", True)
    assert stuck(node) == {"x": ["w1", "w2", "+1"]}
    assert stuck(node, 2) == {}, "there are more workers than that"
    node.released("s1", "a1", "cancelled")
    assert (stuck(node), node.machine.workers["w1"].standing()) == ({}, Standing.IDLE)
    node.released("s2", "a2", "cancelled")
    assert node.machine._leases.revoked == {}


def test_of_a_lane_those_that_match_are_counted_once_each() -> None:
    node = Node()
    node.join("s1", "w1", types=("x",), slots=2, labels=(("site", "berlin"),))
    node.join("s2", "w2", types=("x",))
    hang(node, "w2", "a")
    hang(node, "w1", "b")
    assert at(node, site="berlin") == 0, "it has another slot"
    hang(node, "w1", "c")
    assert (at(node), at(node, site="berlin"), at(node, name="w2"), at(node, type_name="y")) == (2, 1, 0, 0)


def at(node: Node, type_name: str = "x", **wanted: str) -> int:
    return node.machine.stuck_at(lane_of(type_name, requirement_of(wanted)))


def test_the_slots_are_those_of_workers_that_take_jobs_of_the_type() -> None:
    node = Node()
    for number in range(4):
        node.join(f"s{number}", f"w{number}", types=("x",), slots=3)
    node.join("s9", "w9", types=("y",))
    node.pause("s0", True)
    node.away("s1")
    assert (node.machine.slots_of("x"), node.machine.slots_of("z")) == (6, 0)


def test_a_worker_with_another_slot_whose_task_goes_on_is_busy_and_not_stuck() -> None:
    node = Node()
    node.join("s1", "w1", types=("x",), slots=2)
    node.machine.ready([LaneReady("x", 1, 1.0), LaneReady("z", 1, 1.0)], claimed=False)
    node.run("good", type="x")
    hang(node, "w1", "bad")
    assert stuck(node) == {}
    node.result("s1", "good", "1")
    hang(node, "w1", "worse")
    assert stuck(node) == {"x": ["w1"]}
    node.bye("s1")
    assert (stuck(node), node.machine._leases.revoked) == ({}, {})


def test_an_attempt_that_a_page_holds_and_nobody_knows_sticks_like_one_that_is_over() -> None:
    node = Node()
    node.join("s1", "w1", types=("x",), holding=[("unknown", 1.0)])
    node.machine.ready([LaneReady("x", 1, 1.0)], claimed=False)
    assert stuck(node) == {"x": ["w1"]}
