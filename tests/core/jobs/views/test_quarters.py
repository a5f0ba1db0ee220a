"""A quarter of an hour: when it begins, and which minutes it has."""

from __future__ import annotations

from dispatcher.core.jobs.views.endings import ALL_TYPES, summary_of
from dispatcher.core.jobs.views.quarters import QUARTER_S, Quarter, hour_of, quarter_of, steps_of_quarter
from tests.support.jobs import NOW

START = quarter_of(NOW)


def a_quarter(now_at: float) -> Quarter:
    steps = steps_of_quarter(START, now_at)
    return Quarter(at=START, until=steps.until, total=summary_of(ALL_TYPES, steps, []), types=[], more_types=False)


def test_quarters_begin_at_full_ones_and_lie_within_an_hour() -> None:
    assert START <= NOW < START + QUARTER_S
    assert START % QUARTER_S == 0
    assert quarter_of(START - 0.001) == START - QUARTER_S
    assert {hour_of(hour_of(NOW) + 900 * n) for n in range(4)} == {hour_of(NOW)}


def test_a_quarter_that_is_over_has_fifteen_minutes() -> None:
    steps = steps_of_quarter(START, START + 5_000.0)
    assert list(steps.starts()) == [START + 60 * n for n in range(15)]
    assert (steps.window_s, steps.step_s, steps.until) == (QUARTER_S, 60, START + 900.0)
    assert a_quarter(START + 900.0).over


def test_one_that_is_not_over_has_those_that_have_begun() -> None:
    steps = steps_of_quarter(START, START + 119.0)
    assert (list(steps.starts()), steps.until) == ([START, START + 60], START + 119.0)
    assert not a_quarter(START + 899.0).over
