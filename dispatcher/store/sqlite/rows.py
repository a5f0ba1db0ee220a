"""The rows of the SQLite store: the gateway of ``rows.Rows`` over one connection.

Runs in the store's thread, inside a transaction that the store has opened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from dispatcher.core.jobs.ledger import AttemptRow, Changes, JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cause, LiveAttempt
from dispatcher.store.attempts import attempt_range
from dispatcher.store.rows import Tally
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.views import MOST_ATTEMPTS_SHOWN, MOST_LINES_KEPT

__all__ = ["SqliteRows", "attempt_row", "job_row", "live_attempt"]

_STATES = {str(state): state for state in JobState}
_CAUSES: dict[str | None, Cause | None] = {None: None} | {str(cause): cause for cause in Cause}
_CAUSE = sql.ATTEMPT_COLUMNS.index("cause")
#: Rows in one statement: times the columns it must stay below SQLite's 32,766 parameters.
_MOST_ROWS = 512
_json = msgspec.json.Encoder()
_terms = msgspec.json.Decoder(Terms)
_TERMS = sql.JOB_COLUMNS.index("terms")
_values = msgspec.structs.astuple
_changing = attrgetter("seq", *sql.CHANGING)
_claimed = attrgetter("seq", *sql.CLAIMED)
#: Running jobs whose rows are kept in memory; when there are more, all are read again. A row has some 600 bytes.
_MOST_KEPT = 16_384


def _text(values: object) -> str:
    return _json.encode(values).decode()


@lru_cache(maxsize=4_096)
def terms_text(terms: Terms) -> str:
    """A job's terms as they are kept. Most jobs have those of many others."""
    return _text(terms)


@lru_cache(maxsize=4_096)
def terms_of(text: str) -> Terms:
    """The terms that a row holds; what it does not name has its default."""
    return _terms.decode(text)


def job_row(row: Sequence[Any]) -> JobRow:
    """A row of ``JOB_COLUMNS`` as a JobRow."""
    made = JobRow(*row)
    made.state, made.terms = _STATES[row[1]], terms_of(row[_TERMS])
    return made


def _new_job(job: JobRow) -> list[object]:
    values: list[object] = list(_values(job))
    values[_TERMS] = terms_text(job.terms)
    return values


def attempt_row(row: Sequence[Any]) -> AttemptRow:
    """A row of ``ATTEMPT_COLUMNS`` as an AttemptRow."""
    made = AttemptRow(*row)
    made.cause = _CAUSES[row[_CAUSE]]
    return made


def live_attempt(row: Sequence[Any]) -> LiveAttempt:
    """A row of ``LIVE``."""
    attempt, job, type_name, number, started_at, terms, errors, crashes, worker, boot = row
    return LiveAttempt(
        attempt=attempt, job=job, type=type_name, number=number, started_at=started_at, terms=terms_of(terms),
        errors=errors, crashes=crashes, worker=worker, boot=boot,
    )  # fmt: skip


class SqliteRows:
    """Rows in, rows out.

    The rows of running jobs are kept in memory, for each of them is read again when its attempt ends. Nobody else
    writes to the file, and after a rollback ``reload`` forgets them.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._lanes: dict[str, int] = {}
        self._seq = 0
        self._running: dict[int, JobRow] = {}
        self.reload()

    def reload(self) -> None:
        """Reads again what is kept in memory: at the start, and after a transaction was rolled back."""
        self._lanes = {type_name: lane for lane, type_name, _ in self._db.execute(sql.LANES)}
        self._seq = self._db.execute(sql.LAST_SEQ).fetchone()[0] or 0
        self._running.clear()

    def _fetch(self, statement: str, *parameters: object) -> list[Any]:
        return self._db.execute(statement, parameters).fetchall()

    def attempts(self, ids: Iterable[str]) -> dict[str, AttemptRow]:
        """See rows.Rows."""
        return {row[0]: attempt_row(row) for row in self._fetch(sql.ATTEMPTS_BY_ID, _text(list(ids)))}

    def attempts_of(self, seq: int) -> list[AttemptRow]:
        """See rows.Rows."""
        newest = self._fetch(sql.ATTEMPTS_OF, *attempt_range(seq), MOST_ATTEMPTS_SHOWN)
        return [attempt_row(row) for row in reversed(newest)]

    def jobs(self, seqs: Iterable[int]) -> dict[int, JobRow]:
        """See rows.Rows."""
        found: dict[int, JobRow] = {}
        missing: list[int] = []
        for seq in seqs:
            row = self._running.get(seq)
            if row is None:
                missing.append(seq)
            else:
                found[seq] = row
        if missing:
            found.update((row[0], job_row(row)) for row in self._fetch(sql.JOBS_BY_SEQ, _text(missing)))
        return found

    def jobs_by_id(self, ids: Iterable[str]) -> dict[str, JobRow]:
        """See rows.Rows."""
        rows = map(job_row, self._fetch(sql.JOBS_BY_ID, _text(list(ids))))
        return {row.id: row for row in rows}

    def jobs_by_key(self, keys: Iterable[str]) -> dict[str, JobRow]:
        """See rows.Rows."""
        names = list(keys)
        rows = map(job_row, self._fetch(sql.JOBS_BY_KEY, _text(names))) if names else ()
        return {row.key: row for row in rows if row.key is not None}

    def ready(self, lane: int, limit: int, after: tuple[float, int]) -> list[tuple[float, int]]:
        """See rows.Rows."""
        return self._fetch(sql.READY, lane, *after, limit)

    def due(self, now_at: float, queue_clock: float, limit: int) -> list[JobRow]:
        """See rows.Rows."""
        delayed = self._fetch(sql.DUE, now_at, limit)
        return list(map(job_row, delayed + self._fetch(sql.BACKED_OFF, queue_clock, limit - len(delayed))))

    def overdue(self, now_at: float, limit: int) -> list[JobRow]:
        """See rows.Rows."""
        return list(map(job_row, self._fetch(sql.OVERDUE, now_at, limit)))

    def next_due_at(self) -> float | None:
        """See rows.Rows."""
        instant: float | None = self._fetch(sql.NEXT_DUE)[0][0]
        return instant

    def next_backoff(self) -> float | None:
        """See rows.Rows."""
        instant: float | None = self._fetch(sql.NEXT_BACKOFF)[0][0]
        return instant

    def claimable(self, seqs: Iterable[int]) -> tuple[dict[int, JobRow], dict[int, str]]:
        """See rows.Rows."""
        rows = self._fetch(sql.CLAIMABLE, _text(list(seqs)))
        return {row[1]: job_row(row[1:]) for row in rows}, {row[1]: row[0] for row in rows}

    def _write(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Writes a set of rows, in sizes that are powers of two so that few statements are prepared.

        The last row stands in for what is missing to the next size: every such statement may be given a row twice.
        """
        for start in range(0, len(rows), _MOST_ROWS):
            part = rows[start : start + _MOST_ROWS]
            size = 1 << (len(part) - 1).bit_length()
            values = list(chain.from_iterable(part))
            values += list(part[-1]) * (size - len(part))
            self._db.execute(sql.for_rows(statement, len(part[0]), size), values)

    def add_jobs(self, jobs: Sequence[JobRow], data: Sequence[str]) -> None:
        """See rows.Rows."""
        self._write(sql.ADD_JOBS, list(map(_new_job, jobs)))
        self._write(sql.ADD_DATA, [(job.seq, text) for job, text in zip(jobs, data, strict=True)])

    def save(self, changes: Changes) -> None:
        """See rows.Rows."""
        self._write(sql.SAVE_CLAIMS, list(map(_claimed, changes.claims.values())))
        self._write(sql.SAVE_JOBS, list(map(_changing, changes.jobs.values())))
        self._write(sql.SAVE_ATTEMPTS, list(map(_values, changes.attempts.values())))
        self._write(sql.ADD_RESULTS, changes.results)
        if changes.logs:
            self._db.executemany(sql.ADD_LOG, changes.logs)
            self._db.executemany(sql.TRIM_LOG, [(seq, MOST_LINES_KEPT) for seq in {line[0] for line in changes.logs}])
        self._keep(changes)

    def _keep(self, changes: Changes) -> None:
        if len(self._running) > _MOST_KEPT:
            self._running.clear()
        self._running.update(changes.claims)
        for seq, job in changes.jobs.items():
            if job.state is JobState.RUNNING:
                self._running[seq] = job
            else:
                self._running.pop(seq, None)

    def lane(self, type_name: str) -> int:
        """See rows.Rows."""
        lane = self._lanes.get(type_name)
        if lane is None:
            made: int = self._db.execute(sql.ADD_LANE, (type_name,)).fetchone()[0]
            lane = self._lanes[type_name] = made
        return lane

    def lanes_known(self) -> Collection[str]:
        """See rows.Rows."""
        return self._lanes.keys()

    def forget_lanes(self, names: Sequence[str]) -> None:
        """See rows.Rows."""
        lanes = _text([self._lanes.pop(name) for name in names])
        for statement in sql.FORGET_LANES:
            self._db.execute(statement, (lanes,))

    def mark_offered(self, lanes: Iterable[int], now_at: float) -> None:
        """See rows.Rows."""
        self._db.execute(sql.MARK_OFFERED, (now_at, _text(list(lanes))))

    def next_seq(self) -> int:
        """See rows.Rows."""
        self._seq += 1
        return self._seq

    def outlived(self, ended_before: float, keyed_before: float, limit: int) -> list[JobRow]:
        """See rows.Rows."""
        found: list[Any] = []
        for statement, before in zip(sql.OUTLIVED, (ended_before, keyed_before), strict=True):
            found += self._fetch(statement, before, limit - len(found))
        return list(map(job_row, found))

    def purge(self, seqs: Sequence[int]) -> None:
        """See rows.Rows."""
        names = _text(seqs)
        for statement in sql.PURGE:
            self._db.execute(statement, (names,))
        self._db.executemany(sql.PURGE_ATTEMPTS, [attempt_range(seq) for seq in seqs])

    def save_tallies(self, changed: dict[tuple[int, str], Tally]) -> None:
        """See rows.Rows."""
        rows = [(lane, state, tally.jobs, tally.bytes) for (lane, state), tally in changed.items()]
        self._write(sql.SAVE_TALLIES, rows)

    def save_queue_clock(self, queue_clock: float) -> None:
        """See rows.Rows."""
        self._db.execute(sql.SAVE_META, ("queue_clock", queue_clock))
