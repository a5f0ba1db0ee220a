"""The counter of operations sees loops."""

from __future__ import annotations

from dispatcher.core.workers.deadlines import Deadlines
from tests.support.operations import operations


def _filled(size: int) -> Deadlines[int]:
    deadlines: Deadlines[int] = Deadlines()
    for number in range(size):
        deadlines.set(number, float(number))
    return deadlines


def test_a_loop_costs_more_the_longer_it_is():
    few, many = _filled(10), _filled(1_000)
    assert operations(lambda: few._compact()) * 20 < operations(lambda: many._compact())


def test_what_does_not_grow_costs_the_same():
    assert operations(lambda: _filled(10).next()) < operations(lambda: _filled(1_000).next())
    few, many = _filled(10), _filled(1_000)
    assert operations(few.next) == operations(many.next)
