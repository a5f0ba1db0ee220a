"""Bars for an SVG that the server draws, with words for those who do not see it. Pure.

A bar is a part of one path, so a chart of any number of bars is three elements. Failed jobs stand at the foot of a bar,
all others on them. A bar that is not empty is at least one unit high.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.core.jobs.views.endings import Endings, Summary
from handlers.console.words import plural
from handlers.overview.marks import ChartMark

__all__ = ["Bars", "bars_of", "chosen", "marked", "minute_bars"]

#: A bar and the gap behind it, in units of the drawing.
_BAR, _GAP = 3, 1
_MINUTES = 60


#: The strip above the bars in which marks have their heads.
_STRIP = 14


class DrawnMark(Struct, frozen=True):
    """One mark: its kind, which says how it looks, its path, and what it says."""

    kind: str
    path: str
    words: str


class Bars(Struct, frozen=True):
    """One drawing. The paths are those of ``<path d>``; an empty one draws nothing."""

    width: int
    height: int
    good: str
    bad: str
    #: What it shows, in words.
    label: str
    #: Units above the bars, for marks.
    above: int = 0
    marks: list[DrawnMark] = []


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


def marked(bars: Bars, marks: Sequence[ChartMark], first: float, until: float) -> Bars:
    """The drawing with these marks; it lasts from ``first`` to ``until`` (UTC seconds)."""
    drawn = [_drawn(mark, bars, (mark.at - first) / (until - first)) for mark in marks if first <= mark.at < until]
    if not drawn:
        return bars
    told = ", ".join(f"{number} {kind}" for kind, number in Counter(one.kind for one in drawn).items())
    words = f"{bars.label}; {plural(len(drawn), 'mark')} ({told})"
    return replace(bars, label=words, above=_STRIP, marks=drawn)


def chosen(bars: Bars, at: float, seconds: float, first: float, until: float) -> Bars:
    """The drawing with a frame around this time."""
    left, wide = (round(bars.width * part / (until - first), 2) for part in (at - first, seconds))
    wide, tall = max(1.0, wide), bars.height + bars.above
    frame = f"M{left} {-bars.above}h{wide}v{tall}h-.3v-{tall - 3}h-{wide - 0.6:.2f}v{tall - 3}h-.3z"
    return replace(bars, marks=[*bars.marks, DrawnMark("chosen", frame, "the time that is shown")])


def _drawn(mark: ChartMark, bars: Bars, share: float) -> DrawnMark:
    return DrawnMark(mark.kind, _HEADS[mark.kind](round(share * bars.width, 2), bars.height), mark.words)


def _flag(x: float, tall: int) -> str:
    return f"M{x} {-_STRIP}h3v7h-2.6v{tall + _STRIP - 7}h-.4z"


def _strokes(x: float, tall: int) -> str:
    dashes = "".join(f"M{x} {y}h.4v6h-.4z" for y in range(0, tall, 12))
    return f"M{x - 1} {-_STRIP}h.8v10h-.8zM{x + 0.6:.2f} {-_STRIP}h.8v10h-.8z{dashes}"


def _wedge(x: float, tall: int) -> str:
    return f"M{x - 1.5:.2f} {-_STRIP}h3.4l-1.5 10v{tall + 4}h-.4v-{tall + 4}z"


#: Kinds differ in their form, not in their colour alone.
_HEADS: Mapping[str, Callable[[float, int], str]] = {"deploy": _flag, "pause": _strokes, "restart": _wedge}


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
