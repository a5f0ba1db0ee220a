"""All rows of a store, read past its port, for ``dispatcher.core.jobs.validate``."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from dispatcher.core.jobs.rows import AttemptRow
from dispatcher.core.jobs.validate import Snapshot
from dispatcher.store.columns import ATTEMPT_COLUMNS, JOB_COLUMNS, attempt_row, job_row
from dispatcher.store.memory import MemoryRows
from dispatcher.store.postgres.link import Link
from dispatcher.store.sqlite import statements as sql

__all__ = ["damage", "in_database", "in_memory", "in_postgres"]

_JOBS = f"SELECT {', '.join(JOB_COLUMNS)} FROM jobs"
_ATTEMPTS = f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts"

_TALLIES = """
    SELECT coalesce(l.name, t.lane::text), t.state, sum(t.jobs)::bigint, sum(t.bytes)::bigint
    FROM tallies t LEFT JOIN lanes l ON l.lane = t.lane WHERE t.lane <> '00000000-0000-0000-0000-000000000000'
    GROUP BY t.lane, l.name, t.state
"""


def in_database(database: sqlite3.Connection) -> Snapshot:
    """The rows of the SQLite store."""

    def pairs(query: str) -> dict[int, str]:
        return dict(database.execute(query).fetchall())

    lanes = {number: name for number, name, *_ in database.execute(sql.LANES)}
    tallies = database.execute(sql.TALLIES)
    return Snapshot(
        jobs={row[0]: job_row(row) for row in database.execute(_JOBS)},
        attempts=_by_job(map(attempt_row, database.execute(_ATTEMPTS))),
        data=pairs("SELECT seq, data FROM job_data"),
        results=pairs("SELECT seq, value FROM results"),
        logs={job for (job,) in database.execute("SELECT DISTINCT job FROM logs")},
        tags={seq for (seq,) in database.execute("SELECT DISTINCT seq FROM job_tags")},
        # In a damaged store a lane may be missing; its jobs are then counted in another one.
        tallies={(lanes.get(lane, f"lane {lane}"), state): (jobs, size) for lane, state, jobs, size in tallies},
    )


def in_postgres(link: Link) -> Snapshot:
    """The rows of the PostgreSQL store. Its counts are those of all nodes together."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return link._db.execute(query.encode()).fetchall()

    return Snapshot(
        jobs={row[0]: job_row(row) for row in rows(_JOBS)},
        attempts=_by_job(map(attempt_row, rows(f"{_ATTEMPTS} ORDER BY job, id"))),
        data=dict(rows("SELECT seq, data FROM job_data")),
        results=dict(rows("SELECT seq, value FROM results")),
        logs={job for (job,) in rows("SELECT DISTINCT job FROM logs")},
        tags={seq for (seq,) in rows("SELECT DISTINCT seq FROM job_tags")},
        tallies={(lane, state): (jobs, size) for lane, state, jobs, size in rows(_TALLIES)},
    )


def in_memory(rows: MemoryRows) -> Snapshot:
    """The rows of the store in memory, and its counts."""
    return Snapshot(
        jobs=dict(rows.by_seq),
        attempts=_by_job(rows.all_attempts.values()),
        data=dict(rows.payloads),
        results=dict(rows.results),
        logs=set(rows.logs),
        tallies={key: (tally.jobs, tally.bytes) for key, tally in rows.counters.all.items()},
    )


def damage(database: sqlite3.Connection) -> list[str]:
    """I29: what SQLite itself finds wrong with the file."""
    (found,) = database.execute("PRAGMA integrity_check").fetchone()
    return [] if found == "ok" else [f"I29: {found}"]


def _by_job(attempts: Iterable[AttemptRow]) -> dict[int, list[AttemptRow]]:
    found: dict[int, list[AttemptRow]] = defaultdict(list)
    for attempt in attempts:
        found[attempt.job].append(attempt)
    return dict(found)
