"""A store in memory, for tests and trials: the same rules and the same contract, nothing survives the process."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec.structs import astuple, replace

from dispatcher.core.jobs.ledger import AttemptRow, Changes, JobRow
from dispatcher.core.jobs.model import JobFilter, JobPage, JobView, LogLine, TypeView
from dispatcher.core.jobs.states import WAITING, JobState
from dispatcher.core.jobs.turn import LaneReady, LiveAttempt, Turn, TurnReport
from dispatcher.store.applier import TurnApplier
from dispatcher.store.commands import evidence
from dispatcher.store.items import apply_items
from dispatcher.store.rows import Limits, Tally
from dispatcher.store.views import (
    MOST_ATTEMPTS_SHOWN,
    MOST_LINES_KEPT,
    attempt_view,
    cursor_of,
    seq_of,
    type_views,
    view,
    with_current,
)

__all__ = ["MemoryRows", "MemoryStore"]

#: What one item can cause by itself.
ITEM_ERRORS = (UnicodeEncodeError, OverflowError)


def _check(rows: Iterable[Iterable[object]]) -> None:
    """Raises one of ITEM_ERRORS for values that no database would take."""
    for row in rows:
        for value in row:
            if isinstance(value, str):
                value.encode()
            elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
                raise OverflowError(f"{value} is not an integer of 64 bits")


class MemoryRows:
    """The gateway of ``rows.Rows`` over dictionaries."""

    def __init__(self) -> None:
        self.by_seq: dict[int, JobRow] = {}
        self.by_id: dict[str, int] = {}
        self.by_key: dict[str, int] = {}
        self.payloads: dict[int, str] = {}
        self.results: dict[int, str] = {}
        self.all_attempts: dict[str, AttemptRow] = {}
        self.logs: dict[int, list[LogLine]] = {}
        self.lanes: dict[str, int] = {}
        self.offered: dict[int, float] = {}
        self._ready: dict[int, list[tuple[float, int]]] = {}
        self._seq = self._lane = 0
        #: Types whose lanes this step has made.
        self._new_lanes: list[str] = []

    def keep(self) -> None:
        """The step has been applied."""
        self._new_lanes.clear()

    def forget(self) -> None:
        """The step was refused: its lanes go too; it has written nothing else."""
        for name in self._new_lanes:
            del self.lanes[name]
        self._new_lanes.clear()

    def attempts(self, ids: Iterable[str]) -> dict[str, AttemptRow]:
        """See rows.Rows. Copies, so that only ``save`` changes the store."""
        return {i: replace(self.all_attempts[i]) for i in ids if i in self.all_attempts}

    def attempts_of(self, seq: int) -> list[AttemptRow]:
        """See rows.Rows."""
        own = sorted((a for a in self.all_attempts.values() if a.job == seq), key=lambda a: a.id)
        return [replace(a) for a in own[-MOST_ATTEMPTS_SHOWN:]]

    def jobs(self, seqs: Iterable[int]) -> dict[int, JobRow]:
        """See rows.Rows."""
        return {seq: replace(self.by_seq[seq]) for seq in seqs if seq in self.by_seq}

    def jobs_by_id(self, ids: Iterable[str]) -> dict[str, JobRow]:
        """See rows.Rows."""
        return {i: replace(self.by_seq[self.by_id[i]]) for i in ids if i in self.by_id}

    def jobs_by_key(self, keys: Iterable[str]) -> dict[str, JobRow]:
        """See rows.Rows."""
        return {key: replace(self.by_seq[self.by_key[key]]) for key in keys if key in self.by_key}

    def ready(self, lane: int, limit: int, after: tuple[float, int]) -> list[tuple[float, int]]:
        """See rows.Rows."""
        queued = self._ready.get(lane, [])
        start = bisect.bisect_right(queued, after)
        return queued[start : start + limit]

    def due(self, now_at: float, queue_clock: float, limit: int) -> list[JobRow]:
        """See rows.Rows."""
        rows = [row for row in self.by_seq.values() if row.state is JobState.SCHEDULED]
        delayed = [row for row in rows if row.backoff_until is None and row.run_at is not None and row.run_at <= now_at]
        over = [row for row in rows if row.backoff_until is not None and row.backoff_until <= queue_clock]
        delayed.sort(key=lambda row: row.run_at or 0.0)
        over.sort(key=lambda row: row.backoff_until or 0.0)
        return [replace(row) for row in (delayed + over)[:limit]]

    def overdue(self, now_at: float, limit: int) -> list[JobRow]:
        """See rows.Rows."""
        rows = [row for row in self.by_seq.values() if row.state in WAITING]
        rows = [row for row in rows if row.expires_at is not None and row.expires_at <= now_at]
        return [replace(row) for row in sorted(rows, key=lambda row: row.expires_at or 0.0)[:limit]]

    def next_due_at(self) -> float | None:
        """See rows.Rows."""
        waiting = [row for row in self.by_seq.values() if row.state in WAITING]
        runs = [row.run_at for row in waiting if row.backoff_until is None]
        instants = [instant for instant in runs + [row.expires_at for row in waiting] if instant is not None]
        return min(instants, default=None)

    def next_backoff(self) -> float | None:
        """See rows.Rows."""
        return min((row.backoff_until for row in self.by_seq.values() if row.backoff_until is not None), default=None)

    def claimable(self, seqs: Iterable[int]) -> tuple[dict[int, JobRow], dict[int, str]]:
        """See rows.Rows."""
        jobs = self.jobs(seqs)
        return jobs, {seq: self.payloads[seq] for seq in jobs}

    def add_jobs(self, jobs: Sequence[JobRow], data: Sequence[str]) -> None:
        """See rows.Rows."""
        _check([data, *map(astuple, jobs)])
        for job, text in zip(jobs, data, strict=True):
            self.payloads[job.seq] = text
            self.by_id[job.id] = job.seq
            if job.key is not None:
                self.by_key[job.key] = job.seq
            self._put(job)

    def save(self, changes: Changes) -> None:
        """See rows.Rows."""
        jobs = [*changes.jobs.values(), *changes.claims.values()]
        _check([*map(astuple, jobs), *map(astuple, changes.attempts.values())])
        _check([*changes.results, *changes.logs])
        for job in jobs:
            self._put(job)
        self.all_attempts.update(changes.attempts)
        self.results.update(changes.results)
        for seq, _, at, line in changes.logs:
            lines = self.logs.setdefault(seq, [])
            lines.append(LogLine(at=at, line=line))
            del lines[:-MOST_LINES_KEPT]

    def _put(self, job: JobRow) -> None:
        old = self.by_seq.get(job.seq)
        if old is not None and old.state is JobState.QUEUED and old.rank is not None:
            self._ready[old.lane].remove((old.rank, old.seq))
        self.by_seq[job.seq] = job
        if job.state is JobState.QUEUED and job.rank is not None:
            bisect.insort(self._ready.setdefault(job.lane, []), (job.rank, job.seq))

    def lane(self, type_name: str) -> int:
        """See rows.Rows."""
        lane = self.lanes.get(type_name)
        if lane is None:
            _check([[type_name]])
            self._lane += 1
            lane = self.lanes[type_name] = self._lane
            self._new_lanes.append(type_name)
        return lane

    def lanes_known(self) -> Collection[str]:
        """See rows.Rows."""
        return self.lanes.keys()

    def forget_lanes(self, names: Sequence[str]) -> None:
        """See rows.Rows."""
        for name in names:
            self.offered.pop(self.lanes.pop(name), None)

    def mark_offered(self, lanes: Iterable[int], now_at: float) -> None:
        """See rows.Rows."""
        for lane in lanes:
            self.offered.setdefault(lane, now_at)

    def next_seq(self) -> int:
        """See rows.Rows. A number once given is not given again, even if its item was refused."""
        self._seq += 1
        return self._seq

    def outlived(self, ended_before: float, keyed_before: float, limit: int) -> list[JobRow]:
        """See rows.Rows."""
        ended = sorted((r for r in self.by_seq.values() if r.ended_clock is not None), key=lambda r: r.ended_clock or 0)
        plain = [row for row in ended if row.key is None and (row.ended_clock or 0.0) < ended_before]
        keyed = [row for row in ended if row.key is not None and (row.ended_clock or 0.0) < keyed_before]
        return [replace(row) for row in (plain + keyed)[:limit]]

    def purge(self, seqs: Sequence[int]) -> None:
        """See rows.Rows."""
        for seq in seqs:
            row = self.by_seq.pop(seq)
            del self.by_id[row.id], self.payloads[seq]
            self.results.pop(seq, None)
            self.logs.pop(seq, None)
            if row.key is not None:
                del self.by_key[row.key]
        gone = set(seqs)
        self.all_attempts = {name: row for name, row in self.all_attempts.items() if row.job not in gone}

    def save_tallies(self, changed: dict[tuple[int, str], Tally]) -> None:
        """See rows.Rows. The applier has them already."""

    def save_queue_clock(self, queue_clock: float) -> None:
        """See rows.Rows. The applier has it already."""


class MemoryStore:
    """See port.Store."""

    def __init__(
        self,
        *,
        new_job_id: Callable[[], str],
        new_attempt_id: Callable[[], str],
        key: bytes,
        limits: Limits | None = None,
    ) -> None:
        self.location = "in memory: nothing is kept when the server stops"
        self.created = True
        self.key = key
        self.rows = MemoryRows()
        self._applier = TurnApplier(
            self.rows,
            limits=limits or Limits(),
            new_job_id=new_job_id,
            new_attempt_id=new_attempt_id,
            tallies={},
            queue_clock=0.0,
            next_due_at=None,
        )

    async def apply(self, turn: Turn) -> TurnReport:
        """See port.Store. Applies item by item: a dictionary has no transactions to roll back."""
        return apply_items(self._applier, turn, self._guard)

    def _guard(self, step: Callable[[], TurnReport]) -> TurnReport | None:
        try:
            report = step()
        except ITEM_ERRORS:
            self._applier.forget()
            self.rows.forget()
            return None
        self._applier.committed()
        self.rows.keep()
        return report

    async def ready(self) -> list[LaneReady]:
        """See port.Store."""
        return self._applier.ready(list(self.rows.lanes))

    async def live_attempts(self) -> list[LiveAttempt]:
        """See port.Store. There was no earlier run."""
        return []

    async def job(self, job_id: str) -> JobView | None:
        """See port.Store."""
        row = self.rows.jobs_by_id([job_id]).get(job_id)
        if row is None:
            return None
        attempts = with_current(row, self.rows.attempts_of(row.seq))
        shown = view(row, data=self.rows.payloads[row.seq], result=self.rows.results.get(row.seq))
        return replace(
            shown,
            evidence=evidence(attempts) if row.state is JobState.FAILED else None,
            attempts=[attempt_view(a) for a in attempts],
            log=list(self.rows.logs.get(row.seq, [])),
        )

    async def state(self, job_id: str) -> JobState | None:
        """See port.Store."""
        seq = self.rows.by_id.get(job_id)
        return None if seq is None else self.rows.by_seq[seq].state

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """See port.Store."""
        below = seq_of(job_filter.cursor) if job_filter.cursor else max(self.rows.by_seq, default=0) + 1
        items: list[JobView] = []
        for seq in sorted((seq for seq in self.rows.by_seq if seq < below), reverse=True):
            row = self.rows.by_seq[seq]
            if len(items) == job_filter.limit:
                return JobPage(items=items, next_cursor=cursor_of(below))
            below = seq
            if job_filter.state in (None, row.state) and job_filter.type in (None, row.type):
                items.append(view(row))
        return JobPage(items=items, next_cursor=None)

    async def types(self) -> list[TypeView]:
        """See port.Store."""
        lanes = [(lane, name, self.rows.offered.get(lane)) for name, lane in self.rows.lanes.items()]
        return type_views(lanes, self._applier.tallies())

    async def counts(self) -> dict[str, int]:
        """See port.Store."""
        return self._applier.counts()

    async def close(self) -> None:
        """See port.Store."""
