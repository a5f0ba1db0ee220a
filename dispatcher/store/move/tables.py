"""What becomes of the tables of a file when it moves into a database: which columns come from where.

Most tables have the same columns on both sides, and go over as they are. The others are written down here. What belongs
to one node belongs to ``NODE`` afterwards. It knows no connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from dispatcher.store.columns import ATTEMPT_COLUMNS, JOB_COLUMNS
from dispatcher.store.port import NODE
from dispatcher.store.postgres.keys import ALL_LANES, lane_fields, lane_key

__all__ = ["LEFT", "TABLES", "Table"]

Row = Sequence[Any]


class Table(Struct, frozen=True):
    """One table of the database."""

    name: str
    columns: tuple[str, ...]
    #: What is read of the file.
    select: str
    #: A row of that, as it is written.
    made: Callable[[Row], Row] = tuple
    #: The column whose numbers the database gives, if it goes on behind those that have come.
    numbered: str = ""


def _same(name: str, *columns: str, numbered: str = "") -> Table:
    return Table(name, columns, f"SELECT {', '.join(columns)} FROM {name}", numbered=numbered)  # noqa: S608 - ours


def _lane(row: Row) -> Row:
    name, type_name, offered_at = row
    fields = lane_fields(name, type_name, offered_at)
    return [fields[column] for column in ("lane", "name", "type", "wanted", "offered_at")]


def _with_lane_key(row: Row) -> Row:
    return [lane_key(row[0]), *row[1:]]


#: As ``store/views.py`` has it.
_ERROR_CODE = (
    "CASE WHEN json_valid(j.error) AND json_type(j.error, '$.code') = 'text' THEN json_extract(j.error, '$.code') END"
)
#: In an order in which nothing is missing that another one counts.
TABLES = (
    Table(
        "lanes", ("lane", "name", "type", "wanted", "offered_at"), "SELECT name, type, offered_at FROM lanes", _lane
    ),
    Table(
        "jobs", ("lane", *JOB_COLUMNS, "owner", "error_code", "node"),
        f"SELECT l.name, {', '.join(f'j.{name}' for name in JOB_COLUMNS)}, j.owner, {_ERROR_CODE}, '{NODE}' "  # noqa: S608
        "FROM jobs AS j JOIN lanes AS l USING (lane)",
        _with_lane_key,
    ),
    Table("job_data", ("seq", "id", "data"), "SELECT seq, id, data FROM job_data JOIN jobs USING (seq)"),
    _same("results", "seq", "value"),
    _same("job_tags", "tag", "seq"),
    Table(
        "attempts", (*ATTEMPT_COLUMNS, "node"),
        f"SELECT {', '.join(ATTEMPT_COLUMNS)}, '{NODE}' FROM attempts",  # noqa: S608
    ),
    _same("logs", "job", "line_no", "attempt", "at", "line"),
    Table(
        "tallies", ("lane", "state", "node", "jobs", "bytes"),
        f"SELECT l.name, t.state, '{NODE}', t.jobs, t.bytes FROM tallies AS t JOIN lanes AS l USING (lane)",  # noqa: S608
        _with_lane_key,
    ),
    Table(
        "tallies", ("lane", "state", "node", "jobs", "bytes"),
        f"SELECT '{ALL_LANES}', state, '{NODE}', sum(jobs), sum(bytes) FROM tallies GROUP BY state",  # noqa: S608
    ),
    Table(
        "workers", ("name", "place", "node", "gone_at", "gone_clock", "habit", "habit_before", "worker", "diary"),
        f"SELECT name, place, '{NODE}', gone_at, gone_clock, habit, habit_before, worker, diary FROM workers",  # noqa: S608
    ),
    _same(
        "tokens", "id", "digest", "name", "scopes", "types", "made_by", "made_at", "expires_at", "revoked_at",
        "last_used_at", "labels", "uses", "used", "jobs_per_minute",
    ),
    _same("credentials", "worker", "token", "digests", "at"),
    _same(
        "acts", "number", "at", "actor", "token", "remote", "action", "target", "detail", "outcome", "clock",
        numbered="number",
    ),
    _same("kept", "worker", "called", "name", "labels", "note", "paused", "blocked"),
    _same("kept_types", "type", "paused", "defaults"),
    _same(
        "endings", "step_s", "start", "type", "succeeded", "failed", "cancelled", "expired", "wait", "run"
    ),
    _same(
        "endpoints", "id", "url", "events", "types", "secret", "old_secret", "old_until", "enabled", "reason", "name",
        "made_by", "made_at",
    ),
    _same(
        "messages", "number", "id", "endpoint", "target", "url", "event", "job", "body", "at", "attempts", "due",
        numbered="number",
    ),
    _same(
        "deliveries", "number", "message", "endpoint", "event", "job", "attempt", "at", "ms", "status", "error",
        "outcome", numbered="number",
    ),
)  # fmt: skip
#: Tables of the database that nothing of the file goes into: nodes, what they tell each other, their pages, and
#: what triggers count.
LEFT = frozenset({"meta", "nodes", "news", "offered", "seen", "amounts", "uncounted"})
