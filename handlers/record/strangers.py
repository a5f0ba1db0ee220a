"""Lines of a job's log that a page wrote, and not the job's task: they may say values of other jobs of that page.

A page shows more than one job and runs more than one, so what it showed as a task failed, and what no script of it
caught, can speak of any of them. Which others there were is for the caller to find out. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from dispatcher.core.jobs.model import AttemptView, JobView, LogLine

__all__ = ["MOST_TRIES", "PageLines", "page_lines", "values_of"]

#: The newest tries whose page's lines are looked through; of earlier ones these lines are hidden.
MOST_TRIES = 3
_BY_PAGE = re.compile(r"the page showed \(\d of \d\): |uncaught on the page: ")
#: As older pages told it, with all that stands on a worker page: the question about another job, the last error.
_OLD, _OLD_GOES_ON = "the page showed: ", "... "


class PageLines(Struct, frozen=True):
    """Such lines of one job, by their numbers."""

    #: Whose every word is hidden.
    hidden: frozenset[int]
    #: (try, when its first such line came, the lines).
    mixed: list[tuple[AttemptView, float, list[int]]]


def page_lines(job: JobView) -> PageLines:
    """Those of the job."""
    old = set(_old(job.log))
    by_try: dict[int, list[LogLine]] = {}
    for line in job.log:
        if _BY_PAGE.match(line.line):
            by_try.setdefault(line.number or 0, []).append(line)
    tries = {attempt.number: attempt for attempt in job.attempts}
    looked = sorted((number for number in by_try if number in tries), reverse=True)[:MOST_TRIES]
    mixed = [(tries[number], by_try[number][0].at, [line.line_no for line in by_try[number]]) for number in looked]
    rest = {line.line_no for number in by_try.keys() - set(looked) for line in by_try[number]}
    return PageLines(frozenset(old | rest), mixed)


def _old(lines: Sequence[LogLine]) -> Iterator[int]:
    """The first lines of the log may go on with one that is not kept any more."""
    goes_on, number = True, lines[0].number if lines else None
    for line in lines:
        begins = line.line.startswith(_OLD)
        goes_on = begins or (goes_on and line.number == number and line.line.startswith(_OLD_GOES_ON))
        number = line.number
        if goes_on:
            yield line.line_no


def values_of(job: JobView) -> list[str]:
    """What was put into a job and what came out, as JSON texts: nobody is to be told of it."""
    called = [json.dumps(text) for text in (*job.about.tags, job.about.summary, job.key) if text]
    return [text for text in (job.data, job.result, job.evidence) if text] + called
