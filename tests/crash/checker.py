"""What must be true after any number of crashes, read from the submitter's notes and from the database.

The words are those of Jepsen's queue checker: *lost* was acknowledged and is not there or not done; *unexpected* is
there and nobody submitted it. Executions may repeat (at least once, S4): they are counted and shown, not hidden.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulator.journal import Execution
from tests.support.process import ServerProcess
from tests.support.waiting import PATIENCE_S

__all__ = ["Findings", "Submitter", "check"]


class Submitter:
    """Submits jobs, each until it has an answer: what got none is sent again with the same key."""

    def __init__(self, server: ServerProcess, *, retries: bool = True) -> None:
        self._server = server
        self._retries = retries
        #: Key -> data, of all that was sent.
        self.sent: dict[str, Any] = {}
        #: Key -> id, of all that was acknowledged.
        self.accepted: dict[str, str] = {}
        self.unanswered = 0
        self.replayed = 0

    async def submit(self, key: str, data: Any) -> None:
        """Returns when the job is acknowledged."""
        self.sent[key] = data
        while key not in self.accepted:
            await asyncio.wait_for(self._server.up.wait(), PATIENCE_S)
            try:
                body = {"type": "echo", "data": data}
                answer = await self._server.request("POST", "/api/v1/jobs", body, key=key, timeout_s=5)
            except (OSError, EOFError, TimeoutError):
                self.unanswered += 1
                if not self._retries:
                    return
                await asyncio.sleep(0)  # until the loop has seen the end of the server
                continue
            assert answer.status in (200, 201), answer
            self.replayed += answer.headers.get("idempotency-replayed") == "true"
            self.accepted[key] = answer.json()["id"]


@dataclass
class Findings:
    """All empty: the promise was kept."""

    lost: list[str] = field(default_factory=list)
    #: Acknowledged, but its data or its result is not what was sent.
    changed: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    #: More than one attempt recorded as successful, or more than one result.
    twice: list[str] = field(default_factory=list)
    #: Numbers with gaps or an attempt without an end.
    torn: list[str] = field(default_factory=list)
    integrity: str = "ok"
    #: Executions beyond the first, of all jobs: allowed, and shown.
    repeated_executions: int = 0

    def broken(self) -> dict[str, object]:
        """What is not as promised."""
        kept = {"lost": self.lost, "changed": self.changed, "unexpected": self.unexpected}
        kept |= {"twice": self.twice, "torn": self.torn}
        found: dict[str, object] = {name: items for name, items in kept.items() if items}
        return found if self.integrity == "ok" else found | {"integrity": self.integrity}


def check(path: Path, submitter: Submitter, executed: Sequence[Execution]) -> Findings:
    """Reads the database of a server that has stopped."""
    database = sqlite3.connect(path)
    try:
        return _check(database, submitter, executed)
    finally:
        database.close()


def _check(database: sqlite3.Connection, submitter: Submitter, executed: Sequence[Execution]) -> Findings:
    findings = Findings(integrity=database.execute("PRAGMA integrity_check").fetchone()[0])
    rows = database.execute(
        "SELECT j.id, j.seq, j.state, j.key, j.number, d.data, r.value "
        "FROM jobs j JOIN job_data d ON d.seq = j.seq LEFT JOIN results r ON r.seq = j.seq"
    ).fetchall()
    jobs = {row[0]: row for row in rows}
    for key, job_id in submitter.accepted.items():
        row = jobs.get(job_id)
        if row is None or row[2] != "succeeded":
            findings.lost.append(f"{key}: {'gone' if row is None else row[2]}")
        elif json.loads(row[5]) != submitter.sent[key] or row[6] != row[5]:
            findings.changed.append(key)
    known = set(submitter.accepted.values())
    findings.unexpected = [
        row[0] for row in rows if row[0] not in known and (row[3] not in submitter.sent or row[3] in submitter.accepted)
    ]
    for row in rows:
        _check_attempts(database, row, findings)
    starts = Counter(execution.job for execution in executed)
    findings.repeated_executions = sum(count - 1 for count in starts.values())
    return findings


def _check_attempts(database: sqlite3.Connection, row: Any, findings: Findings) -> None:
    job_id, seq, state, _, number, _, value = row
    attempts = database.execute(
        "SELECT number, cause, late_at FROM attempts WHERE job = ? ORDER BY offered_at, id", (seq,)
    ).fetchall()
    won = [attempt for attempt in attempts if attempt[1] == "succeeded" or attempt[2] is not None]
    if len(won) > 1 or (state == "succeeded") != (len(won) == 1) or (state == "succeeded") != (value is not None):
        findings.twice.append(f"{job_id}: {state}, {attempts}")
    numbers = sorted(attempt[0] for attempt in attempts if attempt[0] is not None and attempt[1] is not None)
    if numbers != list(range(1, len(numbers) + 1)) or (state == "succeeded" and number != len(numbers)):
        findings.torn.append(f"{job_id}: numbers {numbers}, {number} accepted")
    if state == "succeeded" and any(attempt[1] is None for attempt in attempts):
        findings.torn.append(f"{job_id}: an attempt has no end: {attempts}")
