"""The driver of the SQLite store: answers a turn's set requests over one connection.

It runs in the store's thread, inside a transaction that the store has opened. Nobody else writes to the file, so it
keeps in memory what each turn asks for: counters, lanes, when something is due, the rows of running jobs. After a
rollback ``reload`` reads all of it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from math import inf
from operator import attrgetter
from typing import Any

import msgspec

from dispatcher.core.jobs.rows import AttemptRow, JobRow, WriteSet, lane_of_row
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import LaneReady
from dispatcher.store.attempts import attempt_range, job_of
from dispatcher.store.columns import (
    CHANGING,
    CLAIMED,
    DONE,
    JOB_COLUMNS,
    STATES,
    about_text,
    attempt_row,
    job_row,
    terms_text,
)
from dispatcher.store.counters import Agenda, Counters
from dispatcher.store.driving import StaleLife
from dispatcher.store.requests import (
    Due,
    DueRows,
    Load,
    Loaded,
    Purge,
    Purged,
    Ready,
    ReadyJob,
    ReadyRows,
    Save,
    Saved,
    Tally,
)
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.sqlite.besides import forget_besides, save_besides
from dispatcher.store.sqlite.endings import EndingRows
from dispatcher.store.sqlite.hooks import HookRows
from dispatcher.store.sqlite.lanes import LaneTable, Place, first_of
from dispatcher.store.sqlite.search import SearchIndex
from dispatcher.store.sqlite.writing import write_rows
from dispatcher.store.views import MOST_ATTEMPTS_SHOWN, MOST_LINES_KEPT

__all__ = ["CLOCK_KEPT_S", "SqliteRows"]

_json = msgspec.json.Encoder()
_TERMS, _ABOUT = JOB_COLUMNS.index("terms"), JOB_COLUMNS.index("about")
_values = msgspec.structs.astuple
_changing = attrgetter("seq", *CHANGING)
_claimed = attrgetter("seq", *CLAIMED)
_done = attrgetter("seq", *DONE)
#: A turn that moves no job also saves the queue clock if the file's is this far behind: a crash loses no more.
CLOCK_KEPT_S = 60.0
#: Running jobs whose rows are kept in memory; when there are more, all are read again. A row has some 600 bytes.
_MOST_KEPT = 16_384


def _text(values: object) -> str:
    return _json.encode(values).decode()


class SqliteRows:
    """See requests.StoreDriver."""

    def __init__(
        self, connection: sqlite3.Connection, epoch: int, index: SearchIndex | None, most_waiting: int
    ) -> None:
        self._db = connection
        self._epoch = epoch
        self._index = index
        self.hooks = HookRows(connection, most_waiting)
        self.endings = EndingRows(connection)
        #: The last number that was given to a job.
        self._seq = 0
        self._reload()
        #: The queue clock goes on from where it was when the store was opened.
        self.clock_base = self._clock = self._clock_kept

    def reload(self) -> None:
        """Reads again what is kept in memory, after a rollback."""
        self._reload()
        self.endings.reload()

    def _reload(self) -> None:
        meta = dict(self._db.execute(sql.META))
        self._seq = max(self._seq, self._newest(), meta.get("last_seq", 0))
        #: The queue clock as the file has it.
        self._clock_kept: float = meta["queue_clock"]
        self.lanes = LaneTable(self._db)
        tallies = self._db.execute(sql.TALLIES)
        self.counters = Counters({(self.lanes.name(row[0]), STATES[row[1]]): Tally(row[2], row[3]) for row in tallies})
        self._agenda = self._after(-inf, -inf)
        self._running: dict[int, JobRow] = {}
        self.hooks.reload()
        if self._index is not None:
            self._index.reload()

    def _newest(self) -> int:
        """The number of the newest job that is there."""
        newest: int | None = self._db.execute(sql.LAST_SEQ).fetchone()[0]
        return newest or 0

    def _after(self, at: float, queue_clock: float) -> Agenda:
        return Agenda(self._fetch(sql.NEXT_DUE, at)[0][0], self._fetch(sql.NEXT_BACKOFF, queue_clock)[0][0])

    def _fetch(self, statement: str, *parameters: object) -> list[Any]:
        return self._db.execute(statement, parameters).fetchall()

    # -- what a turn names

    def load(self, request: Load) -> Loaded:
        """See requests.Load."""
        seqs = {name: seq for name in request.attempts if (seq := job_of(name)) is not None}
        jobs = self._jobs(set(seqs.values()))
        commanded = self._named(sql.JOBS_BY_ID, request.jobs, jobs)
        self._named(sql.JOBS_BY_KEY, request.keys, jobs)
        names = [name for name, seq in seqs.items() if not _is_silent(name, jobs.get(seq))]
        names += [job.attempt for job in commanded if job.attempt is not None]
        first, self._seq = self._seq + 1, self._seq + request.numbers
        self._clock = self.clock_base + request.elapsed_s
        return Loaded(
            queue_clock=self._clock,
            jobs=jobs,
            attempts={row.id: row for row in self._attempts(names)},
            histories={job.seq: self.attempts_of(job.seq) for job in commanded if job.id in request.histories},
            types=frozenset(name for name in request.types if name in self.lanes.of_type),
            types_known=len(self.lanes.of_type),
            held=self.counters.held,
            numbers=range(first, self._seq + 1),
        )

    def _jobs(self, seqs: Iterable[int]) -> dict[int, JobRow]:
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

    def _named(self, statement: str, names: Collection[str], jobs: dict[int, JobRow]) -> list[JobRow]:
        """The jobs of these names, added to ``jobs``; one that is there already is not read twice."""
        rows = self._fetch(statement, _text(list(names))) if names else []
        return [jobs.setdefault(row[0], self._running.get(row[0]) or job_row(row)) for row in rows]

    def _attempts(self, names: list[str]) -> list[AttemptRow]:
        return list(map(attempt_row, self._fetch(sql.ATTEMPTS_BY_ID, _text(names)))) if names else []

    def attempts_of(self, seq: int) -> list[AttemptRow]:
        """The newest attempts of a job that have rows, oldest first."""
        return [*map(attempt_row, reversed(self._fetch(sql.ATTEMPTS_OF, *attempt_range(seq), MOST_ATTEMPTS_SHOWN)))]

    # -- what is due, ready, outlived

    def due(self, request: Due) -> DueRows:
        """See requests.Due."""
        nothing = self._agenda.nothing(request)
        if nothing is not None:
            return nothing
        overdue = self._fetch(sql.OVERDUE, request.now_at, request.limit)
        due = self._fetch(sql.DUE, request.now_at, request.limit)
        due += self._fetch(sql.BACKED_OFF, request.queue_clock, request.limit - len(due))
        after = self._after(request.now_at, request.queue_clock)
        if max(len(overdue), len(due)) < request.limit:
            self._agenda = after  # else more is due already, and the next turn looks again
        return DueRows(list(map(job_row, overdue)), list(map(job_row, due)), after.next_due_at, after.next_backoff)

    def ready(self, request: Ready) -> ReadyRows:
        """See requests.Ready. One lane takes one statement; many take two or three."""
        queued = self.counters.queued
        waiting = {lane: jobs for group in request.groups for lane in group.lanes if (jobs := queued(lane))}
        lanes = [[lane for lane in group.lanes if lane in waiting] for group in request.groups]
        if sum(map(len, lanes)) == 1:
            [(place, name)] = [(place, names[0]) for place, names in enumerate(lanes) if names]
            groups: list[list[ReadyJob]] = [[] for _ in lanes]
            rows = self._fetch(sql.READY, self.lanes.number(name), request.groups[place].most)
            groups[place] = [ReadyJob(job_row(row[1:]), row[0]) for row in rows]
        else:
            groups = self._merged(lanes, [group.most for group in request.groups], waiting)
        data = dict(self._fetch(sql.DATA, _text(request.in_hand))) if request.in_hand else {}
        found = [ready.job for group in groups for ready in group if ready.job.worker is not None]
        had = {job.seq: self._had(job.seq) for job in found}
        return ReadyRows(groups, data, had | {seq: self._had(seq) for seq in request.in_hand})

    def all_ready(self) -> list[LaneReady]:
        """Every lane that has ready jobs: asked for once, when the store is opened."""
        found = []
        for lanes in self.lanes.of_type.values():
            for lane in filter(self.counters.queued, lanes):
                (_, rank, _) = self._fetch(sql.HEADS, _text([self.lanes.number(lane)]), 1)[0]
                found.append(LaneReady(lane, self.counters.queued(lane), rank))
        return sorted(found, key=attrgetter("lane"))

    def _had(self, seq: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(had.worker for had in reversed(self.attempts_of(seq)) if had.worker is not None))

    def _merged(self, groups: list[list[str]], most: list[int], waiting: dict[str, int]) -> list[list[ReadyJob]]:
        """The first jobs of each group of lanes, by rank. ``waiting``: how many jobs each lane has."""
        heads = first_of(groups, most, waiting, self._heads)
        rows = self._fetch(sql.CLAIMABLE, _text([seq for group in heads for seq in group])) if any(heads) else []
        found = {row[1]: ReadyJob(job_row(row[1:]), row[0]) for row in rows}
        return [[found[seq] for seq in group] for group in heads]

    def _heads(self, lanes: list[str], most: int) -> dict[str, list[Place]]:
        """(rank, seq) of the first jobs of these lanes, in no order, at most ``most`` for each lane."""
        numbers = {self.lanes.number(lane): lane for lane in lanes}
        found: dict[str, list[Place]] = {lane: [] for lane in lanes}
        for number, rank, seq in self._fetch(sql.HEADS, _text(list(numbers)), most):
            found[numbers[number]].append((rank, seq))
        return found

    def purge(self, request: Purge) -> Purged:
        """See requests.Purge."""
        found: list[JobRow] = []
        limit = request.limit + len(request.spare)
        for statement, before in zip(sql.OUTLIVED, (request.ended_before, request.keyed_before), strict=True):
            rows = map(job_row, self._fetch(statement, before, limit))
            found += [row for row in rows if row.seq not in request.spare]
        del found[request.limit :]
        self._remove(found)
        return Purged(found, forget_besides(self._db, self.hooks, self.endings, request))

    def _remove(self, jobs: Collection[JobRow]) -> None:
        if not jobs:
            return
        seqs = [job.seq for job in jobs]
        if self._index is not None:
            self._index.remove(seqs)
        names = _text(seqs)
        for statement in sql.PURGE:
            self._db.execute(statement, (names,))
        self._db.executemany(sql.PURGE_ATTEMPTS, map(attempt_range, seqs))
        self._db.executemany(sql.REMOVE_TAG, _tagged(jobs))
        # No number is given twice: ids of attempts begin with it. Retention seldom removes the newest job, people do.
        if max(seqs) > self._newest():
            self._db.execute(sql.KEEP_LAST_SEQ, (max(seqs),))

    # -- what a turn has changed

    def save(self, request: Save) -> Saved:
        """See requests.Save."""
        self._save_lanes(request)
        self._remove(request.writes.removed.values())
        self._save_rows(request.writes)
        save_besides(self._db, self.hooks, self.endings, request)
        changed = self.counters.add(request.deltas)
        if changed:
            rows = [(self.lanes.number(lane), str(state), t.jobs, t.bytes) for (lane, state), t in changed.items()]
            write_rows(self._db, sql.SAVE_TALLIES, rows)
        self._agenda.expect(request)
        self._keep(request.writes)
        if request.forget_but is not None:
            self.lanes.forget(request.forget_but, self.counters)
        if changed or self._clock >= self._clock_kept + CLOCK_KEPT_S:
            self.save_clock()
        return Saved({lane: self.counters.queued(lane) for lane in request.lanes})

    def save_clock(self) -> None:
        """Saves the queue clock, so that a restart takes no time from a backoff or from an age (promise S32).

        Raises StaleLife.
        """
        if not self._fetch(sql.SAVE_CLOCK, self._clock, self._epoch):
            raise StaleLife(dict(self._db.execute(sql.META))["epoch"])
        self._clock_kept = self._clock

    def _save_lanes(self, request: Save) -> None:
        for jobs in (request.writes.new, request.writes.amended):
            for job in jobs.values():
                self.lanes.add(lane_of_row(job), job.type)
        for name in request.offered:
            self.lanes.offer(name, request.offered_at)

    def _save_rows(self, writes: WriteSet) -> None:
        if self._index is not None:
            self._index.write(writes)  # while the rows are as they were
        write_rows(self._db, sql.ADD_JOBS, [self._new(job) for job in writes.new.values()])
        write_rows(self._db, sql.ADD_DATA, list(writes.data.items()))
        self._save_tags(writes)
        write_rows(self._db, sql.SAVE_CLAIMS, list(map(_claimed, writes.only_claimed())))
        write_rows(self._db, sql.SAVE_DONE, list(map(_done, writes.done.values())))
        write_rows(self._db, sql.SAVE_JOBS, list(map(_changing, writes.changed())))
        amended = writes.amended.values()
        write_rows(self._db, sql.SAVE_TERMS, [(job.seq, *self._lane_and_terms(job)) for job in amended])
        write_rows(self._db, sql.SAVE_ATTEMPTS, list(map(_values, writes.attempts.values())))
        if writes.withdrawn:
            self._db.executemany(sql.REMOVE_RESULT, [(seq,) for seq in writes.withdrawn])
        write_rows(self._db, sql.ADD_RESULTS, writes.results)
        if writes.logs:
            self._db.executemany(sql.ADD_LOG, writes.logs)
            self._db.executemany(sql.TRIM_LOG, [(seq, MOST_LINES_KEPT) for seq in {line[0] for line in writes.logs}])

    def _save_tags(self, writes: WriteSet) -> None:
        retagged = [writes.amended[seq] for seq in writes.retagged]
        if retagged:
            had = [(tag, seq) for seq, tags in writes.retagged.items() for tag in tags]
            self._db.executemany(sql.REMOVE_TAG, had)
        write_rows(self._db, sql.SAVE_ABOUT, [(job.seq, about_text(job.about)) for job in writes.carrying()])
        write_rows(self._db, sql.ADD_TAGS, _tagged([*writes.new.values(), *retagged]))

    def _new(self, job: JobRow) -> list[object]:
        lane, terms = self._lane_and_terms(job)
        values: list[object] = [lane, *_values(job)]
        values[_TERMS + 1] = terms
        values[_ABOUT + 1] = about_text(job.about)
        return values

    def _lane_and_terms(self, job: JobRow) -> tuple[int, str]:
        return self.lanes.number(lane_of_row(job)), terms_text(job.terms)

    def _keep(self, writes: WriteSet) -> None:
        """Running jobs are read again when their attempts end."""
        if len(self._running) > _MOST_KEPT:
            self._running.clear()
        for jobs in (writes.new, writes.claims, writes.jobs):
            for seq, job in jobs.items():
                if job.state is JobState.RUNNING:
                    self._running[seq] = job
                else:
                    self._running.pop(seq, None)
        for seq in writes.removed:
            self._running.pop(seq, None)


def _tagged(jobs: Iterable[JobRow]) -> list[tuple[str, int]]:
    return [(tag, job.seq) for job in jobs for tag in job.about.tags]


def _is_silent(name: str, job: JobRow | None) -> bool:
    """Whether the attempt has no row yet: it is its job's current one, and no page has accepted it."""
    return job is not None and job.state is JobState.RUNNING and job.attempt == name and job.started_at is None
