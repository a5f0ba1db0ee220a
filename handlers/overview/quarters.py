"""What is kept of a quarter of an hour, read for the page and for programs alike; and the ways to other quarters.

All of it is bounded, however much happened: the types and marks that are told, and the jobs that are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace
from tornado.web import RequestHandler

from dispatcher.core.jobs.model import JobFilter, JobView, MissingWorker, WorkerFilter, WorkerStatus
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.endings import Summary, summary_of
from dispatcher.core.jobs.views.quarters import MOST_BACK, QUARTER_S, Quarter, quarter_of
from dispatcher.errors import BadParameter
from handlers.failures.groups import commonest
from handlers.overview.marking import read_marks
from handlers.overview.marks import ChartMarks
from handlers.overview.standing import StoodThen, stood_then
from handlers.queries import instant_argument, text_argument
from handlers.site import Site
from handlers.times import rfc3339

__all__ = [
    "MOST_GONE",
    "NOT_KEPT",
    "Past",
    "QuarterLink",
    "back_argument",
    "hours_of",
    "jobs_links",
    "quarter_argument",
    "quarter_link",
    "quarters_of",
    "read_past",
    "steps_back",
    "types_shown",
]

#: Failed jobs of the quarter among which the commonest error of each type is found.
_MOST_FAILED = 100
#: Pages of the list that are read for them; each looks at up to 40,000 jobs.
_MOST_PAGES = 5
#: Workers that are not here are looked through up to this number.
MOST_GONE = 1_000
#: Jobs that waited or ran when the quarter began: so many that have ended since, and so many others, are counted.
_MOST_STOOD = 500
_OPEN = (JobState.SCHEDULED, JobState.QUEUED, JobState.RUNNING, JobState.IN_DOUBT)
#: Types that are shown.
_MOST_SHOWN = 40
#: What people may miss.
NOT_KEPT = (
    "earlier tries: a job that ran one of them counts as one that waited for its last one",
    "the jobs that are removed since; and only the newest 40,000 are looked at for those that waited or ran",
    "which workers came, and which went and came back: only those that have not come back since",
)


class Past(Struct, frozen=True, kw_only=True):
    """What is kept of one quarter."""

    quarter: Quarter
    #: Which jobs waited and ran when it began.
    stood: StoodThen
    #: The commonest error of types of which jobs failed, among the last ones that did.
    errors: dict[str, str]
    marks: ChartMarks
    #: Workers that went then, and have not come back; the first one first.
    gone: list[MissingWorker]
    #: There are more workers that are not here than were looked at.
    more_gone: bool


async def read_past(site: Site, start: int) -> Past:
    """The quarter that begins then."""
    quarter = await site.service.types.quarter(start)
    failed = await _failed(site, quarter) if quarter.total.total.failed else {}
    gone, more_gone = await _gone(site, quarter)
    marks = await read_marks(site, start, start + QUARTER_S)
    stood = await _stood(site, start)
    return Past(quarter=quarter, stood=stood, errors=failed, marks=marks, gone=gone, more_gone=more_gone)


async def _failed(site: Site, quarter: Quarter) -> dict[str, str]:
    """The list begins with the newest job: for an early quarter it is read on until it gets there."""
    wanted = JobFilter(
        states=(JobState.FAILED,), ended_after=quarter.at, ended_before=quarter.at + QUARTER_S, limit=_MOST_FAILED
    )
    found: list[JobView] = []
    for _ in range(_MOST_PAGES):
        page = await site.service.jobs(wanted)
        found += page.items
        if page.next_cursor is None or len(found) >= _MOST_FAILED:
            break
        wanted = replace(wanted, cursor=page.next_cursor)
    return commonest(found)


async def _stood(site: Site, at: int) -> StoodThen:
    """Those that have ended since, and those that have not."""
    ended = JobFilter(created_before=at, ended_after=at, limit=_MOST_STOOD)
    pages = [await site.service.jobs(wanted) for wanted in (ended, replace(ended, ended_after=None, states=_OPEN))]
    complete = all(page.next_cursor is None for page in pages)
    return stood_then((job for page in pages for job in page.items), at, complete=complete)


async def _gone(site: Site, quarter: Quarter) -> tuple[list[MissingWorker], bool]:
    page = await site.service.known_workers(WorkerFilter(state=WorkerStatus.GONE, limit=MOST_GONE))
    gone = [
        MissingWorker(worker.name, worker.gone_at)
        for worker in page.items
        if worker.gone_at is not None and quarter.at <= worker.gone_at < quarter.at + QUARTER_S
    ]
    return sorted(gone, key=lambda one: one.gone_at), page.next_cursor is not None


def quarter_argument(handler: RequestHandler, now_at: float) -> int | None:
    """``?at=``: when the quarter begins in which it lies; None: it is not given. Raises BadParameter."""
    at = instant_argument(handler, "at", now_at)
    if at is None:
        return None
    start, newest = quarter_of(at), quarter_of(now_at)
    if start > newest:
        raise BadParameter("at lies ahead: nobody knows yet.", parameter="at")
    if start < newest - MOST_BACK * QUARTER_S:
        raise BadParameter(
            "at is too long ago: minutes are kept for a day. /history has hours and days.", parameter="at"
        )
    return start


def back_argument(handler: RequestHandler, now_at: float) -> int | None:
    """``?back=-5``: as ``quarter_argument``, by how many quarters it lies back. Raises BadParameter."""
    text = text_argument(handler, "back")
    if not text:
        return None
    number = text.removeprefix("-")
    if not (number.isascii() and number.isdigit() and len(number) <= 3 and int(number) <= MOST_BACK):
        raise BadParameter(f"back must be a whole number of quarters, from -{MOST_BACK} to 0.", parameter="back")
    return quarter_of(now_at) - int(number) * QUARTER_S


def steps_back(start: int, now_at: float) -> int:
    """The place of the quarter on the slider: 0 or less."""
    return (start - quarter_of(now_at)) // QUARTER_S


def quarter_link(at: float) -> str:
    """The page of the quarter in which this instant lies."""
    return "/?" + urlencode({"at": _minute(quarter_of(at))})


def _minute(at: int) -> str:
    return rfc3339(at).replace("+00:00", "Z")


def types_shown(past: Past) -> list[Summary]:
    """The types of which jobs ended in it; then, by name, some of which jobs only waited or ran when it began."""
    quarter = past.quarter
    ended = {one.type for one in quarter.types}
    steps = quarter.total.steps
    others = [summary_of(name, steps, []) for name in sorted(past.stood.types) if name not in ended]
    return [*quarter.types, *others][:_MOST_SHOWN]


class QuarterLink(Struct, frozen=True):
    """A way to a quarter: when it begins, and whether it is chosen, or has the chosen one in it."""

    at: int
    here: bool


def hours_of(start: int, now_at: float) -> Iterator[QuarterLink]:
    """A quarter of each hour of the last day, the oldest first: the first one that people can look back on."""
    newest = quarter_of(now_at)
    oldest = newest - MOST_BACK * QUARTER_S
    first = -(-oldest // 3_600) * 3_600
    for at in range(first, newest + 1, 3_600):
        yield QuarterLink(at, at <= start < at + 3_600)


def quarters_of(start: int, now_at: float) -> Iterator[QuarterLink]:
    """The quarters of the hour of the chosen one that people can look back on."""
    newest, hour = quarter_of(now_at), start // 3_600 * 3_600
    for at in range(hour, hour + 3_600, QUARTER_S):
        if newest - MOST_BACK * QUARTER_S <= at <= newest:
            yield QuarterLink(at, at == start)


def jobs_links(start: int) -> list[tuple[str, str]]:
    """Lists of jobs of this quarter: in words, and where."""
    begins, ends = _minute(start), _minute(start + QUARTER_S)
    ended: dict[str, str | list[str]] = {"ended_after": begins, "ended_before": ends}
    queries: dict[str, dict[str, str | list[str]]] = {
        "Jobs that ended then": ended,
        "Jobs that failed then": {"state": "failed", **ended},
        "Jobs that were here then and have ended": {"created_before": ends, "ended_after": begins},
        "Jobs from before that have not ended": {"state": [state.value for state in _OPEN], "created_before": ends},
    }
    return [(words, "/jobs?" + urlencode(query, doseq=True)) for words, query in queries.items()]
