"""How jobs have ended over time, as charts with words and as the same numbers in rows. Pure.

A chart is drawn by the server (``bars``): it needs no script, and IE 11 shows it. Hours and days are those of UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.core.jobs.views.endings import HOUR_S, Endings, Summary
from dispatcher.core.jobs.views.histograms import Histogram, quantile_s
from handlers.console.words import duration, plural, utc
from handlers.overview.bars import Bars, bars_of, marked
from handlers.overview.marks import NO_MARKS, ChartMarks

__all__ = ["DAY_S", "Chart", "History", "Period", "history_of"]

DAY_S = 86_400
HEIGHT = 100


class Period(Struct, frozen=True):
    """An hour or a day, and what ended in it."""

    #: UTC seconds: when it begins.
    at: int
    ended: Endings
    #: ``14:00`` or ``2026-11-23``.
    name: str


class Chart(Struct, frozen=True):
    """One drawing with its title."""

    title: str
    bars: Bars
    #: What the highest bar stands for.
    most: str


class History(Struct, frozen=True):
    """A window of time, period by period, the oldest first; the last one is not over."""

    title: str
    #: ``hour`` or ``day``.
    unit: str
    periods: list[Period]
    charts: list[Chart]
    total: Endings
    #: What happened meanwhile.
    marks: ChartMarks


def history_of(summary: Summary, step_s: int, marks: ChartMarks = NO_MARKS) -> History:
    """Of a summary in hours: by the hour, or by the day. The charts show the marks."""
    unit, title = ("hour", "The last 24 hours") if step_s == HOUR_S else ("day", "The last 30 days")
    periods = _periods(summary, step_s)
    charts = [
        _ended(periods, unit),
        _durations("Wait, 95 % of them", periods, lambda ended: ended.wait),
        _durations("Run, 95 % of them", periods, lambda ended: ended.run),
    ]
    ends_at = periods[-1].at + step_s
    charts = [replace(chart, bars=marked(chart.bars, marks.items, periods[0].at, ends_at)) for chart in charts]
    return History(title, unit, periods, charts, summary.total, marks)


def _periods(summary: Summary, step_s: int) -> list[Period]:
    steps = summary.steps
    found = {at: Endings() for at in range(steps.first // step_s * step_s, steps.last + 1, step_s)}
    for at, ended in summary.points:
        found[at // step_s * step_s].add(ended)
    return [Period(at, ended, _name(at, step_s)) for at, ended in found.items()]


def _name(at: int, step_s: int) -> str:
    return utc(at)[11:16] if step_s == HOUR_S else utc(at)[:10]


def _ended(periods: Sequence[Period], unit: str) -> Chart:
    pairs = [(one.ended.jobs, one.ended.failed) for one in periods]
    most, failed = max(pairs)[0], sum(bad for _, bad in pairs)
    top = periods[[jobs for jobs, _ in pairs].index(most)].name
    label = (
        f"{min(pairs)[0]:,} to {plural(most, 'job')} ended in each {unit}, most of them at {top} UTC; {failed:,} failed"
        if most
        else "no job ended"
    )
    return Chart("Jobs that ended", bars_of(pairs, HEIGHT, label), f"{most:,}")


def _durations(title: str, periods: Sequence[Period], histogram: Callable[[Endings], Histogram]) -> Chart:
    found = [quantile_s(histogram(one.ended), 0.95) for one in periods]
    known = [seconds for seconds in found if seconds is not None]
    values = [(0 if seconds is None else max(1, round(seconds * 1_000)), 0) for seconds in found]
    label = f"{duration(min(known))} to {duration(max(known))}" if known else "no job of which it is known"
    return Chart(title, bars_of(values, HEIGHT, f"{title}: {label}"), duration(max(known)) if known else "–")
