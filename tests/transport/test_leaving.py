"""Who may have left, by itself: by when the next poll of each must have come, and what a standstill changes."""

from __future__ import annotations

from dispatcher.transport.leaving import MOMENT_S, Leaving


def test_each_has_a_moment_from_the_first_close_on() -> None:
    leaving = Leaving[str]()
    leaving.begin("a", 10.0)
    leaving.begin("b", 10.5)
    leaving.begin("a", 10.9)
    assert ("a" in leaving, "c" in leaving) == (True, False)
    assert leaving.next_deadline() == 10.0 + MOMENT_S
    assert (leaving.over(10.9), leaving.over(11.0), leaving.over(11.0)) == ([], ["a"], [])
    assert (leaving.next_deadline(), leaving.over(99.0), leaving.next_deadline()) == (11.5, ["b"], None)


def test_whoever_has_come_is_over_no_more() -> None:
    leaving = Leaving[str]()
    leaving.begin("a", 10.0)
    leaving.forget("a")
    leaving.forget("nobody")
    assert ("a" in leaving, leaving.next_deadline(), leaving.over(99.0)) == (False, None, [])


def test_after_a_standstill_each_has_its_moment_anew() -> None:
    leaving = Leaving[str]()
    leaving.begin("a", 10.0)
    leaving.begin("b", 10.5)
    leaving.forgive(600.0)
    assert (leaving.over(600.9), leaving.over(601.0)) == ([], ["a", "b"])
