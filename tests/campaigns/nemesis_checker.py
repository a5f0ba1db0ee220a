"""What must be true of a store after the storm, from the written history of submitters and pages and from its rows.

What ``kill_checker`` asks of the rows and of clients' notes is asked here too; in addition, that every job has ended,
and that each execution beyond a job's first is explained by an attempt that ended in another way. Executions may
repeat (at least once, S4): they are counted by cause.

A history is lines of JSON, each with its instant ``at`` (UTC) and ``event``: ``submit`` (key, data), ``answer`` (key,
status, id), ``unknown`` (key), ``made`` (key, value), ``fault`` (name), ``gone`` (a server: it is told to
end), ``run`` (job, attempt), ``verdict`` (an Outcome's fields), ``wrong`` (words: what must not be, and was seen).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.core.jobs.rows import AttemptRow, JobRow
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.turn import Cause
from dispatcher.sdk.simulate import Outcome
from tests.campaigns.kill_checker import Notes, Stored, judged

__all__ = ["Findings", "Story", "check"]

#: A job in doubt waits for a person: nothing more comes by itself.
_ENDED = {*FINAL, JobState.IN_DOUBT}


@dataclass
class Story:
    """A history, read."""

    notes: Notes = field(default_factory=Notes)
    #: Job -> attempts that were executed, in order.
    runs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    #: When servers ended.
    restarts: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    #: Key -> ids with which it was acknowledged.
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    wrong: list[str] = field(default_factory=list)
    events: int = 0

    @classmethod
    def read(cls, path: Path) -> Story:
        """All of it."""
        story = cls()
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)
                story.events += 1
                _READERS[event["event"]](story, event)
        return story

    def _submit(self, event: dict[str, Any]) -> None:
        self.notes.sent[event["key"]] = event["data"]

    def _answer(self, event: dict[str, Any]) -> None:
        if event["status"] in (200, 201):
            self.notes.accepted[event["key"]] = event["id"]
            self.ids[event["key"]].add(event["id"])
            self.notes.replayed += event["status"] == 200

    def _unknown(self, event: dict[str, Any]) -> None:
        self.notes.unanswered += 1

    def _made(self, event: dict[str, Any]) -> None:
        self.notes.answers[event["key"]].add(event["value"])

    def _fault(self, event: dict[str, Any]) -> None:
        self.faults[event["name"]] += 1

    def _gone(self, event: dict[str, Any]) -> None:
        self.restarts.append(event["at"])

    def _run(self, event: dict[str, Any]) -> None:
        self.runs[event["job"]].append(event["attempt"])

    def _verdict(self, event: dict[str, Any]) -> None:
        self.notes.outcomes.append(Outcome(*(event[name] for name in Outcome._fields)))

    def _wrong(self, event: dict[str, Any]) -> None:
        self.wrong.append(event["words"])


_READERS = {
    "submit": Story._submit, "answer": Story._answer, "unknown": Story._unknown, "made": Story._made,
    "fault": Story._fault, "gone": Story._gone, "run": Story._run, "verdict": Story._verdict,
    "wrong": Story._wrong,
}  # fmt: skip


@dataclass
class Findings:
    """``violations`` begin with an invariant's number or a word that says the kind: those of ``kill_checker``, and
    unexplained, again, wrong.
    """

    violations: list[str] = field(default_factory=list)
    #: State -> jobs.
    states: Counter[str] = field(default_factory=Counter)
    #: Why a job ran once more, by the end of the attempt before.
    repeated: Counter[str] = field(default_factory=Counter)
    executed: int = 0
    #: Executions of jobs with effects once.
    once: int = 0


def check(database: Path, story: Story) -> Findings:
    """Reads the store of a server that has stopped after the drain."""
    stored = Stored.read(database)
    found = Findings(violations=judged(stored, story.notes, drained=False))
    found.violations += [f"wrong: {words}" for words in story.wrong]
    for seq, job in stored.rows.jobs.items():
        attempts = {attempt.id: attempt for attempt in stored.rows.attempts.get(seq, ())}
        found.violations += _job(job, attempts, story, found)
    for key, ids in story.ids.items():
        if len(ids) > 1:
            found.violations.append(f"unexpected: {key} was acknowledged as {sorted(ids)}")
    return found


def _job(job: JobRow, attempts: dict[str, AttemptRow], story: Story, found: Findings) -> Iterator[str]:
    found.states[str(job.state)] += 1
    if job.state not in _ENDED:
        yield f"lost: {job.key} has not ended: {job.state}"
    runs = story.runs.get(job.id, [])
    found.executed += len(runs)
    if job.terms.once:
        found.once += len(runs)
        if len(runs) > 1:
            yield f"again: {job.id} must take effect once and ran {len(runs)} times: {runs}"
    yield from _repeats(job.id, runs, attempts, story, found)


def _repeats(
    job_id: str, runs: list[str], attempts: dict[str, AttemptRow], story: Story, found: Findings
) -> Iterator[str]:
    """Each execution beyond the first has an attempt that ended, other than by the job's success."""
    if len(runs) > len(set(runs)):
        yield f"unexplained: an attempt of {job_id} was executed twice: {runs}"
    others = [run for run in runs if run not in attempts or attempts[run].cause is not Cause.SUCCEEDED]
    for run in others:
        if run not in attempts or attempts[run].cause is None:
            yield f"unexplained: {run} of {job_id} was executed, and the store knows no end of it"
    if len(runs) > 1:
        ends = sorted((attempts[run] for run in others if run in attempts), key=lambda attempt: attempt.offered_at)
        found.repeated.update(_cause(attempt, story) for attempt in ends[: len(runs) - 1])
    if len(others) < len(runs) - 1:
        yield f"unexplained: {job_id} ran {len(runs)} times, and {len(others)} of them did not end in success"


def _cause(attempt: AttemptRow, story: Story) -> str:
    from_then, until = attempt.offered_at, attempt.ended_at or attempt.offered_at
    if attempt.cause in (Cause.LOST, Cause.LAPSED) and any(from_then <= at <= until for at in story.restarts):
        return f"{attempt.cause} over a restart"
    return str(attempt.cause)
