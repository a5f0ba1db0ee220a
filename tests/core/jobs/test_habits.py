"""Who is missed: the rule, tried on an office, a kiosk and their accidents, hour by hour."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.core.jobs.habits import (
    WEEK_H,
    Habit,
    Roll,
    called,
    hour_of,
    hours_around,
    is_usual,
    until_roll_call,
)

HOUR_S, DAY_S, WEEK_S = 3_600.0, 86_400.0, 604_800.0
#: A Monday at midnight, by the clock on the wall.
MONDAY = 4 * DAY_S

#: Whether a worker is here at an instant, by the clock on the wall.
Presence = Callable[[float], bool]


def office(wall_s: float, *, opens: float = 7.9, closes: float = 17.1) -> bool:
    """Monday to Friday."""
    day, second = divmod(wall_s - MONDAY, DAY_S)
    return day % 7 < 5 and opens * HOUR_S <= second < closes * HOUR_S


def habit_of(here: Presence, until_s: float, *, since_s: float = MONDAY, server: Presence = lambda at: True) -> Habit:
    """The habit of somebody who is first known at one instant, at another one."""
    habit = Habit()
    for number in range(int(since_s // HOUR_S) + 1, int(until_s // HOUR_S) + 1):
        if server(number * HOUR_S):
            habit = called(habit, hour_of(number * HOUR_S), here=here(number * HOUR_S))
    return habit


def at(day: int, hour: float) -> float:
    """Monday is day 0."""
    return MONDAY + day * DAY_S + hour * HOUR_S


def is_usual_at(here: Presence, wall_s: float, **known: object) -> bool:
    return is_usual(habit_of(here, wall_s, **known), hours_around(wall_s))  # type: ignore[arg-type]


def test_in_an_office_nobody_is_missed_in_the_evening_at_the_weekend_or_for_a_few_minutes() -> None:
    usual = [
        (day, quarter / 4)
        for day in range(7, 14)
        for quarter in range(96)
        if is_usual_at(office, at(day, quarter / 4 + 0.01))
    ]
    # It has come before 8, and gone after 17: so from a quarter past 8 to a quarter to 17.
    assert usual == [(day, quarter / 4) for day in range(7, 12) for quarter in range(33, 67)]


def test_a_kiosk_that_is_always_here_is_missed_at_any_time() -> None:
    assert all(is_usual_at(lambda wall_s: True, at(8, quarter / 4)) for quarter in range(96))


def test_who_is_new_today_is_missed_from_tomorrow_on_at_the_hours_of_today() -> None:
    new = {"since_s": at(1, 9.5)}
    assert not is_usual_at(office, at(1, 12.5), **new)
    assert [hour for hour in range(24) if is_usual_at(office, at(2, hour + 0.5), **new)] == list(range(10, 17))
    assert not is_usual_at(office, at(6, 12.5), **new), "on Sunday it counts that nobody was here on Saturday"


def test_who_was_taken_away_for_good_is_missed_for_a_week_and_no_longer() -> None:
    gone = at(9, 12)
    here: Presence = lambda wall_s: office(wall_s) and wall_s < gone  # noqa: E731
    assert is_usual_at(here, at(9, 14.5))
    assert is_usual_at(here, at(15, 14.5))
    assert not is_usual_at(here, at(16, 14.5)), "a week ago it was missing already"


def test_a_night_without_a_server_changes_no_habit() -> None:
    night: Presence = lambda wall_s: not at(8, 20) <= wall_s < at(9, 11)  # noqa: E731
    assert habit_of(office, at(9, 11), server=night).signs == habit_of(office, at(9, 11)).signs
    kiosk = habit_of(lambda wall_s: night(wall_s), at(9, 11), server=night)
    assert is_usual(kiosk, hours_around(at(16, 3.5)))


@pytest.mark.parametrize("ahead_s", [HOUR_S, -HOUR_S], ids=["spring", "autumn"])
def test_a_daylight_saving_change_moves_no_office(ahead_s: float) -> None:
    """Rolls are called once a real hour; the wall leaves an hour out, or has it twice, in the night to Sunday."""
    habit, change = Habit(), at(6, 2)
    usual = []
    for number in range(1, 8 * 24):
        wall_s = at(0, 0) + number * HOUR_S
        wall_s += ahead_s if wall_s >= change else 0.0
        habit = called(habit, hour_of(wall_s), here=office(wall_s))
        if number // 24 == 7 and is_usual(habit, hours_around(wall_s + HOUR_S / 2)):
            usual.append(int(wall_s % DAY_S // HOUR_S))
    assert usual == list(range(8, 17))


def test_the_roll_calls_around_an_instant_lie_a_quarter_of_an_hour_off() -> None:
    first = hour_of(at(3, 7))
    around = {
        minute: [(one.hour - first, one.is_past) for one in hours_around(at(3, 8 + minute / 60))]
        for minute in (0, 14, 15, 30, 45, 46)
    }
    early = [(0, True), (1, True), (2, False)]
    assert around == {
        0: early, 14: early, 15: early[1:], 30: early[1:], 45: early[1:], 46: [(1, True), (2, False), (3, False)],
    }  # fmt: skip
    last_hour = (WEEK_H - hour_of(0.0)) * HOUR_S - 1.0
    assert [one.hour for one in hours_around(last_hour)] == [WEEK_H - 1, 0, 1], "the week goes round"


def test_the_next_roll_is_called_at_the_full_hour() -> None:
    assert until_roll_call(at(2, 8.75)) == 900.0
    assert until_roll_call(at(2, 8)) == HOUR_S


def test_those_that_are_usual_and_not_missed_are_here() -> None:
    assert Roll(usual=30, missed=3).here == 27
