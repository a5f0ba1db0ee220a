"""A worker's last 24 hours as a strip that the server draws, with words for those who do not see it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from dispatcher.core.jobs.diaries import QuarterState, WorkedQuarter
from handlers.console.words import minute, plural

__all__ = ["DayStretch", "WorkerDay", "worker_day"]

#: How wide a quarter is, in units of the drawing.
_WIDE = 4
_LOOKS = {
    QuarterState.BUSY: "good",
    QuarterState.READY: "open",
    QuarterState.AWAY: "offer",
    QuarterState.UNKNOWN: "wait",
}
WORDS = {
    QuarterState.BUSY: "busy",
    QuarterState.READY: "here without work",
    QuarterState.AWAY: "away",
    QuarterState.UNKNOWN: "unknown",
}


class DayStretch(Struct, frozen=True):
    """Quarters in which the worker was the same: how they look, where they stand, and what they say."""

    look: str
    left: int
    width: int
    words: str


class WorkerDay(Struct, frozen=True):
    """One drawing. ``since``: UTC seconds from when on something is known; None: from the beginning, or never."""

    width: int
    label: str
    stretches: list[DayStretch]
    first: float
    tries: int
    since: float | None


def worker_day(quarters: Sequence[WorkedQuarter]) -> WorkerDay:
    """The drawing of a worker's day."""
    stretches: list[DayStretch] = []
    place = 0
    for state, same in groupby(quarters, lambda one: one.state):
        several = list(same)
        tries = sum(one.tries for one in several)
        ended = f", {plural(tries, 'try', 'tries')} ended" if tries else ""
        told = f"from {minute(several[0].at)[11:]}: {WORDS[state]}{ended}"
        stretches.append(DayStretch(_LOOKS[state], place * _WIDE, len(several) * _WIDE, told))
        place += len(several)
    known = [one.at for one in quarters if one.state is not QuarterState.UNKNOWN]
    return WorkerDay(
        width=place * _WIDE, label=_label(quarters), stretches=stretches, first=quarters[0].at,
        tries=sum(one.tries for one in quarters), since=known[0] if known and known[0] > quarters[0].at else None,
    )  # fmt: skip


def _label(quarters: Sequence[WorkedQuarter]) -> str:
    """``Busy in 12 quarters of an hour, here without work in 80, away in 4``."""
    counts = {state: sum(one.state is state for one in quarters) for state in QuarterState}
    told = ", ".join(f"{WORDS[state]} in {count}" for state, count in counts.items() if count)
    return f"Of the last {len(quarters)} quarters of an hour: {told}"
