"""A store in memory, for tests and trials: the same rules and the same contract, nothing survives the process."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any

from msgspec.structs import astuple as _values
from msgspec.structs import replace

from dispatcher.access.acts import AuditFilter, AuditPage
from dispatcher.access.tokens import Token
from dispatcher.core.jobs.model import JobFilter, JobPage, JobStanding, JobView, TypeView
from dispatcher.core.jobs.rows import AttemptRow, JobRow, lane_of_row
from dispatcher.core.jobs.states import WAITING, JobState
from dispatcher.core.jobs.turn import LaneReady, LiveAttempt, Turn, TurnReport
from dispatcher.core.jobs.views.endings import Slot
from dispatcher.core.jobs.views.outlook import MOST_BEFORE, InLine
from dispatcher.store.acts import Acts
from dispatcher.store.alone import HadAlone
from dispatcher.store.applier.commands import evidence
from dispatcher.store.applier.hand import Ids
from dispatcher.store.applier.turn import apply
from dispatcher.store.attempts import job_of
from dispatcher.store.batches import MemoryBatches
from dispatcher.store.counters import Agenda, Counters, agenda_of
from dispatcher.store.driving import Pace, apply_items, refuse_stale, run, with_shown
from dispatcher.store.endings import MOST_ENDINGS_FORGOTTEN, MemoryEndings
from dispatcher.store.hooks import MemoryHooks
from dispatcher.store.kept import MemoryKept
from dispatcher.store.loglines import KeptLines
from dispatcher.store.names import MemoryNames
from dispatcher.store.port import Limits
from dispatcher.store.requests import (
    Due,
    DueRows,
    LaneGroup,
    Load,
    Loaded,
    Purge,
    Purged,
    Ready,
    ReadyJob,
    ReadyRows,
    Save,
    Saved,
)  # fmt: skip
from dispatcher.store.storable import ITEM_ERRORS, check_storable
from dispatcher.store.tokens import Tokens
from dispatcher.store.types import KnownTypes
from dispatcher.store.unbacked import WithoutBackups
from dispatcher.store.views import (
    MOST_ATTEMPTS_SHOWN,
    attempt_view,
    page_of,
    type_views,
    view,
    with_current,
)  # fmt: skip

__all__ = ["MemoryRows", "MemoryStore"]


class MemoryRows:
    """The driver over dictionaries. It checks a turn's rows before it writes the first one."""

    def __init__(self) -> None:
        self.by_seq: dict[int, JobRow] = {}
        self.by_id: dict[str, int] = {}
        self.by_key: dict[str, int] = {}
        self.payloads: dict[int, str] = {}
        self.results: dict[int, str] = {}
        self.all_attempts: dict[str, AttemptRow] = {}
        #: By job: the newest of its attempts that has a row.
        self.newest: dict[int, AttemptRow] = {}
        self.logs = KeptLines()
        self.names, self.kept, self.endings = MemoryNames(), MemoryKept(), MemoryEndings()
        self.tokens, self.acts, self.hooks = Tokens(), Acts(), MemoryHooks(lambda: self._clock_base)
        self.counters, self.agenda = Counters({}), Agenda(None, None)
        #: Lanes by their type, and when a worker first offered the type.
        self.lanes = KnownTypes()
        self.offered: dict[str, float] = {}
        self.queue_clock = self._clock_base = 0.0
        self.queued: dict[str, list[tuple[float, int]]] = {}
        #: The highest number that was given to a job.
        self.last_seq = 0
        #: Jobs to remove with the turn's other changes, and before when workers must have gone to be forgotten.
        self._outlived: list[JobRow] = []
        self._gone_before: float | None = None
        self._old_acts = 0
        self._old_endings: list[Slot] = []

    def reload(self) -> None:
        """A turn was given up before it wrote anything: what is due is still due."""
        self.agenda = agenda_of([row for row in self.by_seq.values() if row.state in WAITING], [], set())

    def begin(self) -> None:
        """The store is opened: the queue clock goes on from where it was."""
        self._clock_base = self.queue_clock

    def load(self, request: Load) -> Loaded:
        """See requests.Load. Copies, so that only ``save`` changes the store."""
        seqs = {seq for name in request.attempts if (seq := job_of(name)) in self.by_seq}
        commanded = {self.by_id[name] for name in request.jobs if name in self.by_id}
        keyed = {self.by_key[key] for key in request.keys if key in self.by_key}
        jobs = {seq: replace(self.by_seq[seq]) for seq in seqs | commanded | keyed}
        names = {*request.attempts, *(jobs[seq].attempt or "" for seq in commanded)}
        first, self.last_seq = self.last_seq + 1, self.last_seq + request.numbers
        self._outlived, self._gone_before, self._old_acts, self._old_endings = [], None, 0, []
        return Loaded(
            queue_clock=self._clock_base + request.elapsed_s,
            jobs=jobs,
            attempts={name: replace(self.all_attempts[name]) for name in names if name in self.all_attempts},
            histories={seq: self.attempts_of(seq) for seq in commanded if jobs[seq].id in request.histories},
            types=frozenset(name for name in request.types if name in self.lanes),
            types_known=len(self.lanes),
            held=self.counters.held,
            numbers=range(first, self.last_seq + 1),
        )

    def attempts_of(self, seq: int) -> list[AttemptRow]:
        """The newest attempts of a job that have rows, oldest first."""
        own = sorted((a for a in self.all_attempts.values() if a.job == seq), key=lambda a: a.id)
        return list(map(replace, own[-MOST_ATTEMPTS_SHOWN:]))

    def due(self, request: Due) -> DueRows:
        """See requests.Due."""
        if (nothing := self.agenda.nothing(request)) is not None:
            return nothing
        waiting = [row for row in self.by_seq.values() if row.state in WAITING]
        overdue = [row for row in waiting if row.expires_at is not None and row.expires_at <= request.now_at]
        overdue = sorted(overdue, key=lambda row: row.expires_at or 0.0)[: request.limit]
        gone = {row.seq for row in overdue}
        scheduled = [row for row in waiting if row.state is JobState.SCHEDULED]
        delayed = [row for row in scheduled if row.backoff_until is None and (row.run_at or 0.0) <= request.now_at]
        over = [row for row in scheduled if row.backoff_until is not None and row.backoff_until <= request.queue_clock]
        delayed.sort(key=lambda row: row.run_at or 0.0)
        over.sort(key=lambda row: row.backoff_until or 0.0)
        due = (delayed + over)[: request.limit]
        self.agenda = agenda_of(waiting, due, gone | {row.seq for row in due})
        expired, ready = list(map(replace, overdue)), list(map(replace, due))
        return DueRows(expired, ready, self.agenda.next_due_at, self.agenda.next_backoff)

    def ready(self, request: Ready) -> ReadyRows:
        """See requests.Ready."""
        groups = [self._first(group) for group in request.groups]
        rows = [ready.job for group in groups for ready in group] + [self.by_seq[seq] for seq in request.in_hand]
        return ReadyRows(
            groups,
            {seq: self.payloads[seq] for seq in request.in_hand},
            {row.seq: self._had(row) for row in rows if row.worker is not None},
        )

    def _first(self, group: LaneGroup) -> list[ReadyJob]:
        lines = [self.queued.get(lane, [])[: group.most] for lane in group.lanes]
        seqs = [seq for _, seq in islice(merge(*lines), group.most)]
        return [ReadyJob(replace(self.by_seq[seq]), self.payloads[seq]) for seq in seqs]

    def all_ready(self) -> list[LaneReady]:
        """Every lane that has ready jobs."""
        return [LaneReady(lane, len(jobs), jobs[0][0]) for lane, jobs in sorted(self.queued.items()) if jobs]

    def _had(self, job: JobRow) -> tuple[str, ...]:
        workers = (attempt.worker for attempt in reversed(self.attempts_of(job.seq)))
        return tuple(dict.fromkeys(worker for worker in workers if worker is not None))

    def purge(self, request: Purge) -> Purged:
        """See requests.Purge."""
        ended = [row for row in self.by_seq.values() if row.ended_clock is not None and row.seq not in request.spare]
        ended.sort(key=lambda row: row.ended_clock or 0.0)
        plain = [row for row in ended if row.key is None and (row.ended_clock or 0.0) < request.ended_before]
        keyed = [row for row in ended if row.key is not None and (row.ended_clock or 0.0) < request.keyed_before]
        self._outlived = (plain + keyed)[: request.limit]
        self._gone_before, self._old_acts = request.gone_before, self.acts.outlived(request.acts)
        self._old_endings = self.endings.old(request.now_at)
        more_endings = len(self._old_endings) >= MOST_ENDINGS_FORGOTTEN
        return Purged(self._outlived, self._old_acts == request.acts.limit or more_endings)

    def remove(self, rows: Sequence[JobRow]) -> None:
        """Removes jobs, with all that belongs to them."""
        for row in rows:
            self._unqueue(row)
            del self.by_seq[row.seq], self.by_id[row.id], self.payloads[row.seq]
            for kept in (self.results, self.logs, self.newest):
                kept.pop(row.seq, None)
            if row.key is not None:
                del self.by_key[row.key]
        if gone := {row.seq for row in rows}:
            self.all_attempts = {name: row for name, row in self.all_attempts.items() if row.job not in gone}

    def save(self, request: Save) -> Saved:
        """See requests.Save."""
        writes = request.writes
        jobs = [*writes.new.values(), *writes.changed(), *writes.done.values(), *writes.only_claimed()]
        rows = [*map(_values, jobs), *map(_values, writes.attempts.values()), *writes.results, *writes.logs]
        check_storable([*rows, (*writes.here, *writes.forgotten), request.offered, writes.data.values()])
        self.tokens.check(writes.tokens)
        self.acts.check(writes.acts)
        self.kept.check(writes.kept)
        self.hooks.check(writes.messages, writes.hooks)
        self.remove([*self._outlived, *(self.by_seq[seq] for seq in writes.removed)])
        for job in jobs:
            self._put(job)
        self.payloads |= writes.data
        self._save_attempts(writes.attempts)
        for seq in writes.withdrawn:
            self.results.pop(seq, None)
        self.results.update(writes.results)
        self.logs.add(writes.logs)
        self.queue_clock = request.queue_clock
        self.counters.add(request.deltas)
        self.agenda.expect(request)
        self._save_lanes(request)
        self._save_workers(request)
        self.endings.save(request.ended, request.offered_at)
        self.tokens.save(writes.tokens)
        self.kept.save(writes.kept)
        self.acts.save(writes.acts, request.queue_clock)
        self.hooks.save(writes.messages, writes.hooks, request.queue_clock)
        return Saved({lane: self.counters.queued(lane) for lane in request.lanes})

    def _save_attempts(self, attempts: dict[str, AttemptRow]) -> None:
        self.all_attempts |= attempts
        for row in attempts.values():
            if row.job not in self.newest or row.id >= self.newest[row.job].id:
                self.newest[row.job] = row

    def shown(self, job: JobRow, data: str = "null", result: str | None = None) -> JobView:
        """A job as it is shown, without its attempts and log."""
        newest = self.newest.get(job.seq)
        return view(job, data=data, result=result, attempt_ended_at=None if newest is None else newest.ended_at)

    def texts_of(self, job: JobRow) -> tuple[str | None, ...]:
        """What a search looks at of a job."""
        return self.payloads[job.seq], self.results.get(job.seq), job.error, job.about.summary, job.id, job.key

    def _put(self, job: JobRow) -> None:
        old = self.by_seq.get(job.seq)
        if old is None:
            self.by_id[job.id] = job.seq
            if job.key is not None:
                self.by_key[job.key] = job.seq
        else:
            self._unqueue(old)
        if old is None or old.terms is not job.terms:
            self.lanes.know(job.type, lane_of_row(job))
        self.by_seq[job.seq] = job
        if job.state is JobState.QUEUED and job.rank is not None:
            insort(self.queued.setdefault(lane_of_row(job), []), (job.rank, job.seq))

    def _unqueue(self, row: JobRow) -> None:
        if row.state is JobState.QUEUED and row.rank is not None:
            self.queued[lane_of_row(row)].remove((row.rank, row.seq))

    def _save_workers(self, request: Save) -> None:
        if self._gone_before is not None:
            self.names.forget(self._gone_before)
            self.acts.forget(self._old_acts)
            self.endings.forget(self._old_endings)
        at, clock, writes = request.offered_at, request.queue_clock, request.writes
        if writes.nobody:
            self.names.all_went(at, clock)
        for name, here in writes.here.items():
            if here:
                self.names.came(name)
            else:
                self.names.went(name, at, clock)
        self.names.settle(writes.whose, writes.forgotten, writes.diaries)
        if writes.roll is not None:
            self.names.call(writes.roll)

    def _save_lanes(self, request: Save) -> None:
        for name in request.offered:
            self.lanes.know(name, name)
            self.offered.setdefault(name, request.offered_at)
        if request.forget_but is not None:
            for name in self.lanes.forget_empty(request.forget_but, self.counters):
                self.offered.pop(name, None)


class MemoryStore(HadAlone, WithoutBackups):
    """See port.Store."""

    def __init__(self, ids: Ids, *, key: bytes, limits: Limits | None = None) -> None:
        self.location = "in memory: nothing is kept when the server stops"
        self.created, self.epoch, self.key = True, 1, key
        self.rows = MemoryRows()
        self.batches = MemoryBatches(self.rows.by_seq, self.rows.results)
        self.hooks, self.kept, self.endings = self.rows.hooks, self.rows.kept, self.rows.endings
        self.names = self.rows.names
        self._ids, self._limits = ids, limits or Limits()
        self.hooks.most_waiting = self._limits.webhook_backlog
        self._pace = Pace()

    async def apply(self, turn: Turn) -> TurnReport:
        """See port.Store."""
        refuse_stale(turn, self.epoch)
        return self.applied(turn)

    def applied(self, turn: Turn) -> TurnReport:
        """Applies a turn, at once."""
        purge = self._pace.due(turn)
        try:
            report = self._part(turn, purge=purge)
        except ITEM_ERRORS:
            self.rows.reload()
            report = apply_items(partial(self._part, purge=purge), turn, self._guard)
        self._pace.done(turn, report)
        return with_shown(report, turn, self._job)

    def _part(self, turn: Turn, **how: Any) -> TurnReport:
        return run(apply(turn, self._limits, self._ids, **how), self.rows)

    def _guard(self, step: Callable[[], TurnReport]) -> TurnReport | None:
        try:
            return step()
        except ITEM_ERRORS:
            self.rows.reload()
            return None  # nothing of it was written

    async def ready(self) -> list[LaneReady]:
        """See port.Store."""
        return self.rows.all_ready()

    async def live_attempts(self) -> list[LiveAttempt]:
        """See port.Store. There was no earlier run."""
        return []

    async def job(self, job_id: str) -> JobView | None:
        """See port.Store."""
        return self._job(job_id)

    def _job(self, job_id: str) -> JobView | None:
        if (seq := self.rows.by_id.get(job_id)) is None:
            return None
        row = self.rows.by_seq[seq]
        attempts = with_current(row, self.rows.attempts_of(row.seq))
        return replace(
            self.rows.shown(row, self.rows.payloads[row.seq], self.rows.results.get(row.seq)),
            evidence=evidence(attempts) if row.state is JobState.FAILED else None,
            attempts=[attempt_view(a) for a in attempts],
            log=self.rows.logs.shown(row.seq, self.rows.all_attempts),
        )

    async def state(self, job_id: str) -> JobState | None:
        """See port.Store."""
        return None if (seq := self.rows.by_id.get(job_id)) is None else self.rows.by_seq[seq].state

    async def standing(self, job_ids: Sequence[str]) -> dict[str, JobStanding]:
        """See port.Store."""
        there = {job_id: self.rows.by_seq[self.rows.by_id[job_id]] for job_id in job_ids if job_id in self.rows.by_id}
        return {job_id: JobStanding(row.type, row.state, row.about.owner) for job_id, row in there.items()}

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """See port.Store."""
        rows = self.rows
        return page_of(rows.by_seq, rows.last_seq, job_filter, rows.shown, rows.texts_of)

    async def types(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[TypeView]:
        """See port.Store."""
        return await self.named_types(self.rows.lanes.slice(prefix, after, most))

    async def named_types(self, names: Sequence[str]) -> list[TypeView]:
        """See port.Store."""
        return type_views(names, self.rows.lanes, self.rows.offered, self.rows.counters.types)

    async def first_in_line(self, lanes: Sequence[str]) -> dict[str, float]:
        """See port.Store."""
        first = {lane: self.rows.by_seq[queued[0][1]] for lane in lanes if (queued := self.rows.queued.get(lane))}
        return {lane: row.created_at if row.ready_at is None else row.ready_at for lane, row in first.items()}

    async def in_line(self, job_id: str) -> InLine | None:
        """See port.Store."""
        row = self.rows.by_seq.get(self.rows.by_id.get(job_id, 0))
        if row is None or row.state is not JobState.QUEUED or row.rank is None:
            return None
        queued, lane = self.rows.queued[lane_of_row(row)], lane_of_row(row)
        before = queued[: min(bisect_left(queued, (row.rank, row.seq)), MOST_BEFORE + 1)]
        return InLine(len(before), sum(seq > row.seq for _, seq in before), self.rows.counters.queued(lane))

    async def counts(self) -> dict[str, int]:
        """See port.Store."""
        return self.rows.counters.by_state()

    async def tokens(self) -> list[Token]:
        """See port.Store."""
        return self.rows.tokens.all()

    async def acts(self, wanted: AuditFilter) -> AuditPage:
        """See port.Store."""
        return self.rows.acts.page(wanted)

    async def close(self) -> None:
        """See port.Store."""
