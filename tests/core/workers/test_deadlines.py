"""One heap for everything that waits for an instant."""

from __future__ import annotations

from dispatcher.core.workers.deadlines import Deadlines


def due(deadlines, now):
    deadlines.pass_to(now)
    found = []
    while (key := deadlines.pop_due()) is not None:
        found.append(key)
    return found


def test_what_is_due_comes_in_order_and_once():
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("late", 3.0)
    deadlines.set("early", 1.0)
    deadlines.set("middle", 2.0)
    assert deadlines.next() == 1.0
    assert due(deadlines, 2.5) == ["early", "middle"]
    assert due(deadlines, 2.5) == []
    assert len(deadlines) == 1


def test_what_is_due_at_the_same_instant_comes_in_the_order_of_setting():
    deadlines: Deadlines[str] = Deadlines()
    for key in "cab":
        deadlines.set(key, 1.0)
    assert due(deadlines, 1.0) == ["c", "a", "b"]


def test_nothing_is_due_before_its_instant():
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("x", 1.0)
    assert due(deadlines, 0.999_999) == []
    assert due(deadlines, 1.0) == ["x"]


def test_what_is_started_is_due_so_long_after_the_latest_instant():
    deadlines: Deadlines[str] = Deadlines()
    deadlines.pass_to(10.0)
    deadlines.pass_to(4.0)
    deadlines.start("x", 1.0)
    assert deadlines.next() == 11.0


def test_time_never_goes_back():
    deadlines: Deadlines[str] = Deadlines()
    deadlines.pass_to(2.0)
    deadlines.set("x", 1.5)
    assert due(deadlines, 1.0) == ["x"]


def test_setting_again_moves_a_deadline_both_ways():
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("x", 5.0)
    deadlines.set("x", 2.0)
    assert (deadlines.next(), deadlines.get("x")) == (2.0, 2.0)
    deadlines.set("x", 9.0)
    assert due(deadlines, 8.9) == []
    assert due(deadlines, 9.0) == ["x"]


def test_what_was_cleared_never_fires():
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("x", 1.0)
    deadlines.clear("x")
    deadlines.clear("never set")
    assert deadlines.next() is None
    assert deadlines.get("x") is None
    assert due(deadlines, 10.0) == []


def test_a_key_set_back_to_an_earlier_instant_fires_once():
    deadlines: Deadlines[str] = Deadlines()
    for at in (1.0, 2.0, 1.0):
        deadlines.set("x", at)
    assert due(deadlines, 5.0) == ["x"]


def test_the_heap_stays_in_proportion_to_what_is_due():
    deadlines: Deadlines[int] = Deadlines()
    for n in range(10_000):
        deadlines.set(n % 10, float(n))
    assert len(deadlines) == 10
    assert len(deadlines._heap) <= 64 + 2 * 10
    assert due(deadlines, 20_000.0) == list(range(10))
