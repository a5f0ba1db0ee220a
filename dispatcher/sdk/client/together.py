"""Many jobs together: a batch, the end of some jobs, and what changes. No I/O: the plans of both clients."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from .answers import error_of, fields_of, value_of
from .errors import ChangesMissed, NotPagehand
from .exchange import HttpCall, ServerAnswer, path_of
from .facts import OPEN, JobFacts
from .plans import WAIT_S, Plans, Steps

__all__ = ["MOST_IDS", "BatchFacts", "Waited", "batch", "batch_over", "batch_results", "changes", "items_of", "waited"]

J = TypeVar("J", bound=JobFacts)

#: The most jobs that one request waits for.
MOST_IDS = 1_000
#: What each batch has.
_BATCH = ("id", "jobs", "counts", "ended")
#: Behind the caller's deadline there is one more look, which may take so long.
_LAST_LOOK_S = 5.0
#: What a job that has ended no longer has as it was, or has got since.
_PASSING = frozenset({"attempts", "result", "error", "detail", "reason", "waits", "waiting", "progress", "log"})
#: The state of a job of which nothing is known: it may go on.
_OPEN = "queued"
#: The state of a job that the server does not know (any more). No server says it.
_UNKNOWN = "unknown"


class Waited(NamedTuple, Generic[J]):
    """What has come of waiting for some jobs, each part in the order in which they were given."""

    done: list[J]
    not_done: list[J]


class BatchFacts:
    """A batch as the server showed it last."""

    def __init__(self, fields: dict[str, Any]) -> None:
        #: All fields, as docs/api.md names them.
        self.fields = fields

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.fields["id"])

    @property
    def jobs(self) -> int:
        """How many jobs of it the server still has."""
        return int(self.fields["jobs"])

    @property
    def counts(self) -> dict[str, int]:
        """How many of them are in each state; a state without any is not there."""
        return dict(self.fields["counts"])

    @property
    def ended(self) -> bool:
        """None of them changes by itself any more."""
        return bool(self.fields["ended"])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.counts}>"


# -- a batch


def batch(plans: Plans, batch_id: str, *, wait_s: int = 0, deadline: float | None = None) -> Steps[dict[str, Any]]:
    """A batch, now, or when all of its jobs are over or ``wait_s`` have passed."""
    call = HttpCall("GET", path_of("batches", batch_id, wait=wait_s or None), wait_s=wait_s)
    return fields_of(value_of((yield from plans.ask(call, deadline))), *_BATCH)


def batch_over(plans: Plans, batch_id: str, deadline: float | None) -> Steps[dict[str, Any] | None]:
    """A batch once all of its jobs are over; None at the deadline."""

    def look(wait_s: int) -> Steps[dict[str, Any]]:
        return batch(plans, batch_id, wait_s=wait_s, deadline=deadline)

    return plans.until(look, lambda fields: bool(fields["ended"]), deadline)


def batch_results(plans: Plans, batch_id: str) -> Steps[list[dict[str, Any]]]:
    """``id``, ``state``, ``result`` and ``error`` of each of its jobs, in their order."""
    answer = yield from plans.ask(HttpCall("GET", path_of("batches", batch_id, "results")))
    return [fields_of(line, "id", "state", "result", "error") for line in _lines(answer)]


def _lines(answer: ServerAnswer) -> list[Any]:
    if answer.status != 200 or not answer.headers.get("content-type", "").startswith("application/x-ndjson"):
        raise error_of(answer)
    try:
        return [json.loads(line) for line in answer.body.splitlines()]
    except ValueError as error:
        raise NotPagehand(f"the answer says that it has JSON in each line, and has not: {error}") from error


# -- the end of some jobs


def waited(plans: Plans, jobs: Sequence[J], deadline: float | None, *, first: bool) -> Steps[Waited[J]]:
    """Which of the jobs are over: when all are, or with ``first`` as soon as one is, or at the deadline.

    A job that is over knows its state, and asks for the rest. Raises ValueError: too many jobs to wait for the first.
    """
    ids = list(dict.fromkeys(job.id for job in jobs))
    if first and len(ids) > MOST_IDS:
        raise ValueError(f"any=True takes at most {MOST_IDS:,} jobs, and these are {len(ids):,}")
    states: dict[str, str] = {}
    for start in range(0, len(ids), MOST_IDS):
        states |= yield from _standing(plans, ids[start : start + MOST_IDS], deadline, first=first)
    for job in jobs:
        if states[job.id] not in OPEN and not job.over:
            kept = {name: value for name, value in job.fields.items() if name not in _PASSING}
            job.fields = {**kept, "state": states[job.id]}
    over = [states[job.id] not in OPEN for job in jobs]
    return Waited(
        [job for job, is_over in zip(jobs, over, strict=True) if is_over],
        [job for job, is_over in zip(jobs, over, strict=True) if not is_over],
    )


def _standing(plans: Plans, ids: list[str], deadline: float | None, *, first: bool) -> Steps[dict[str, str]]:
    """The state of each job; all are open, if no answer came in time."""

    def look(wait_s: int) -> Steps[dict[str, Any]]:
        body = json.dumps({"ids": ids, "any": first, "timeout_s": wait_s}).encode()
        call = HttpCall("POST", path_of("jobs", "wait"), body, wait_s=wait_s)
        return fields_of(value_of((yield from plans.ask(call, deadline))), "items", "done")

    found = yield from plans.until(look, lambda told: bool(told["done"]), deadline)
    if found is None:  # which of them are over, is said without waiting
        deadline = plans.clock() + _LAST_LOOK_S
        try:
            found = yield from look(0)
        except TimeoutError:
            return dict.fromkeys(ids, _OPEN)
    return {item["id"]: item["state"] or _UNKNOWN for item in found["items"]}


# -- what changes


def changes(plans: Plans, filters: Mapping[str, Any], after: str | None) -> Steps[dict[str, Any]]:
    """The changes behind ``after`` (None: from now on): ``items``, ``after`` and ``gap``. Waits if there are none."""
    wait_s = 0 if after is None else WAIT_S  # the first answer says where it begins: then nothing is missed
    call = HttpCall("GET", path_of("changes", **filters, after=after, wait=wait_s or None), wait_s=wait_s)
    return fields_of(value_of((yield from plans.ask(call))), "items", "after", "gap")


def items_of(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The changes of a page. Raises ChangesMissed."""
    if gap := page["gap"]:
        raise ChangesMissed(str(gap["detail"]), str(page["after"]))
    return list(page["items"])
