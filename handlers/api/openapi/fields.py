"""The fields of queries and the headers, as schemas. Which of them an address has its handler says."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.model import WorkerStatus
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.search import LONGEST_SEARCH
from dispatcher.core.jobs.views.telling import FOLLOWED, JOB
from handlers.api.jobjson import JOB_FIELDS, LINE_FIELDS
from handlers.api.loglines import LONGEST_SOUGHT
from handlers.queries import MAX_WAIT_S, ListFormat
from handlers.times import BACK_PATTERN, WINDOW_PATTERN

__all__ = ["HEADERS", "PATH_NAMES", "Field", "query_field"]

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_INSTANT = (
    "An instant in RFC 3339 (`2026-11-23T21:04:05Z`), or a time back from now: `-90s`, `-15m`, `-1h`, `-7d`. "
    "`after` includes the instant, `before` does not."
)

_IN_IT = (
    "An instant in it, of the last 24 hours: RFC 3339 (`2026-11-23T21:04:05Z`), or a time back from now (`-2h`). "
    "Without it: the last quarter that is over."
)


class Field(Struct, frozen=True):
    """One field of a query, or one header."""

    schema: Schema
    words: str
    #: Whether it may be repeated: then the schema is that of one value.
    repeated: bool = False


def _one_of(kind: Iterable[StrEnum]) -> Schema:
    return {"type": "string", "enum": [item.value for item in kind]}


def _whole(low: int, high: int, usual: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "default": usual}


def _limit(usual: int) -> Field:
    return Field(_whole(1, 100, usual), "The most items of a page.")


def _names(known: Iterable[str]) -> Field:
    name = f"[{_BLANK}]*({'|'.join(known)})[{_BLANK}]*"
    schema: Schema = {"type": "string", "pattern": f"^({name}(,{name})*)?$"}
    return Field(schema, "The fields that the answer is to have, `id,state`; else all.", repeated=True)


#: Blanks are cut off at both ends, and Tornado makes blanks of control characters.
_BLANK = r"\s\x00-\x1f"
#: What is missing or empty does not count.
_NOTHING: Schema = {"maxLength": 0}
_LABEL: Schema = {
    "type": "string",
    "anyOf": [{"pattern": rf"^[{_BLANK}]*[^:{_BLANK}][^:]*:[\s\S]*[^{_BLANK}]"}, _NOTHING],
}
_WHEN: Schema = {"type": "string", "anyOf": [{"format": "date-time"}, {"pattern": f"^{BACK_PATTERN}$"}, _NOTHING]}
_FILTER: Schema = {"type": "string", "anyOf": [{"pattern": f"[^{_BLANK}]"}, _NOTHING]}
_SEARCH: Schema = {"type": "string", "maxLength": LONGEST_SEARCH, "anyOf": [{"pattern": r"[^\W_]"}, _NOTHING]}
_SOUGHT = _FILTER | {"maxLength": LONGEST_SOUGHT}
_VALUE = f"[^,]*[^,{_BLANK}][^,]*"
_SEVERAL: Schema = {"type": "string", "pattern": f"^({_VALUE}(,{_VALUE})*)?$"}
_STATES: Schema = {"type": "string", "pattern": "^(({0})(,({0}))*)?$".format("|".join(JobState))}
_FOLLOWED = "|".join(name.replace(".", r"\.") for name in FOLLOWED)
_EVENTS: Schema = {"type": "string", "pattern": f"^(({_FOLLOWED})(,({_FOLLOWED}))*)?$"}
_PLACE: Schema = {"type": "string", "pattern": "^(oldest|[0-9a-z]{1,32}-[0-9]{1,15})?$"}
_AFTER = "An id of a change: begin behind it. `oldest`: begin with the oldest change that is kept. Without it only "
#: The fields that mean the same everywhere.
_EVERYWHERE = {
    "cursor": Field(_FILTER, "The `next_cursor` of an earlier page, unchanged."),
    "limit": _limit(100),
    "wait": Field(_whole(0, MAX_WAIT_S, 0), "Holds the answer until there is something to tell, for so many seconds."),
    "free_key": Field(
        {"type": "string", "enum": ["0", "1"], "default": "0"}, "1: the job's idempotency key may go with it."
    ),
}
_JOBS = {
    "state": Field(_one_of(JobState), "Jobs in any of these states.", repeated=True),
    "type": Field(_FILTER, "Jobs of this type."),
    "requires": Field(_LABEL, "A label and a value, `site:berlin`, that the job requires.", repeated=True),
    "worker": Field(_FILTER, "The name of the worker that runs the job or ran it last."),
    "tag": Field(_FILTER, "A tag that the job has; each one counts.", repeated=True),
    "batch": Field(_FILTER, "The id of a batch."),
    "key": Field(_FILTER, "An idempotency key, of a job alone or of a batch."),
    "owner": Field(_FILTER, "The name of the token that submitted the job."),
    "error": Field(_FILTER, "The code of the last error."),
    "q": Field(
        _SEARCH,
        "Words that all stand in the job's data, in its result, in its last error or in its summary. A word also finds "
        "those that begin with it; words in quotation marks are found as they stand there. Or a job's id, 8 hex digits "
        "and more of its beginning or its end, or its whole idempotency key.",
    ),
    "snippets": Field(
        {"type": "string", "enum": ["0", "1"], "default": "0"},
        "1: each job has `snippets`, where it has what `q` asks for. Page by page alone.",
    ),
    "created_after": Field(_WHEN, _INSTANT),
    "created_before": Field(_WHEN, _INSTANT),
    "ended_after": Field(_WHEN, _INSTANT),
    "ended_before": Field(_WHEN, _INSTANT),
    "limit": _limit(50),
    "format": Field(
        _one_of(ListFormat) | {"default": ListFormat.JSON.value},
        "`json`: page by page. `ndjson` and `csv`: the whole list in one answer, which takes no `limit`.",
    ),
    "fields": _names(LINE_FIELDS),
}
_WORKERS = {
    "name": Field(_FILTER, "The beginning of the name."),
    "type": Field(_FILTER, "A type that it offers."),
    "label": Field(_LABEL, "A label that it has: `site:berlin`; `name:DESK-1` is its whole name."),
    "state": Field(_one_of((*WorkerStatus, *WorkerDoing)), "Its state, or what it does."),
}
_CHANGES = {
    "job": Field(
        _SEVERAL, "Ids of jobs; each may have commas. At most 100, and so for the other filters.", repeated=True
    ),
    "worker": Field(_SEVERAL, "Ids of workers.", repeated=True),
    "type": Field(_SEVERAL, "Types.", repeated=True),
    "state": Field(_STATES, "What the job has become: states.", repeated=True),
    "owner": Field(_SEVERAL, "Names of the tokens that submitted the jobs.", repeated=True),
    "event": Field(
        _EVENTS,
        f"What is told: {', '.join(FOLLOWED)}. Without it `{JOB}`, changes of jobs; filters choose among these alone.",
        repeated=True,
    ),
    "after": Field(_PLACE, f"{_AFTER}what comes from now on is told."),
}
_ACTS = {
    "format": _JOBS["format"],
    "actor": Field(_FILTER, "Who has done it."),
    "action": Field(_FILTER, "What was done: `job.cancel`, `token.make` and so on."),
    "target": Field(_FILTER, "The id of the job or the token, or the name of what it was done to."),
    "after": Field(_WHEN, _INSTANT),
    "before": Field(_WHEN, _INSTANT),
}
_NUMBER: Schema = {"type": "string", "pattern": f"^[{_BLANK}]*([0-9]{{1,18}})?[{_BLANK}]*$"}
_NUMBERED = {"cursor": Field(_NUMBER, "The `next_cursor` of an earlier page, unchanged.")}
_FLAG: Schema = {"type": "string", "enum": ["0", "1"], "default": "0"}
_FAILED = Field(_FLAG, "1: only attempts that were no success.")
#: By the name of the route.
_OWN = {
    "api-jobs": _JOBS,
    "api-job": {"fields": _names(JOB_FIELDS)},
    "api-job-log": {"q": Field(_SOUGHT, "A text that the lines hold, whatever its capitals.")},
    "api-workers": _WORKERS,
    "api-types": {"q": Field(_FILTER, "The beginning of the name.")},
    "api-events": _CHANGES,
    "api-changes": _CHANGES,
    "api-audit": _ACTS,
    "api-webhook-deliveries": {"failed": _FAILED} | _NUMBERED,
    "api-webhook-dead": _NUMBERED,
    "api-failures": {"type": Field(_FILTER, "What the jobs of this type failed with.")},
    "api-stats": {
        "type": Field(_FILTER, "How the jobs of this type have ended."),
        "window": Field(
            {"type": "string", "anyOf": [{"pattern": f"^({WINDOW_PATTERN})$"}, _NOTHING]},
            "In the last minutes, hours or days: `1m` to `30d`; 1h where only a type is named. Without a type: all.",
        ),
        "marks": Field(_FLAG, "1: with the deploys, pauses and restarts of the window."),
    },
    "api-quarter": {"at": Field(_WHEN, _IN_IT)},
    "readyz": {"verbose": Field(_TEXT, "Says why.")},
}
#: The names of what is in parentheses in a route's pattern, where it is not an id.
PATH_NAMES = {"api-backup": ("name",), "task": ("name",), "static": ("file",)}
PATH_NAMES |= dict.fromkeys(("api-type", "api-type-pause", "api-type-resume"), ("type",))

HEADERS = {
    "Idempotency-Key": Field(
        {"type": "string", "pattern": "^[ -~]{1,255}$"}, "The same key with the same body gives the same job."
    ),
    "Prefer": Field(_TEXT, f"`wait=N`: holds the answer until the job has ended, for at most {MAX_WAIT_S} seconds."),
    "X-Requested-With": Field(
        _TEXT, "The name of your program: a form must have it, or the token, for no web page's form can send it."
    ),
    "Last-Event-ID": Field(_PLACE, "As `after`, and counts before it; browsers send it when they come back."),
    "Traceparent": Field(_TEXT, "The trace that the job belongs to (W3C Trace Context); what is none is ignored."),
    "If-Match": Field(
        {"type": "string", "pattern": r'^\s*\*\s*$|"[^"]*"'},
        "The `Etag` of the job as it was read: 412 if the job has changed since.",
    ),
    "If-None-Match": Field(_TEXT, "The `Etag` of an earlier answer: 304 without a body if nothing has changed."),
}


def query_field(route: str, name: str) -> Field:
    """A field that the handler of this route says it takes. Raises KeyError if it is not described here."""
    own = _OWN.get(route, {})
    return own[name] if name in own else _EVERYWHERE[name]
