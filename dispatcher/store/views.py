"""The part of reading that both stores share: views made from rows, and cursors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from dispatcher.core.jobs.keys import KEY_MARK, key_shown
from dispatcher.core.jobs.ledger import silent_attempt
from dispatcher.core.jobs.matching import requires
from dispatcher.core.jobs.model import AttemptView, JobFilter, JobPage, JobView, TypeView
from dispatcher.core.jobs.rows import AttemptRow, JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.search import hits, search_of
from dispatcher.core.jobs.views.snippets import snippets_of
from dispatcher.errors import BadParameter

__all__ = [
    "MOST_ATTEMPTS_SHOWN",
    "MOST_LINES_KEPT",
    "SLICE",
    "SLICES",
    "attempt_view",
    "attempts_stop",
    "cursor_of",
    "end_of",
    "error_code",
    "fits",
    "page_of",
    "seq_of",
    "type_views",
    "view",
]

#: A page of a list looks at no more than SLICES x SLICE jobs, a slice at a time, so that a rare filter never holds up a
#: turn.
SLICE = 1_000
SLICES = 40

#: Most attempts that one job shows.
MOST_ATTEMPTS_SHOWN = 200
MOST_LINES_KEPT = 200


def attempts_stop(job: JobRow) -> bool:
    """Whether only its newest attempt tells when the job stopped to run: its row tells when it ran to a result."""
    came = job.state is JobState.SUCCEEDED and job.reason is None
    return job.started_at is not None and job.state is not JobState.RUNNING and not came


def view(
    job: JobRow, *, data: str = "null", result: str | None = None, attempt_ended_at: float | None = None
) -> JobView:
    """A job's row as people and programs see it, without its attempts and log.

    ``attempt_ended_at``: when its newest attempt ended; needed where ``attempts_stop`` says so.
    """
    started = job.started_at is not None
    return JobView(
        id=job.id, type=job.type, data=data, state=job.state, reason=job.reason, detail=job.detail,
        terms=job.terms, about=job.about, number=job.number, errors=job.errors, crashes=job.crashes,
        key=None if job.key is None else key_shown(job.key),
        batch=job.batch,
        percent=job.percent, note=job.note, result=result, error=job.error,
        worker=job.worker, worker_name=job.worker_name,
        created_at=job.created_at, run_at=job.run_at, expires_at=job.expires_at,
        offered_at=job.offered_at, started_at=job.started_at, ended_at=job.ended_at,
        stopped_at=attempt_ended_at if attempts_stop(job) else job.ended_at if started else None,
        ready_at=job.ready_at,
    )  # fmt: skip


def attempt_view(row: AttemptRow, node: str = "") -> AttemptView:
    """An attempt as it is shown; ``node``: which of several has it, or had it."""
    live = "offered" if row.started_at is None else "running"
    state = live if row.cause is None else str(row.cause)
    return AttemptView(
        number=row.number,
        worker=row.worker or "",
        worker_name=row.worker_name or "",
        state=state,
        offered_at=row.offered_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        error=row.error,
        late_at=row.late_at,
        node=node,
        task_version=row.task_version,
    )


def with_current(job: JobRow, attempts: list[AttemptRow]) -> list[AttemptRow]:
    """The attempts that have rows, and the current one if it has not been written yet."""
    if job.state is not JobState.RUNNING or any(attempt.id == job.attempt for attempt in attempts):
        return attempts
    current = silent_attempt(job)
    return attempts if current is None else [*attempts, current]


def fits(row: JobRow, asked: JobFilter) -> bool:
    """Whether a list with this filter shows the job, wherever it begins."""
    if (asked.states and row.state not in asked.states) or asked.type not in (None, row.type):
        return False
    if asked.worker not in (None, row.worker_name) or not requires(row.terms.requires, asked.requires):
        return False
    if asked.owner not in (None, row.about.owner) or (asked.ids and row.id not in asked.ids):
        return False
    if asked.error is not None and asked.error != error_code(row):
        return False
    if not (set(asked.tags) <= set(row.about.tags) and asked.batch in (None, row.batch) and _has_key(row, asked.key)):
        return False
    created = _within(row.created_at, asked.created_after, asked.created_before)
    return created and _within(row.ended_at, asked.ended_after, asked.ended_before)


def _has_key(row: JobRow, key: str | None) -> bool:
    """Whether the job has this key, or its batch has."""
    return key is None or (row.key is not None and row.key.partition(KEY_MARK)[0] == key)


def _within(at: float | None, after: float | None, before: float | None) -> bool:
    if at is None:
        return after is None and before is None
    return (after is None or at >= after) and (before is None or at < before)


def error_code(row: JobRow) -> str | None:
    """The code in a job's last error; None: it has none that is a text."""
    try:
        error = None if row.error is None else msgspec.json.decode(row.error)
    except msgspec.DecodeError:
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None


def cursor_of(seq: int) -> str:
    """An opaque cursor: the list goes on below this job."""
    return base64.urlsafe_b64encode(str(seq).encode()).decode().rstrip("=")


def seq_of(cursor: str) -> int:
    """The place that a cursor names. Raises BadParameter."""
    try:
        seq = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        seq = -1
    if not 0 < seq < 1 << 62:
        raise BadParameter("cursor: take it unchanged from an earlier answer's next_cursor", parameter="cursor")
    return seq


def page_of(
    rows: Mapping[int, JobRow],
    last_seq: int,
    asked: JobFilter,
    shown: Callable[[JobRow], JobView],
    texts: Callable[[JobRow], Sequence[str | None]],
) -> JobPage:
    """A page of jobs that are in memory. It looks at as many numbers as a database does. Raises BadParameter."""
    below = last_seq + 1
    below = min(below, seq_of(asked.cursor)) if asked.cursor else below
    search = None if asked.search is None else search_of(asked.search, asked.owner)
    items: list[JobView] = []
    start = cursor_of(below)
    for seq in range(below - 1, max(0, below - 1 - SLICES * SLICE), -1):
        below, row = seq, rows.get(seq)
        if row is not None and fits(row, asked) and (search is None or any(hits(search, texts(row)))):
            told = snippets_of(search, texts(row)) if search is not None and asked.snippets else ()
            items.append(replace(shown(row), snippets=told))
            if len(items) == asked.limit:
                break
    return JobPage(items=items, next_cursor=cursor_of(below) if below > 1 else None, start=start)


def end_of(prefix: str) -> str | None:
    """What stands behind all texts with this prefix, in the order of their characters; None: nothing does."""
    head = prefix.rstrip("\U0010ffff")
    if not head:
        return None
    last = ord(head[-1]) + 1
    return head[:-1] + chr(0xE000 if last == 0xD800 else last)  # no text holds half a pair


def type_views(
    names: Iterable[str],
    known: Container[str],
    offered: Mapping[str, float],
    counts: Mapping[str, Mapping[str, int]],
) -> list[TypeView]:
    """The ``known`` types among ``names``.

    ``offered``: when each type was first offered; ``counts``: the jobs of each type by state.
    """
    return [
        TypeView(type=name, offered_at=offered.get(name), counts=_by_state(counts.get(name, {})))
        for name in names
        if name in known
    ]


def _by_state(counts: Mapping[str, int]) -> dict[str, int]:
    """In the order of the states; those that any job of the type has been in."""
    return {state.value: counts[state] for state in JobState if state in counts}
