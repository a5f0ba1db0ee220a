"""The counter of operations sees loops."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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


def _in_one_line(numbers: range) -> int:
    return sum([number for number in numbers if number >= 0])


def _by_a_generator(numbers: range) -> int:
    return sum(number for number in numbers)


@pytest.mark.parametrize("loop", [_in_one_line, _by_a_generator])
def test_a_loop_within_one_line_is_seen_and_the_first_call_costs_what_the_second_does(
    loop: Callable[[range], int],
) -> None:
    first, second = (operations(lambda: loop(range(10))) for _ in range(2))
    assert first == second
    assert operations(lambda: loop(range(1_000))) > 20 * first
