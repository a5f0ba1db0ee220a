"""The query of a list of jobs, the same for the API and for the pages."""

from __future__ import annotations

from urllib.parse import urlencode

from tornado.web import RequestHandler

from dispatcher.core.model import JobFilter
from dispatcher.core.states import JobState
from dispatcher.errors import BadRequest

__all__ = ["job_filter", "next_query"]


def job_filter(handler: RequestHandler) -> JobFilter:
    """``?state=&type=&limit=&cursor=``; what is empty is not asked. Raises BadRequest."""
    state = handler.get_query_argument("state", "")
    if state and state not in set(JobState):
        raise BadRequest(f"state must be one of {', '.join(JobState)}.", code="bad_parameter")
    limit = handler.get_query_argument("limit", "") or "50"
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= 100):
        raise BadRequest("limit must be a whole number from 1 to 100.", code="bad_parameter")
    return JobFilter(
        state=JobState(state) if state else None,
        type=handler.get_query_argument("type", "") or None,
        limit=int(limit),
        cursor=handler.get_query_argument("cursor", "") or None,
    )


def next_query(wanted: JobFilter, cursor: str) -> str:
    """The query of the next page of the same list."""
    query = {"state": wanted.state, "type": wanted.type, "limit": wanted.limit, "cursor": cursor}
    return urlencode({name: str(value) for name, value in query.items() if value is not None})
