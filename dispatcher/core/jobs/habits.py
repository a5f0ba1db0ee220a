"""Which workers are usually here at this hour of the week: those that the roll calls of the last week have found. Pure.

At each full hour the roll is called: of each worker that is known it is noted whether it is here. These notes are its
*habit*: for each hour of the week the sign of the newest roll call, and that of the one a week earlier. They go by the
clock on the wall (``wall_s``: seconds since 1970, as if the wall were in UTC), because people do: a change to
daylight-saving time moves no office. An hour in which no server was there to call the roll keeps its signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from dispatcher.core.jobs.model import MissingWorker

__all__ = [
    "BLANK",
    "DAY_BEFORE_H",
    "LATE_S",
    "WEEK_H",
    "CallRoll",
    "Habit",
    "Roll",
    "RollHour",
    "Usual",
    "called",
    "hour_of",
    "hours_around",
    "is_usual",
    "until_roll_call",
]

WEEK_H = 168
#: As long as the habit has no sign of an hour, that of the day before counts: so many hours on, around the week.
DAY_BEFORE_H = WEEK_H - 24
#: The signs of a worker that no roll call has found yet.
BLANK = "-" * WEEK_H
#: A worker may come or go so much later, or earlier, than a week ago.
MARGIN_S = 900.0
#: A roll that nobody has called so long after the hour is not called: whoever was here at the hour may have gone.
LATE_S = 300.0
_HOUR_S = 3_600.0


class CallRoll(Struct, frozen=True):
    """Notes of each worker whether it is here: as this hour's sign. One that went after ``since_at`` counts as here."""

    hour: int
    #: UTC seconds: its page may only be loading anew.
    since_at: float


class Habit(Struct, frozen=True):
    """One sign for each hour of the week: ``1`` here, ``0`` not here, ``-`` unknown."""

    #: Of the newest roll calls.
    signs: str = BLANK
    #: Of those a week before these.
    before: str = BLANK


class RollHour(Struct, frozen=True):
    """A roll call of a week ago: its hour of the week, and whether the roll of that hour is already called anew."""

    hour: int
    is_past: bool


class Usual(Struct, frozen=True):
    """The workers that are usually here at some hours, as the store knows them."""

    workers: int
    #: How many of them are not here; and some, those that went last first.
    gone: int
    some: Sequence[MissingWorker]


class Roll(Struct, frozen=True):
    """How many workers are usually here at this hour, and who of them is missed."""

    usual: int = 0
    missed: int = 0
    #: Some, those that went last first.
    some: Sequence[MissingWorker] = ()

    @property
    def here(self) -> int:
        """How many of them are here."""
        return self.usual - self.missed


def hour_of(wall_s: float) -> int:
    """The hour of the week, from 0 on: its sign's place in a habit."""
    return int(wall_s // _HOUR_S) % WEEK_H


def until_roll_call(wall_s: float) -> float:
    """Seconds until the next full hour."""
    return _HOUR_S - wall_s % _HOUR_S


def hours_around(wall_s: float) -> list[RollHour]:
    """The roll calls that must have found a worker a week ago if it is usual that it is here at this instant.

    The last one at least ``MARGIN_S`` before it, the first one at least so long after it, and those between: two or
    three. So at 8:05 nobody is missed who came at 8:10, or at 7:50, a week ago.
    """
    first, last = (wall_s - MARGIN_S) // _HOUR_S, -((wall_s + MARGIN_S) // -_HOUR_S)
    return [RollHour(hour % WEEK_H, hour <= wall_s // _HOUR_S) for hour in range(int(first), int(last) + 1)]


def is_usual(habit: Habit, hours: Iterable[RollHour]) -> bool:
    """Whether all of these roll calls have found it; where one has left no sign, that of the day before counts."""
    return all((sign if (sign := _sign(habit, asked)) != "-" else _day_before(habit, asked)) == "1" for asked in hours)


def _sign(habit: Habit, asked: RollHour) -> str:
    return (habit.before if asked.is_past else habit.signs)[asked.hour]


def _day_before(habit: Habit, asked: RollHour) -> str:
    return habit.signs[(asked.hour + DAY_BEFORE_H) % WEEK_H]


def called(habit: Habit, hour: int, *, here: bool) -> Habit:
    """The habit after a roll call."""
    return Habit(_put(habit.signs, hour, "1" if here else "0"), _put(habit.before, hour, habit.signs[hour]))


def _put(signs: str, hour: int, sign: str) -> str:
    return f"{signs[:hour]}{sign}{signs[hour + 1 :]}"
