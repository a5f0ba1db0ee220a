"""Bars for an SVG that the server draws, with words for those who do not see it. Pure.

A bar is a part of one path, so a chart of any number of bars is three elements. Failed jobs stand at the foot of a bar,
all others on them. A bar that is not empty is at least one unit high.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from dispatcher.core.jobs.views.endings import Endings, Summary
from handlers.console.words import plural

__all__ = ["Bars", "bars_of", "minute_bars"]

#: A bar and the gap behind it, in units of the drawing.
_BAR, _GAP = 3, 1
_MINUTES = 60


class Bars(Struct, frozen=True):
    """One drawing. The paths are those of ``<path d>``; an empty one draws nothing."""

    width: int
    height: int
    good: str
    bad: str
    #: What it shows, in words.
    label: str


def bars_of(values: Sequence[tuple[int, int]], height: int, label: str) -> Bars:
    """A bar for each (all, those of them that are bad), in order. The highest one is as high as the drawing."""
    most = max((jobs for jobs, _ in values), default=0)
    good, bad = [], []
    for number, (jobs, failed) in enumerate(values):
        if jobs:
            left = number * (_BAR + _GAP)
            tall = max(1, round(height * jobs / most))
            foot = min(tall, max(1, round(height * failed / most))) if failed else 0
            good += [_bar(left, height - foot, tall - foot)] if tall > foot else []
            bad += [_bar(left, height, foot)] if foot else []
    return Bars(max(1, len(values) * (_BAR + _GAP)), height, "".join(good), "".join(bad), label)


def _bar(left: int, bottom: int, tall: int) -> str:
    return f"M{left} {bottom}v-{tall}h{_BAR}v{tall}z"


def minute_bars(hour: Summary, height: int = 20) -> Bars:
    """The last 60 minutes of an hour's summary, the one that is not over among them."""
    last = hour.steps.last
    found = dict(hour.points)
    minutes = [found.get(last - 60 * back) for back in reversed(range(_MINUTES))]
    return bars_of([_pair(one) for one in minutes], height, _words(minutes))


def _pair(one: Endings | None) -> tuple[int, int]:
    return (0, 0) if one is None else (one.jobs, one.failed)


def _words(minutes: Iterable[Endings | None]) -> str:
    pairs = [_pair(one) for one in minutes]
    most, failed = max(jobs for jobs, _ in pairs), sum(failed for _, failed in pairs)
    if not most:
        return "no job ended in the last 60 minutes"
    least = min(jobs for jobs, _ in pairs)
    many = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    return f"{many} {plural(most, 'job').split()[1]} ended each minute, {failed:,} failed"
