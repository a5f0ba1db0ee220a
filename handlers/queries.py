"""The queries of lists, the same for the API and for the pages. Knows no list."""

from __future__ import annotations

from urllib.parse import urlencode

from msgspec.structs import asdict
from tornado.web import RequestHandler

from dispatcher.core.jobs.model import JobFilter, TypeFilter, WorkerFilter, WorkerStatus
from dispatcher.core.jobs.states import JobState
from dispatcher.errors import BadParameter

__all__ = ["Filter", "job_filter", "next_query", "type_filter", "worker_filter"]

Filter = JobFilter | WorkerFilter | TypeFilter
#: The name of a filter's field in an address, if it has another there.
_SHORT = {"prefix": "q"}


def job_filter(handler: RequestHandler) -> JobFilter:
    """``?state=&type=&requires=&worker=&limit=&cursor=``; empty ones do not count. Raises BadParameter.

    ``requires`` is a label and a value, ``name:DESK-1``, and may be repeated.
    """
    state = _state(handler, tuple(JobState))
    return JobFilter(
        state=JobState(state) if state else None,
        type=_text(handler, "type") or None,
        requires=tuple(_label("requires", text) for text in _texts(handler, "requires")),
        worker=_text(handler, "worker") or None,
        limit=_limit(handler, 50),
        cursor=_cursor(handler),
    )


def worker_filter(handler: RequestHandler) -> WorkerFilter:
    """``?name=&type=&label=&state=&limit=&cursor=``; empty ones do not count. Raises BadParameter."""
    return WorkerFilter(
        name=_text(handler, "name"),
        type=_text(handler, "type"),
        label=":".join(_label("label", label)) if (label := _text(handler, "label")) else "",
        state=_state(handler, tuple(WorkerStatus)),
        limit=_limit(handler, 100),
        cursor=_cursor(handler),
    )


def type_filter(handler: RequestHandler) -> TypeFilter:
    """``?q=&limit=&cursor=``; empty ones do not count. Raises BadParameter."""
    return TypeFilter(prefix=_text(handler, "q"), limit=_limit(handler, 100), cursor=_cursor(handler))


def _text(handler: RequestHandler, field: str) -> str:
    """The last text given for a field; empty if there is none."""
    return next(reversed(_texts(handler, field)), "")


def _texts(handler: RequestHandler, field: str) -> list[str]:
    return [text for text in handler.get_query_arguments(field) if text]


def _state(handler: RequestHandler, states: tuple[str, ...]) -> str:
    state = _text(handler, "state")
    if state and state not in states:
        raise BadParameter(f"state must be one of {', '.join(states)}.", parameter="state")
    return state


def _label(field: str, text: str) -> tuple[str, str]:
    """A label and its value, written as in an address: ``site:berlin``. The value may have colons."""
    label, colon, value = text.partition(":")
    if not colon or not label or not value:
        raise BadParameter(f"{text[:100]}: write a label and its value, as in site:berlin.", parameter=field)
    return label, value


def _limit(handler: RequestHandler, usual: int) -> int:
    limit = _text(handler, "limit") or str(usual)
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= 100):
        raise BadParameter("limit must be a whole number from 1 to 100.", parameter="limit")
    return int(limit)


def _cursor(handler: RequestHandler) -> str | None:
    return _text(handler, "cursor") or None


def next_query(wanted: Filter, cursor: str | None) -> str:
    """The query of the next page of the same list; without a cursor, of its first page."""
    query = asdict(wanted) | {"cursor": cursor}
    if isinstance(wanted, JobFilter):
        query["requires"] = [":".join(pair) for pair in wanted.requires]
    return urlencode({_SHORT.get(name, name): value for name, value in query.items() if value}, doseq=True)
