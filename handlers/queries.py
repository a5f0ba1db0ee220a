"""The fields of queries, the same for the API and for the pages: which there are, and what they may say.

A field that an address does not know is refused: a list that overlooked a filter would list everything.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import asdict
from tornado.web import RequestHandler

from dispatcher.access.acts import AuditFilter
from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.model import JobFilter, TypeFilter, WorkerFilter, WorkerStatus
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.changes import ChangeFilter
from dispatcher.core.jobs.views.search import search_of
from dispatcher.core.jobs.views.telling import FOLLOWED, JOB
from dispatcher.errors import BadParameter
from handlers.mediatype import CSV, JSON, LINES, liked_best
from handlers.times import instant_of, rfc3339, window_of

__all__ = [
    "BOARD",
    "CHANGES",
    "CONSOLE_JOBS",
    "DEAD",
    "DELETE",
    "DELIVERIES",
    "INSTANTS",
    "JOBS",
    "JOB_PAGE",
    "MOST_NUMBERED",
    "NEW_JOB",
    "NEXT",
    "ONE_JOB",
    "OPERATION_PAGE",
    "OVERVIEW",
    "PHONE",
    "PLACE",
    "QUARTER",
    "RECORD",
    "STATS",
    "TYPES",
    "WAIT",
    "WORKERS",
    "Filter",
    "FilterFields",
    "ListFormat",
    "after_argument",
    "change_filter",
    "fields_argument",
    "flag_argument",
    "format_argument",
    "instant_argument",
    "job_filter",
    "next_query",
    "number_argument",
    "stats_arguments",
    "text_argument",
    "type_filter",
    "wait_argument",
    "worker_filter",
]

Filter = JobFilter | WorkerFilter | TypeFilter | AuditFilter
#: The name of a filter's field in an address, if it has another there.
_SHORT = {"prefix": "q", "search": "q", "states": "state", "tags": "tag"}
#: The fields that say which page of a list is wanted, not what it lists.
PLACE = ("limit", "cursor")
#: The longest wait that a request may ask for, in seconds.
MAX_WAIT_S = 60
_LONGEST_NAME = 100
#: Of instants in an address.
INSTANTS, _ACT_INSTANTS = ("created_after", "created_before", "ended_after", "ended_before"), ("after", "before")
#: The window where only a type is named.
_USUAL_WINDOW_S = 3_600


def _fields_of(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(_SHORT.get(name, name) for name in kind.__struct_fields__ if name != "ids")  # no address has it


#: The fields of each query: a filter's are those of its struct.
JOBS, WORKERS, TYPES = (*_fields_of(JobFilter), "format", "fields"), _fields_of(WorkerFilter), _fields_of(TypeFilter)
ACTS = (*_fields_of(AuditFilter), "format")
#: Those of the console's list.
CONSOLE_JOBS = ("state", "type", "requires", "worker", "tag", "owner", "batch", "q", *INSTANTS, "limit", "cursor")
WAIT = ("wait",)
ONE_JOB = (*WAIT, "fields")
CHANGES = (*_fields_of(ChangeFilter), "after")
#: Most values of one field of a filter for changes.
_MOST_VALUES = 100
DELETE = ("free_key",)
STATS = ("type", "window", "marks")
QUARTER = ("at",)
FAILURES = ("type",)
DELIVERIES, DEAD = ("failed", "cursor"), ("cursor",)
PHONE = ("code",)
BOARD = ("label", "type")
RECORD, LOG = ("beside",), ("q",)
#: Those of the console's other pages. A page that people may have refreshed has *refresh* besides.
OVERVIEW, NEW_JOB, NEXT = ("at", "back"), ("type", "worker", "like"), ("next",)
JOB_PAGE, OPERATION_PAGE = ("q", "full", "sent", "change", "cancel", "remove", "refresh"), ("refresh",)
#: Most items of a page that goes by numbers.
MOST_NUMBERED = 100


class ListFormat(StrEnum):
    """How a list is answered: page by page as JSON, or whole."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


_FORMATS = {JSON: ListFormat.JSON, LINES: ListFormat.NDJSON, CSV: ListFormat.CSV}


def wait_argument(handler: RequestHandler) -> float:
    """``?wait=N`` in seconds; 0 if it is not given. Raises BadParameter."""
    text = _text(handler, "wait") or "0"
    if not text.isascii() or not text.isdigit() or int(text[:9]) > MAX_WAIT_S:
        raise BadParameter(f"wait must be a whole number of seconds from 0 to {MAX_WAIT_S}.", parameter="wait")
    return float(text)


def text_argument(handler: RequestHandler, name: str) -> str:
    """``?name=``; empty if it is not given. Raises BadParameter if it is given twice, or is all blanks."""
    return _text(handler, name)


def label_argument(handler: RequestHandler, name: str) -> tuple[str, str] | None:
    """``?label=site:berlin``; None if it is not given. Raises BadParameter."""
    text = _text(handler, name)
    return _label(name, text) if text else None


def flag_argument(handler: FilterFields, name: str) -> bool:
    """``?name=1`` or ``?name=0``, which is the same as nothing. Raises BadParameter."""
    text = _text(handler, name) or "0"
    if text not in ("0", "1"):
        raise BadParameter(f"{name} must be 1 or 0.", parameter=name)
    return text == "1"


def number_argument(handler: RequestHandler, name: str) -> int | None:
    """A cursor that is a number; empty is none. Raises BadParameter."""
    text = _text(handler, name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadParameter(f"{name} is not one of ours: take next_cursor of the page before.", parameter=name)
    return int(text)


def stats_arguments(handler: RequestHandler) -> tuple[str, int | None]:
    """``?type=&window=``: a type, or empty for all; a window in seconds, or None if neither is given.

    Raises BadParameter.
    """
    name, text = _text(handler, "type"), _text(handler, "window")
    if not text:
        return name, _USUAL_WINDOW_S if name else None
    if (window_s := window_of(text)) is None:
        raise BadParameter("window must be a length of time from 1m to 30d, as in 15m, 1h or 7d.", parameter="window")
    return name, window_s


class FilterFields(Protocol):
    """What was asked for, as far as filters read it: a request, or a body that says the same."""

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """The values of a field, in order; none if it is not given."""
        ...


def job_filter(handler: FilterFields, now_at: float) -> JobFilter:
    """``?state=&type=&requires=&worker=&limit=&cursor=`` and so on; empty ones do not count. Raises BadParameter.

    ``requires`` is a label and a value, ``name:DESK-1``. It may be repeated, and so may ``state`` and ``tag``.
    """
    return JobFilter(
        states=_states(handler),
        type=_text(handler, "type") or None,
        requires=tuple(_label("requires", text) for text in _texts(handler, "requires")),
        worker=_text(handler, "worker") or None,
        tags=tuple(dict.fromkeys(_texts(handler, "tag"))),
        batch=_text(handler, "batch").lower() or None,
        key=_text(handler, "key") or None,
        owner=_text(handler, "owner") or None,
        ids=(),
        error=_text(handler, "error") or None,
        search=_search(handler),
        snippets=flag_argument(handler, "snippets"),
        **{name: instant_argument(handler, name, now_at) for name in INSTANTS},
        limit=_limit(handler, 50),
        cursor=_cursor(handler),
    )


def fields_argument(handler: RequestHandler, known: Sequence[str], elsewhere: Collection[str] = ()) -> tuple[str, ...]:
    """``?fields=id,state``, in that order; empty: all. Raises BadParameter for a field that none of ``known`` is.

    ``elsewhere``: fields that the answer for one job has.
    """
    names = tuple(dict.fromkeys(name.strip() for text in _texts(handler, "fields") for name in text.split(",")))
    for name in names:
        if name in elsewhere:
            words = f"fields: a list does not have {name}; read it of each job, at /api/v1/jobs/<id>."
            raise BadParameter(words, parameter="fields")
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            shown = repr(name[:_LONGEST_NAME])[1:-1]
            words = f"fields: '{shown}' is not a field of a job{hint} It has {', '.join(known)}."
            raise BadParameter(words, parameter="fields")
    return names


def format_argument(handler: RequestHandler) -> ListFormat:
    """``?format=``, or what the Accept header likes best; JSON if neither names one. Raises BadParameter."""
    text = _text(handler, "format")
    if text and text not in tuple(ListFormat):
        raise BadParameter(f"format must be one of {', '.join(ListFormat)}.", parameter="format")
    liked = liked_best(handler.request.headers.get("Accept", ""), _FORMATS)
    chosen = ListFormat(text) if text else _FORMATS[liked or JSON]
    if chosen is not ListFormat.JSON and _text(handler, "limit"):
        words = "limit is for pages: a whole list has none. Stop reading when you have enough, or leave limit out."
        raise BadParameter(words, parameter="limit")
    return chosen


def worker_filter(handler: FilterFields) -> WorkerFilter:
    """``?name=&type=&label=&state=&limit=&cursor=``; empty ones do not count. Raises BadParameter."""
    return WorkerFilter(
        name=_text(handler, "name"),
        type=_text(handler, "type"),
        label=":".join(_label("label", label)) if (label := _text(handler, "label")) else "",
        state=_state(handler, (*WorkerStatus, *WorkerDoing)),
        limit=_limit(handler, 100),
        cursor=_cursor(handler),
    )


def act_filter(handler: RequestHandler, now_at: float) -> AuditFilter:
    """``?actor=&action=&target=&after=&before=&limit=&cursor=``; empty ones do not count. Raises BadParameter."""
    return AuditFilter(
        actor=_text(handler, "actor") or None,
        action=_text(handler, "action") or None,
        target=_text(handler, "target") or None,
        after=instant_argument(handler, "after", now_at),
        before=instant_argument(handler, "before", now_at),
        limit=_limit(handler, 100),
        cursor=_cursor(handler),
    )


def type_filter(handler: RequestHandler) -> TypeFilter:
    """``?q=&limit=&cursor=``; empty ones do not count. Raises BadParameter."""
    return TypeFilter(prefix=_text(handler, "q"), limit=_limit(handler, 100), cursor=_cursor(handler))


def change_filter(handler: RequestHandler) -> ChangeFilter:
    """``?job=&worker=&type=&state=…``, repeated or with commas; empty ones do not count. Raises BadParameter."""
    return ChangeFilter(
        job=frozenset(job.lower() for job in _values(handler, "job")),
        worker=_values(handler, "worker"),
        type=_values(handler, "type"),
        owner=_values(handler, "owner"),
        state=frozenset(map(JobState, _values(handler, "state", tuple(JobState)))),
        event=_values(handler, "event", FOLLOWED) or frozenset({JOB}),
    )


def after_argument(handler: RequestHandler) -> str | None:
    """``?after=``, or the header ``Last-Event-ID``, which a browser sends when it comes back; None: neither."""
    return handler.request.headers.get("Last-Event-ID", "").strip() or _text(handler, "after") or None


def _search(handler: FilterFields) -> str | None:
    text = _text(handler, "q")
    if text:
        search_of(text)  # refused here, before anything of an answer has gone
    return text or None


def _values(handler: RequestHandler, field: str, known: Sequence[str] = ()) -> frozenset[str]:
    """The values of a field that takes several, out of ``known``; empty: any. Raises BadParameter."""
    values = frozenset(value.strip() for text in _texts(handler, field) for value in text.split(","))
    if "" in values:
        raise BadParameter(f"{field} has a comma too many: one stands between two values.", parameter=field)
    if len(values) > _MOST_VALUES:
        raise BadParameter(f"{field} has {len(values)} values; at most {_MOST_VALUES} go.", parameter=field)
    if known and not values <= set(known):
        raise BadParameter(f"{field} must be one or more of {', '.join(known)}.", parameter=field)
    return values


def _text(handler: FilterFields, field: str) -> str:
    """The text given for a field; empty if there is none."""
    texts = _texts(handler, field)
    if len(texts) > 1:
        raise BadParameter(f"{field} stands there {len(texts)} times; it can be given once.", parameter=field)
    return texts[0] if texts else ""


def _texts(handler: FilterFields, field: str) -> list[str]:
    """What is given for a field. Raises BadParameter if it is only blanks: no filter is what was meant least."""
    texts = [text.strip() for text in handler.get_query_arguments(field, strip=False) if text]
    if not all(texts):
        raise BadParameter(f"{field} holds nothing but blanks: leave it out, or say what is meant.", parameter=field)
    return texts


def _state(handler: FilterFields, states: tuple[str, ...]) -> str:
    state = _text(handler, "state")
    if state and state not in states:
        raise BadParameter(f"state must be one of {', '.join(states)}.", parameter="state")
    return state


def _states(handler: FilterFields) -> tuple[JobState, ...]:
    texts = _texts(handler, "state")
    if any(text not in tuple(JobState) for text in texts):
        raise BadParameter(f"state must be one of {', '.join(JobState)}.", parameter="state")
    return tuple(JobState(text) for text in dict.fromkeys(texts))


def instant_argument(handler: FilterFields, name: str, now_at: float) -> float | None:
    """An instant as RFC 3339 text, or a time back from now: ``-90s``, ``-15m``, ``-1h``, ``-7d``."""
    text = _text(handler, name)
    if not text:
        return None
    if (at := instant_of(text, now_at)) is not None:
        return at
    words = "an instant as in 2026-11-23T21:04:05Z, or a time back from now as in -90s, -15m, -1h or -7d"
    raise BadParameter(f"{name} must be {words}.", parameter=name)


def _label(field: str, text: str) -> tuple[str, str]:
    """A label and its value, written as in an address: ``site:berlin``. The value may have colons."""
    label, colon, value = text.partition(":")
    if not colon or not label or not value:
        raise BadParameter(f"{text[:100]}: write a label and its value, as in site:berlin.", parameter=field)
    return label, value


def _limit(handler: FilterFields, usual: int) -> int:
    limit = _text(handler, "limit") or str(usual)
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= 100):
        raise BadParameter("limit must be a whole number from 1 to 100.", parameter="limit")
    return int(limit)


def _cursor(handler: FilterFields) -> str | None:
    return _text(handler, "cursor") or None


def next_query(wanted: Filter, cursor: str | None, **shape: str) -> str:
    """The query of the next page of the same list, in the same shape; without a cursor, of its first page."""
    query = asdict(wanted) | {"cursor": cursor} | shape
    if isinstance(wanted, JobFilter):
        query["requires"] = [":".join(pair) for pair in wanted.requires]
        query["snippets"] = int(wanted.snippets)
        query |= _told(wanted, INSTANTS)
    elif isinstance(wanted, AuditFilter):
        query |= _told(wanted, _ACT_INSTANTS)
    return urlencode({_SHORT.get(name, name): value for name, value in query.items() if value}, doseq=True)


def _told(wanted: Filter, names: Iterable[str]) -> dict[str, str]:
    return {name: rfc3339(at) for name in names if (at := getattr(wanted, name)) is not None}
