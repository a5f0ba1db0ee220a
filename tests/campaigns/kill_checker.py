"""What must be true of a database after any number of kills, from the notes of submitters and pages.

Words as in ``tests.crash.checker``; this one also reads a store that has not been drained, follows each result to the
page that sent it, and holds the tallies against the rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Outcome

__all__ = ["Notes", "violations"]


@dataclass
class Notes:
    """What clients know of one store."""

    #: Key -> data of all that was sent.
    sent: dict[str, Any] = field(default_factory=dict)
    #: Key -> id of all that was acknowledged.
    accepted: dict[str, str] = field(default_factory=dict)
    #: Key -> every result that some page has made for it, as JSON text.
    answers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Verdicts that pages have heard.
    outcomes: list[Outcome] = field(default_factory=list)
    #: Job -> result, as an earlier look at the database found it.
    recorded: dict[str, str] = field(default_factory=dict)
    #: The keys of each batch.
    batches: list[list[str]] = field(default_factory=list)
    unanswered: int = 0
    replayed: int = 0

    def batch(self, key: str, count: int) -> list[str]:
        """The keys that the server gives to the jobs of a batch of this key."""
        self.batches.append([f"{key}\N{MIDDLE DOT}{index}" for index in range(count)])
        return self.batches[-1]

    def copy(self) -> Notes:
        """As they are now, for a look at the database as it is now."""
        return Notes(
            dict(self.sent), dict(self.accepted), {key: set(texts) for key, texts in self.answers.items()},
            list(self.outcomes), self.recorded, list(self.batches),
        )  # fmt: skip


_JOBS = """
    SELECT j.id, j.seq, j.state, j.key, j.number, d.data, r.value
    FROM jobs j LEFT JOIN job_data d ON d.seq = j.seq LEFT JOIN results r ON r.seq = j.seq
"""
_COUNTED = "SELECT lane, state, count(*), sum(size) FROM jobs GROUP BY lane, state"
_TALLIES = "SELECT lane, state, jobs, bytes FROM tallies WHERE jobs != 0 OR bytes != 0"
_ATTEMPTS = "SELECT job, id, number, cause, late_at FROM attempts ORDER BY id"
_ORPHANS = "SELECT seq FROM {table} WHERE seq NOT IN (SELECT seq FROM jobs)"


def violations(path: Path, notes: Notes, *, drained: bool) -> list[str]:
    """What is wrong in the database of a server that is gone. ``drained``: every job must have succeeded."""
    database = sqlite3.connect(path)
    try:
        return list(_violations(database, notes, drained))
    finally:
        database.close()


def _violations(database: sqlite3.Connection, notes: Notes, drained: bool) -> Iterator[str]:
    (integrity,) = database.execute("PRAGMA integrity_check").fetchone()
    if integrity != "ok":
        yield f"integrity: {integrity}"
    rows = database.execute(_JOBS).fetchall()
    jobs = {row[0]: row for row in rows}
    yield from _lost(jobs, notes)
    yield from _unexpected(rows, notes)
    yield from _batches({row[3] for row in rows}, notes)
    attempts: dict[int, list[Any]] = defaultdict(list)
    for job, *attempt in database.execute(_ATTEMPTS):
        attempts[job].append(attempt)
    for row in rows:
        yield from _job(row, attempts[row[1]], notes, drained)
    yield from _verdicts(jobs, attempts, notes)
    if set(database.execute(_COUNTED)) != set(database.execute(_TALLIES)):
        yield "tallies: they are not what the rows say"
    for table in ("job_data", "results"):
        yield from (f"torn: {table} {seq} has no job" for (seq,) in database.execute(_ORPHANS.format(table=table)))


def _lost(jobs: dict[str, Any], notes: Notes) -> Iterator[str]:
    """Jobs that were acknowledged, and results of which a page has heard that they are recorded (see _verdicts)."""
    for key, job_id in notes.accepted.items():
        if job_id not in jobs:
            yield f"lost: {key} was acknowledged as {job_id} and is not there"
        elif jobs[job_id][3] != key or jobs[job_id][5] is None or json.loads(jobs[job_id][5]) != notes.sent[key]:
            yield f"changed: {key} is not what was sent"


def _unexpected(rows: list[Any], notes: Notes) -> Iterator[str]:
    for job_id, _, _, key, *_ in rows:
        if key not in notes.sent or notes.accepted.get(key, job_id) != job_id:
            yield f"unexpected: {job_id} with the key {key}"
    keys = Counter(row[3] for row in rows)
    yield from (f"unexpected: {count} jobs with the key {key}" for key, count in keys.items() if count > 1)


def _batches(keys: set[str | None], notes: Notes) -> Iterator[str]:
    for batch in notes.batches:
        there = sum(key in keys for key in batch)
        if there not in (0, len(batch)):
            yield f"batch: of {batch} {there} jobs are there"


def _job(row: Any, attempts: list[Any], notes: Notes, drained: bool) -> Iterator[str]:
    job_id, _, state, key, number, _, value = row
    won = [attempt for attempt in attempts if attempt[2] == "succeeded" or attempt[3] is not None]
    if len(won) > 1 or (state == "succeeded") != (len(won) == 1) or (state == "succeeded") != (value is not None):
        yield f"twice: {job_id} is {state}, {len(won)} attempts have succeeded, its result is {value!r}"
    if value is not None and value not in notes.answers.get(key, ()):
        yield f"changed: no page has sent the result of {job_id}"
    if value is not None and notes.recorded.setdefault(job_id, value) != value:
        yield f"changed: the result of {job_id} was another one before"
    if value is None and job_id in notes.recorded:
        yield f"lost: the result of {job_id} was there before"
    numbers = sorted(attempt[1] for attempt in attempts if attempt[1] is not None and attempt[2] is not None)
    if numbers != list(range(1, len(numbers) + 1)) or (state == "succeeded" and number != len(numbers)):
        yield f"torn: {job_id} has the numbers {numbers}, {number} accepted"
    if drained and state != "succeeded":
        yield f"lost: {job_id} has not ended: {state}"


def _verdicts(jobs: dict[str, Any], attempts: dict[int, list[Any]], notes: Notes) -> Iterator[str]:
    """What a page was told is recorded, is; and it was told so of one attempt of a job only."""
    told: dict[str, str] = {}
    for outcome in notes.outcomes:
        if (outcome.verdict, outcome.kind) != ("recorded", "result"):
            continue
        if told.setdefault(outcome.job, outcome.attempt) != outcome.attempt:
            yield f"twice: two attempts of {outcome.job} were told that they are recorded"
        row = jobs.get(outcome.job)
        rows = attempts[row[1]] if row is not None else []
        if not any(a[0] == outcome.attempt and (a[2] == "succeeded" or a[3] is not None) for a in rows):
            yield f"lost: {outcome.attempt} was told that it is recorded, and is not"
