"""A submitter that keeps notes, and what must be true of the database after any number of crashes: every job is done.

Executions may repeat (at least once, S4): they are counted and shown, not hidden.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulator.journal import Execution
from tests.campaigns.kill_checker import Notes, Stored, judged
from tests.support.process import ServerProcess
from tests.support.waiting import PATIENCE_S

__all__ = ["Findings", "Submitter", "check"]


class Submitter:
    """Submits jobs; sends each again with the same key until it has an answer."""

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
            if answer.status == 503 and answer.json()["code"] == "storage_away":
                await asyncio.sleep(0.1)  # nothing was changed
                continue
            assert answer.status in (200, 201), answer
            self.replayed += answer.headers.get("idempotency-replayed") == "true"
            self.accepted[key] = answer.json()["id"]


@dataclass
class Findings:
    """What the check of a stopped server finds, after all jobs were done."""

    #: As ``kill_checker`` says them. Empty: the promise was kept.
    violations: list[str]
    #: Executions beyond the first, of all jobs: allowed, and shown.
    repeated_executions: int


def check(path: Path, submitter: Submitter, executed: Sequence[Execution]) -> Findings:
    """Reads the database of a stopped server. Every page has given its data back, to the letter."""
    stored = Stored.read(path)
    notes = Notes(sent=submitter.sent, accepted=submitter.accepted)
    for seq, job in stored.rows.jobs.items():
        notes.answers[job.key or ""].add(stored.rows.data.get(seq, ""))
    starts = Counter(execution.job for execution in executed)
    repeated = sum(count - 1 for count in starts.values())
    return Findings(judged(stored, notes, drained=True), repeated)
