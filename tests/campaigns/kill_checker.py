"""What must be true of a database after any number of kills: its rows are sound, and the clients' notes agree.

What rows must be by themselves ``validate`` says, beginning with an invariant's number. Here stands what only clients
know, in the words of Jepsen's queue checker: *lost* was acknowledged and is not there or not done; *unexpected* is
there and nobody submitted it. Executions may repeat (at least once, S4).
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cause
from dispatcher.core.jobs.validate import Snapshot, history_faults, snapshot_faults
from dispatcher.sdk.simulate import Outcome
from tests.support.rows import damage, in_database

__all__ = ["LOST", "TORN", "TWICE", "UNEXPECTED", "Notes", "Stored", "judged", "violations"]

#: How violations begin, by the figure that counts them.
LOST = ("lost", "I1:")
UNEXPECTED = ("unexpected", "I3:")
TWICE = ("twice", "I4:", "I5:")
TORN = ("I2:", "I7:", "I11:", "I12:", "I13:", "I17:", "I18:", "I29:", "I30:", "S15b:", "S17:", "S32:")


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
    #: The rows as an earlier look at the database found them.
    seen: list[Snapshot] = field(default_factory=list)
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
            list(self.outcomes), self.seen, list(self.batches),
        )  # fmt: skip


class Stored(NamedTuple):
    """What a database holds."""

    rows: Snapshot
    damage: list[str]

    @classmethod
    def read(cls, path: Path) -> Stored:
        """Reads the database of a server that is gone."""
        database = sqlite3.connect(path)
        try:
            return cls(in_database(database), damage(database))
        finally:
            database.close()


def violations(path: Path, notes: Notes, *, drained: bool) -> list[str]:
    """What is wrong in the database of a server that is gone. ``drained``: every job must have succeeded."""
    return judged(Stored.read(path), notes, drained=drained)


def judged(stored: Stored, notes: Notes, *, drained: bool) -> list[str]:
    """What is wrong with rows that have been read."""
    rows = stored.rows
    found = [*stored.damage, *snapshot_faults(rows), *_clients(rows, notes)]
    for before in notes.seen:
        found += history_faults(before, rows)
    notes.seen[:] = [rows]
    if drained:
        left = [job for job in rows.jobs.values() if job.state is not JobState.SUCCEEDED]
        found += [f"lost: {job.id} has not ended: {job.state}" for job in left]
    return found


def _clients(rows: Snapshot, notes: Notes) -> Iterator[str]:
    """What submitters and pages know, each in its turn."""
    jobs = {job.id: job for job in rows.jobs.values()}
    yield from _lost(jobs, rows, notes)
    yield from _unexpected(jobs, notes)
    yield from _batches({job.key for job in jobs.values()}, notes)
    for seq, value in rows.results.items():
        job = rows.jobs.get(seq)
        if job is not None and value not in notes.answers.get(job.key or "", ()):
            yield f"changed: no page has sent the result of {job.id}"
    yield from _verdicts(jobs, rows, notes)


def _lost(jobs: dict[str, JobRow], rows: Snapshot, notes: Notes) -> Iterator[str]:
    """Jobs that were acknowledged, and results of which a page has heard that they are recorded (see _verdicts)."""
    for key, job_id in notes.accepted.items():
        job = jobs.get(job_id)
        data = None if job is None else rows.data.get(job.seq)
        if job is None:
            yield f"lost: {key} was acknowledged as {job_id} and is not there"
        elif job.key != key or data is None or json.loads(data) != notes.sent[key]:
            yield f"changed: {key} is not what was sent"


def _unexpected(jobs: dict[str, JobRow], notes: Notes) -> Iterator[str]:
    for job_id, job in jobs.items():
        if job.key not in notes.sent or notes.accepted.get(job.key, job_id) != job_id:
            yield f"unexpected: {job_id} with the key {job.key}"


def _batches(keys: set[str | None], notes: Notes) -> Iterator[str]:
    for batch in notes.batches:
        there = sum(key in keys for key in batch)
        if there not in (0, len(batch)):
            yield f"batch: of {batch} {there} jobs are there"


def _verdicts(jobs: dict[str, JobRow], rows: Snapshot, notes: Notes) -> Iterator[str]:
    """What a page was told is recorded must be; and pages were told so of only one attempt of a job."""
    told: dict[str, str] = {}
    for outcome in notes.outcomes:
        if (outcome.verdict, outcome.kind) != ("recorded", "result"):
            continue
        if told.setdefault(outcome.job, outcome.attempt) != outcome.attempt:
            yield f"twice: two attempts of {outcome.job} were told that they are recorded"
        job = jobs.get(outcome.job)
        won = [
            attempt.id
            for attempt in (rows.attempts.get(job.seq, ()) if job is not None else ())
            if attempt.cause is Cause.SUCCEEDED or attempt.late_at is not None
        ]
        if outcome.attempt not in won:
            yield f"lost: {outcome.attempt} was told that it is recorded, and is not"
