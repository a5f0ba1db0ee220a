"""A quarter of an hour of the last day: what is kept of it, for people who ask what happened when it began. Pure.

Quarters begin at full ones of UTC. How jobs ended is kept minute by minute for a day; so far people can look back.
"""

from __future__ import annotations

from msgspec import Struct

from dispatcher.core.jobs.views.endings import HOUR_S, KEPT_S, MINUTE_S, Steps, Summary

__all__ = ["MOST_BACK", "QUARTER_S", "Quarter", "hour_of", "quarter_of", "steps_of_quarter"]

QUARTER_S = 900
#: So many quarters back from the one that is not over all minutes are kept.
MOST_BACK = KEPT_S[MINUTE_S] // QUARTER_S - 1


class Quarter(Struct, frozen=True, kw_only=True):
    """How jobs ended in it."""

    #: UTC seconds: when it begins, and when it ends; one that is not over ends now.
    at: int
    until: float
    #: The jobs of all types.
    total: Summary
    #: The types of which most jobs failed, then those of which most ended; and whether there are others.
    types: list[Summary]
    more_types: bool

    @property
    def over(self) -> bool:
        """Whether nothing more can happen in it."""
        return self.until >= self.at + QUARTER_S


def quarter_of(at: float) -> int:
    """When the quarter begins in which this instant lies."""
    return int(at // QUARTER_S) * QUARTER_S


def hour_of(at: float) -> int:
    """When the hour begins in which this instant lies."""
    return int(at // HOUR_S) * HOUR_S


def steps_of_quarter(start: int, now_at: float) -> Steps:
    """Its minutes; those that have not begun yet are not among them."""
    until = min(float(start + QUARTER_S), now_at)
    last = min(start + QUARTER_S - MINUTE_S, int(now_at // MINUTE_S) * MINUTE_S)
    return Steps(QUARTER_S, MINUTE_S, start, last, until)
