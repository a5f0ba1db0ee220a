"""Checks what must always be true of the rows: the invariants of docs/promises.md, each in one place.

It owns all that can be checked by a look at a job's row, its attempts, its result, its key, its log lines and the
counters, and at the same rows before. Tests, simulator and campaigns ask here. It does not know what submitters and
pages have seen, what time it is, or which machine holds which attempt; those who know check that.

A fault is a sentence that begins with the number of its invariant. Nothing is raised: one look finds every fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from dispatcher.core.jobs.ledger import DECIDED, silent_attempt
from dispatcher.core.jobs.rows import AttemptRow, JobRow, lane_of_row
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cause, Logged, Turn, TurnReport, Verdict

__all__ = [
    "Snapshot",
    "attempts_of",
    "change_faults",
    "count_faults",
    "history_faults",
    "job_faults",
    "snapshot_faults",
    "turn_faults",
]

_RANKED = (JobState.QUEUED, JobState.RUNNING)
#: Reasons of a success that a person made, and no attempt.
_BY_HAND = (DECIDED, "adopted")
_COLUMNS = JobRow.__struct_fields__
#: Columns of a job that are written once. People may change its expiry and some of its terms: see ``change_faults``.
_FIXED = [name for name in _COLUMNS[_COLUMNS.index("id") :] if name not in ("expires_at", "terms")]
#: Terms that may be changed while the job waits.
_AMENDED = ("priority", "requires")
#: Columns of an attempt that never change once they are set.
_SET_ONCE = ("offered_at", "started_at", "ended_at", "late_at", "cause", "evidence")


class Snapshot(Struct, frozen=True, kw_only=True):
    """All rows of a store at one instant. Jobs are named by their seq."""

    jobs: Mapping[int, JobRow]
    #: The attempts that have been written, by job.
    attempts: Mapping[int, Sequence[AttemptRow]]
    data: Mapping[int, str]
    results: Mapping[int, str]
    #: The jobs that have log lines.
    logs: Collection[int]
    #: The jobs that tags name.
    tags: Collection[int] = ()
    #: (lane, state) -> (jobs, bytes of their data), as the store has counted.
    tallies: Mapping[tuple[str, str], tuple[int, int]]


def attempts_of(job: JobRow, written: Iterable[AttemptRow]) -> list[AttemptRow]:
    """A job's attempts, oldest first: those that have been written, and the current one if it has not."""
    attempts = sorted(written, key=lambda attempt: attempt.id)
    if job.state is JobState.RUNNING and job.attempt not in {attempt.id for attempt in attempts}:
        silent = silent_attempt(job)
        return attempts if silent is None else [*attempts, silent]
    return attempts


# One job


def job_faults(
    job: JobRow, written: Iterable[AttemptRow], result: str | None, *, wall_stepped: bool = False
) -> list[str]:
    """What is wrong with one job. ``wall_stepped``: the wall clock was stepped, so that instants prove no order."""
    attempts = attempts_of(job, written)
    faults = [*_state(job, result), *_errors(job, attempts), *_crashes(job, attempts), *_doubt(job, attempts)]
    faults += [*_lives(job, attempts), *_wins(job, attempts)]
    for attempt in attempts:
        faults += [*_end(attempt), *_beginning(job, attempt)]
        if not wall_stepped:
            faults += _timeline(attempt)
    return faults


def _state(job: JobRow, result: str | None) -> Iterator[str]:
    """Checks the fields that are set in some states and in no others."""
    if (job.state is JobState.SUCCEEDED) != (result is not None):
        yield f"I4: {job.id} is {job.state} {'without' if result is None else 'with'} a result"
    if (job.rank is not None) != (job.state in _RANKED):
        yield f"S17: {job.id} is {job.state} and its rank is {job.rank}"
    if (job.run_at is not None) != (job.state is JobState.SCHEDULED):
        yield f"I13: {job.id} is {job.state} and its time is {job.run_at}"
    if (job.ended_at is not None) != (job.state in FINAL):
        yield f"I17: {job.id} is {job.state} and ended at {job.ended_at}"
    if (job.ended_clock is not None) != (job.state in FINAL):
        yield f"S32: {job.id} is {job.state} and ended at {job.ended_clock} of the queue clock"
    if job.backoff_until is not None and job.state is not JobState.SCHEDULED:
        yield f"S32: {job.id} is {job.state} and backs off until {job.backoff_until}"
    if job.state is JobState.EXPIRED and (job.expires_at is None or (job.ended_at or 0.0) < job.expires_at):
        yield f"I13: {job.id} expired at {job.ended_at}, before {job.expires_at}"
    if job.state is JobState.CANCELLED and job.attempt is not None:
        yield f"I30: {job.id} is cancelled, and {job.attempt} could still end it"


def _errors(job: JobRow, attempts: list[AttemptRow]) -> Iterator[str]:
    if job.errors > job.terms.max_attempts:
        yield f"I11: {job.id} has {job.errors} errors and timeouts of {job.terms.max_attempts}"
    elif job.errors == job.terms.max_attempts and job.state not in FINAL:
        yield f"I11: {job.id} has used up its attempts and is {job.state}"
    # The count may be lower than the rows say: a person's retry starts it again.
    if job.errors > sum(attempt.cause in (Cause.ERROR, Cause.TIMED_OUT) for attempt in attempts):
        yield f"I11: {job.id} has {job.errors} errors and timeouts, more than its attempts"


def _crashes(job: JobRow, attempts: list[AttemptRow]) -> Iterator[str]:
    if job.crashes > job.terms.max_crashes + 1:
        yield f"I12: {job.id} has {job.crashes} crashes of {job.terms.max_crashes}"
    if job.crashes > job.terms.max_crashes and job.state is not JobState.SUCCEEDED and job.reason != "poison":
        yield f"I12: {job.id} has used up its crashes and is {job.state} because of {job.reason}"
    # A loss in a restart of the server uses up nothing.
    if job.crashes > sum(attempt.cause is Cause.LOST for attempt in attempts):
        yield f"I12: {job.id} has {job.crashes} crashes, more than its attempts"


def _doubt(job: JobRow, attempts: list[AttemptRow]) -> Iterator[str]:
    if job.state is not JobState.IN_DOUBT:
        return
    if not job.terms.once:
        yield f"S15b: {job.id} is in doubt, and may be repeated"
    if job.reason not in (Cause.LOST, Cause.TIMED_OUT, Cause.RELEASED):
        yield f"S15b: {job.id} is in doubt because of {job.reason}, which leaves none"
    elif job.reason not in [attempt.cause for attempt in attempts if attempt.id == job.attempt]:
        yield f"S15b: {job.id} is in doubt because of {job.reason}, and its newest attempt did not end so"


def _lives(job: JobRow, attempts: list[AttemptRow]) -> Iterator[str]:
    """At most one attempt lives, the newest. Each claim has made one, and accepted ones have their numbers."""
    live = [attempt.id for attempt in attempts if attempt.cause is None]
    if len(live) != (job.state is JobState.RUNNING) or (live and live != [job.attempt]):
        yield f"I7: {job.id} is {job.state} with {job.attempt}, and its live attempts are {live}"
    if job.attempt is not None and [job.attempt] != [attempt.id for attempt in attempts[-1:]]:
        yield f"I5: {job.attempt} could end {job.id}, and is not its newest attempt"
    if len(attempts) != job.claims:
        yield f"I17: {job.id} was claimed {job.claims} times and has {len(attempts)} attempts"
    numbers = sorted(attempt.number or 0 for attempt in attempts if attempt.started_at is not None)
    if numbers != list(range(1, job.number + 1)):
        yield f"I11: the numbers of {job.id} are {numbers}, its own {job.number}"


def _wins(job: JobRow, attempts: list[AttemptRow]) -> Iterator[str]:
    """One attempt has made a success, unless a person has."""
    won = [attempt.id for attempt in attempts if attempt.cause is Cause.SUCCEEDED or attempt.late_at is not None]
    if len(won) != (job.state is JobState.SUCCEEDED and job.reason not in _BY_HAND):
        yield f"I4: {job.id} is {job.state} because of {job.reason}, and {len(won)} attempts have succeeded"
    if len(won) == 1 and won != [job.attempt]:
        yield f"I5: the result of {job.id} is that of {won[0]}, and its newest attempt is {job.attempt}"


def _end(attempt: AttemptRow) -> Iterator[str]:
    if (attempt.cause is None) != (attempt.ended_at is None):
        yield f"I11: {attempt.id} has the end {attempt.cause} at {attempt.ended_at}"
    if attempt.late_at is not None and attempt.cause in (None, Cause.SUCCEEDED):
        yield f"I11: {attempt.id} has the end {attempt.cause} and a late one"
    if attempt.cause is not None and (attempt.number is None) != (attempt.started_at is None):
        yield f"I11: {attempt.id} began at {attempt.started_at} and has the number {attempt.number}"


def _beginning(job: JobRow, attempt: AttemptRow) -> Iterator[str]:
    answered = attempt.cause in (Cause.SUCCEEDED, Cause.ERROR) or attempt.late_at is not None
    if answered and attempt.started_at is None:
        yield f"I17: {attempt.id} was answered, and never began"
    if job.expires_at is not None and attempt.offered_at >= job.expires_at:
        yield f"I13: {attempt.id} was offered at {attempt.offered_at}, and {job.id} expired at {job.expires_at}"


def _timeline(attempt: AttemptRow) -> Iterator[str]:
    every = (attempt.offered_at, attempt.started_at, attempt.ended_at, attempt.late_at)
    instants = [instant for instant in every if instant is not None]
    if instants != sorted(instants):
        yield f"I17: the timeline of {attempt.id} is {instants}"


# All rows


def snapshot_faults(rows: Snapshot, *, wall_stepped: bool = False) -> list[str]:
    """What is wrong with all rows of a store, with those of each job."""
    faults: list[str] = []
    for seq, job in rows.jobs.items():
        written, result = rows.attempts.get(seq, ()), rows.results.get(seq)
        faults += job_faults(job, written, result, wall_stepped=wall_stepped)
    return [*faults, *_strays(rows), *_twins(rows.jobs.values()), *_tallies(rows)]


def _strays(rows: Snapshot) -> Iterator[str]:
    yield from (f"I1: {job.id} has lost its data" for seq, job in rows.jobs.items() if seq not in rows.data)
    kinds = {
        "data": rows.data,
        "results": rows.results,
        "attempts": rows.attempts,
        "log lines": rows.logs,
        "tags": rows.tags,
    }
    for what, owners in kinds.items():
        yield from (f"I2: there are {what} of job {seq}, which is not there" for seq in owners if seq not in rows.jobs)


def _twins(jobs: Collection[JobRow]) -> Iterator[str]:
    ids, keys = Counter(job.id for job in jobs), Counter(job.key for job in jobs if job.key is not None)
    yield from (f"I2: {count} jobs are {name}" for name, count in ids.items() if count > 1)
    yield from (f"I3: {count} jobs have the key {key}" for key, count in keys.items() if count > 1)


def _tallies(rows: Snapshot) -> Iterator[str]:
    jobs: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for job in rows.jobs.values():
        jobs[lane_of_row(job), job.state] += 1
        sizes[lane_of_row(job), job.state] += job.size
    for lane, state in sorted(jobs.keys() | rows.tallies.keys()):
        counted, there = rows.tallies.get((lane, state), (0, 0)), (jobs[lane, state], sizes[lane, state])
        if counted != there:
            yield f"I18: {counted} jobs and bytes are counted as {state} in lane {lane}, there are {there}"


def count_faults(jobs: Iterable[JobRow], counts: Mapping[str, int]) -> list[str]:
    """What is wrong with the shown counts of jobs by state."""
    there = Counter(str(job.state) for job in jobs)
    shown = {state: count for state, count in counts.items() if count}
    return [] if shown == there else [f"I18: the counts shown are {shown}, there are {dict(there)}"]


# What may change


def change_faults(before: JobRow, after: JobRow, *, by_hand: bool) -> list[str]:
    """Changes in a job's row that must not be.

    ``by_hand``: a person has retried, decided, adopted, amended or taken a decision back meanwhile.
    """
    settled = before.state in FINAL and not (by_hand and _may_be_undone(before))
    if settled and before != after:
        return [f"I5: {before.id} was {before.state} and has become {after.state}, or was changed otherwise"]
    changed = [name for name in _FIXED if getattr(before, name) != getattr(after, name)]
    if after.expires_at != before.expires_at and not by_hand:
        changed.append("expires_at")
    changed += _terms_changed(before.terms, after.terms, _AMENDED if by_hand else ())
    faults = [f"I1: {name} of {before.id} is not as it was submitted" for name in changed]
    counts = ("claims", "number") if by_hand else ("claims", "number", "errors", "crashes")
    for name in counts:
        was, now = getattr(before, name), getattr(after, name)
        if now < was:
            faults.append(f"I11: {name} of {before.id} went from {was} to {now}")
    return faults


def _may_be_undone(job: JobRow) -> bool:
    """A success only where a person has made it, who had no answer of a page."""
    return job.state is not JobState.SUCCEEDED or job.reason == DECIDED


def _terms_changed(before: Terms, after: Terms, may: Collection[str]) -> list[str]:
    if before is after:
        return []
    names = (name for name in Terms.__struct_fields__ if name not in may)
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def history_faults(
    before: Snapshot, after: Snapshot, *, by_hand: Collection[str] = (), removed: Collection[str] = ()
) -> list[str]:
    """Changes from one look to the next that must not be.

    ``by_hand``: ids of jobs that people have so changed meanwhile; ``removed``: those that were removed rightly.
    """
    faults: list[str] = []
    for seq, job in before.jobs.items():
        now = after.jobs.get(seq)
        if now is not None:
            faults += change_faults(job, now, by_hand=job.id in by_hand)
            faults += _kept(job, seq, before, after, by_hand=job.id in by_hand)
        elif job.id not in removed:
            faults.append(f"I2: {job.id} was {job.state} and has vanished")
    return faults


def _kept(job: JobRow, seq: int, before: Snapshot, after: Snapshot, *, by_hand: bool) -> Iterator[str]:
    if after.data.get(seq) != before.data.get(seq):
        yield f"I1: the data of {job.id} has changed"
    stays = seq in before.results and not (by_hand and _may_be_undone(job))
    if stays and after.results.get(seq) != before.results[seq]:
        yield f"I5: the result of {job.id} has changed"
    found = {attempt.id: attempt for attempt in after.attempts.get(seq, ())}
    for attempt in before.attempts.get(seq, ()):
        yield from _recorded(attempt, found.get(attempt.id))


def _recorded(before: AttemptRow, after: AttemptRow | None) -> Iterator[str]:
    if after is None:
        yield f"I17: {before.id} has vanished"
        return
    # An offer that ends without an accept gives up its number.
    names = _SET_ONCE if before.started_at is None else (*_SET_ONCE, "number")
    for name in names:
        was, now = getattr(before, name), getattr(after, name)
        if was is not None and now != was:
            yield f"I5: the {name} of {before.id} was {was} and is {now}"


# A turn


def turn_faults(turn: Turn, report: TurnReport, revoked: Collection[str]) -> list[str]:
    """What is wrong with the verdicts of a turn. ``revoked``: attempts that were cancelled in earlier ones.

    A line of the log may still come from such an attempt: it changes nothing about the job.
    """
    pairs = [(said, s.verdict) for said, s in zip(turn.reports, report.verdicts, strict=True)]
    recorded = [said for said, verdict in pairs if verdict is Verdict.RECORDED and not isinstance(said, Logged)]
    return [f"I30: {said.attempt} was revoked, and {said} was recorded" for said in recorded if said.attempt in revoked]
