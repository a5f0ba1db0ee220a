"""A worker's last 24 hours as a drawing, in words too."""

from __future__ import annotations

from dispatcher.core.jobs.diaries import QUARTER_S, QuarterState, WorkedQuarter
from handlers.console.days import worker_day

#: 2025-11-30 09:00 UTC.
NINE = 1_764_493_200.0


def quarters(text: str) -> list[WorkedQuarter]:
    """A letter each: of the state, or a digit: so many tries."""
    states = {state.value[0]: state for state in QuarterState}
    return [
        WorkedQuarter(
            NINE + number * QUARTER_S, states.get(sign, QuarterState.BUSY), int(sign) if sign.isdigit() else 0
        )
        for number, sign in enumerate(text)
    ]


def test_quarters_of_one_state_are_one_stretch_with_its_words() -> None:
    day = worker_day(quarters("uurr31ab"))
    assert [(one.look, one.left, one.width) for one in day.stretches] == [
        ("wait", 0, 8), ("open", 8, 8), ("good", 16, 8), ("offer", 24, 4), ("good", 28, 4),
    ]  # fmt: skip
    assert [one.words for one in day.stretches] == [
        "from 09:00 UTC: unknown", "from 09:30 UTC: here without work", "from 10:00 UTC: busy, 4 tries ended",
        "from 10:30 UTC: away", "from 10:45 UTC: busy",
    ]  # fmt: skip
    assert (day.width, day.tries, day.first, day.since) == (32, 4, NINE, NINE + 2 * QUARTER_S)
    told = "Of the last 8 quarters of an hour: busy in 3, here without work in 2, away in 1, unknown in 2"
    assert day.label == told


def test_a_day_that_is_known_from_its_beginning_or_not_at_all_says_nothing_of_that() -> None:
    assert worker_day(quarters("ruu")).since is None
    assert worker_day(quarters("uuu")).since is None
