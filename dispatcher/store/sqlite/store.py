"""The embedded store: SQLite with WAL, synchronous FULL, an exclusive lock, one connection in one thread.

FULL loses no acknowledged commit in a power cut, but NORMAL does. A second connection would meet SQLite's WAL-reset
fault (up to 3.51.2). The exclusive lock refuses a second server. (All measured: docs/design.md.)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from dispatcher.access.acts import AuditFilter, AuditPage
from dispatcher.access.tokens import Token
from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.core.jobs.model import JobFilter, JobPage, JobStanding, JobView, LogLine, TypeView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Accepted, Demand, LaneReady, LiveAttempt, Turn, TurnReport
from dispatcher.core.jobs.views.outlook import InLine
from dispatcher.errors import BackupFailed, StorageFull, StorageTrouble, StoreRefused
from dispatcher.store.alone import HadAlone
from dispatcher.store.applier.commands import evidence
from dispatcher.store.applier.hand import Ids
from dispatcher.store.applier.turn import apply
from dispatcher.store.columns import job_row, live_attempt
from dispatcher.store.driving import Apply, Pace, StaleLife, apply_items, refuse_stale, run, with_shown
from dispatcher.store.port import Limits
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.sqlite.acts import ActsRead
from dispatcher.store.sqlite.batches import SqliteBatches
from dispatcher.store.sqlite.endings import SqliteEndings
from dispatcher.store.sqlite.file import connect
from dispatcher.store.sqlite.hooks import SqliteHooks
from dispatcher.store.sqlite.kept import SqliteKept
from dispatcher.store.sqlite.lists import PageRead
from dispatcher.store.sqlite.log_mark import LogMark
from dispatcher.store.sqlite.names import SqliteNames
from dispatcher.store.sqlite.rows import SqliteRows
from dispatcher.store.sqlite.search import SearchIndex, prepare_index
from dispatcher.store.sqlite.snapshot.shelf import Shelf
from dispatcher.store.sqlite.snapshot.taking import take
from dispatcher.store.sqlite.space import Reserve
from dispatcher.store.sqlite.tokens import all_tokens
from dispatcher.store.sqlite.watch import Watch
from dispatcher.store.thread import StoreThread
from dispatcher.store.views import MOST_LINES_KEPT, SLICES, attempt_view, type_views, view, with_current

__all__ = ["SqliteStore"]

#: Errors that one item can cause by itself: text that is no Unicode, a number too large, a value the schema refuses.
ITEM_ERRORS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeEncodeError,
)
_NO_ROOM = Accepted(
    None, error="storage_full", detail="the server's disk is nearly full; jobs that it has are safe: try again later"
)


class SqliteStore(HadAlone):
    """See port.Store. Made by ``open``."""

    def __init__(self, path: Path, thread: StoreThread, ids: Ids, limits: Limits) -> None:
        self.location = str(path)
        self.created = False
        self.key = b""
        self.epoch = 0
        self._path = path
        self._thread = thread
        self._limits = limits
        self._db: sqlite3.Connection
        self._rows: SqliteRows
        self._index: SearchIndex | None = None
        self._trouble = ""  # how it has failed, in or between two turns: then there is no other turn
        #: Takes jobs into the index that were there before it.
        self._filling: asyncio.Task[None] | None = None
        self.batches: SqliteBatches
        self.endings: SqliteEndings
        self.hooks: SqliteHooks
        self.kept: SqliteKept
        self.names: SqliteNames
        self._ids = ids
        self._pace = Pace()
        self._reserve: Reserve
        self._watch: Watch
        self._mark: LogMark
        self._shelf = Shelf(Path(self._limits.backup_dir or path.resolve().parent / "backups"))

    @classmethod
    async def open(
        cls,
        path: Path,
        ids: Ids,
        *,
        limits: Limits | None = None,
    ) -> SqliteStore:
        """Opens or makes the file. Raises StoreRefused."""
        thread = StoreThread(asyncio.get_running_loop())
        store = cls(path, thread, ids, limits or Limits())
        try:
            await thread.run(store._start)
        except BaseException:
            thread.stop()
            raise
        if store._index is not None and store._index.first:
            store._filling = asyncio.create_task(store._fill())
        return store

    # -- in the thread

    def _start(self) -> None:
        self._db, self.created, self.schema_was = connect(self._path)
        try:
            self._read()
        except BaseException:
            self._db.close()
            raise

        self._mark = LogMark(self._db, self._path.resolve())
        self._reserve = Reserve(self._path, self._limits.low_disk_bytes)
        self._reserve.fill()
        self._watch = Watch(self._path)

    def _read(self) -> None:
        meta = dict(self._db.execute(sql.META))
        self.key = meta["key"]
        self.epoch = meta["epoch"]
        try:
            self._index = prepare_index(self._db, self.epoch, wanted=self._limits.search)
        except sqlite3.Error as error:
            raise StoreRefused(f"{self._path}: its index for searches cannot be made or removed ({error})") from error
        self._rows = SqliteRows(self._db, self.epoch, self._index, self._limits.webhook_backlog)
        self.batches = SqliteBatches(self._db, self._thread)
        self.endings = SqliteEndings(self._rows.endings, self._thread)
        self.kept, self.names = SqliteKept(self._db, self._thread), SqliteNames(self._db, self._thread)
        self.hooks = SqliteHooks(self._db, self._thread, self._rows.hooks, self._rows.clock_base)

    def _apply(self, turn: Turn) -> TurnReport:
        refuse_stale(turn, self.epoch)
        self._watch.look()
        if self._trouble:
            raise StorageTrouble(self._trouble)
        report = self._with_what_room_there_is(turn)
        self._watch.look()  # before anybody hears of it
        with contextlib.suppress(sqlite3.Error, ValueError):  # the turn is durable; who waits meets it at its own read
            return with_shown(report, turn, self._job)
        return report

    def _with_what_room_there_is(self, turn: Turn) -> TurnReport:
        try:
            if self._reserve.low():
                return self._without_new_jobs(turn, demand=turn.demand)
            return self._commit(turn)
        except sqlite3.Error as error:
            self._undo_where_full(error)
            self._reserve.release()
        try:
            return self._without_new_jobs(turn, demand=[])
        except sqlite3.Error as error:
            self._undo_where_full(error)
            raise StorageFull(f"the disk of {self.location} is full, with its reserve: make room") from error

    def _commit(self, turn: Turn) -> TurnReport:
        self._db.execute("BEGIN IMMEDIATE")
        report = self._written(turn)
        self._db.execute("COMMIT")
        self._pace.done(turn, report)
        self._mark.move_if_long()
        return report

    def _written(self, turn: Turn) -> TurnReport:
        part = partial(self._part, purge=self._pace.due(turn))
        try:
            return self._whole(part, turn) or apply_items(part, turn, self._guard)
        except StaleLife as stale:
            self._db.execute("ROLLBACK")
            refuse_stale(turn, stale.newest)
            raise

    def _part(self, turn: Turn, **how: Any) -> TurnReport:
        return run(apply(turn, self._limits, self._ids, **how), self._rows)

    def _whole(self, part: Apply, turn: Turn) -> TurnReport | None:
        """The turn's report. None: some item cannot be stored, and the transaction has begun anew."""
        try:
            return part(turn)
        except ITEM_ERRORS:
            self._db.execute("ROLLBACK")
            self._rows.reload()
            self._db.execute("BEGIN IMMEDIATE")
            return None

    def _undo_where_full(self, error: sqlite3.Error) -> None:
        """Nothing of the turn has happened, because the disk is full. Raises StorageTrouble for any other error."""
        if getattr(error, "sqlite_errorname", "") != "SQLITE_FULL":
            self._trouble = f"the store failed: {error}"
            raise StorageTrouble(self._trouble) from error
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._rows.reload()
        except sqlite3.Error as another:
            raise StorageTrouble(f"the store failed: {another}") from another

    def _without_new_jobs(self, turn: Turn, *, demand: list[Demand]) -> TurnReport:
        report = self._commit(replace(turn, submissions=[], demand=demand))
        return replace(report, accepted=[_NO_ROOM] * len(turn.submissions), has_space=False)

    def _guard(self, step: Callable[[], TurnReport]) -> TurnReport | None:
        self._db.execute("SAVEPOINT item")
        try:
            report = step()
        except ITEM_ERRORS:
            self._db.execute("ROLLBACK TO item")
            self._db.execute("RELEASE item")
            self._rows.reload()
            return None
        self._db.execute("RELEASE item")
        return report

    def _job(self, job_id: str) -> JobView | None:
        found = self._db.execute(sql.ONE_JOB, (job_id,)).fetchone()
        if found is None:
            return None
        *columns, data, result = found
        row = job_row(columns)
        attempts = with_current(row, self._rows.attempts_of(row.seq))
        lines = self._db.execute(sql.LOGS_OF, (row.seq, MOST_LINES_KEPT)).fetchall()
        return replace(
            view(row, data=data, result=result, attempt_ended_at=attempts[-1].ended_at if attempts else None),
            evidence=evidence(attempts) if row.state is JobState.FAILED else None,
            attempts=[attempt_view(attempt) for attempt in attempts],
            log=[LogLine(line_no=no, at=at, line=line, number=number) for no, at, line, number in reversed(lines)],
        )

    def _live(self) -> list[LiveAttempt]:
        """Reads newest first, and stops at the last one: running jobs are seldom old."""
        running = self._rows.counters.states[JobState.RUNNING]
        return list(map(live_attempt, self._db.execute(sql.LIVE, (running,))))

    def _ready(self) -> list[LaneReady]:
        return self._rows.all_ready()

    def _named_types(self, names: Sequence[str]) -> list[TypeView]:
        lanes = self._rows.lanes
        return type_views(names, lanes.of_type, lanes.offered, self._rows.counters.types)

    def _types(self, prefix: str, after: str | None, most: int) -> list[TypeView]:
        return self._named_types(self._rows.lanes.of_type.slice(prefix, after, most))

    def _filled(self) -> bool:
        """Takes older jobs into the index. Returns whether that is over; without room the next start goes on."""
        assert self._index is not None
        try:
            over = self._index.fill()
        except sqlite3.Error as error:
            self._undo_where_full(error)
            return True
        self._mark.move_if_long()
        return over

    def _close(self) -> None:
        self._watch.look()
        if not self._db.in_transaction:  # else the store has failed
            self._keep_clock()
        self._mark.close()
        self._db.close()

    def _keep_clock(self) -> None:
        try:
            with contextlib.suppress(StaleLife):  # the clock is its successor's
                self._rows.save_clock()
        except sqlite3.Error as error:
            self._undo_where_full(error)  # then the next start loses a minute at most

    # -- on the loop

    async def _fill(self) -> None:
        with contextlib.suppress(StorageTrouble):  # the next turn says so
            while not await self._thread.read(self._filled):
                pass

    def apply(self, turn: Turn) -> Awaitable[TurnReport]:
        """See port.Store."""
        return self._thread.turn(partial(self._apply, turn))

    async def ready(self) -> list[LaneReady]:
        """See port.Store."""
        return await self._thread.run(self._ready)

    async def live_attempts(self) -> list[LiveAttempt]:
        """See port.Store."""
        return await self._thread.run(self._live)

    async def job(self, job_id: str) -> JobView | None:
        """See port.Store."""
        return await self._thread.read(lambda: self._job(job_id))

    async def state(self, job_id: str) -> JobState | None:
        """See port.Store."""
        found = await self._thread.read(lambda: self._db.execute(sql.STATE_OF, (job_id,)).fetchone())
        return None if found is None else JobState(found[0])

    async def standing(self, job_ids: Sequence[str]) -> dict[str, JobStanding]:
        """See port.Store."""
        asked = (json.dumps(job_ids),)
        found = await self._thread.read(lambda: self._db.execute(sql.STANDING, asked).fetchall())
        return {job_id: JobStanding(kind, JobState(state), owner) for job_id, kind, state, owner in found}

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """See port.Store."""
        reading = PageRead(self._db, job_filter, self._index)
        for _ in range(SLICES):
            # Each slice is a call of its own: a turn that has come meanwhile goes first, and so do reads of others.
            if await self._thread.read(lambda: reading.slice(self._rows.lanes)):
                break
        return reading.page()

    async def types(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[TypeView]:
        """See port.Store."""
        return await self._thread.read(partial(self._types, prefix, after, most))

    async def named_types(self, names: Sequence[str]) -> list[TypeView]:
        """See port.Store."""
        return await self._thread.read(partial(self._named_types, names))

    async def first_in_line(self, lanes: Sequence[str]) -> dict[str, float]:
        """See port.Store."""
        return await self._thread.read(lambda: self._rows.lanes.first_in_line(lanes))

    async def in_line(self, job_id: str) -> InLine | None:
        """See port.Store."""
        return await self._thread.read(lambda: self._rows.lanes.in_line(job_id, self._rows.counters))

    async def counts(self) -> dict[str, int]:
        """See port.Store."""
        return await self._thread.read(lambda: self._rows.counters.by_state())

    async def tokens(self) -> list[Token]:
        """See port.Store."""
        return await self._thread.read(lambda: all_tokens(self._db))

    async def acts(self, wanted: AuditFilter) -> AuditPage:
        """See port.Store."""
        reading = ActsRead(self._db, wanted)
        for _ in range(SLICES):
            if await self._thread.read(reading.slice):  # as in ``jobs``
                break
        return reading.page()

    async def begin_backup(self, now_at: float) -> Backup:
        """See port.Store."""
        try:
            size = self._path.stat().st_size
            path = self._shelf.begin(now_at, size)
        except OSError as error:
            raise BackupFailed(f"{self._shelf.directory} cannot be used: {error.strerror}") from error
        return Backup(name=path.name, state=BackupState.RUNNING, bytes=size, copied_bytes=0, begun_at=now_at)

    async def back_up(self, backup: Backup, told: Callable[[int], None]) -> None:
        """See port.Store."""

        async def let_go() -> None:
            await self._thread.run(self._mark.release)

        await self._thread.run(self._mark.hold)
        try:
            await take(self._path.resolve(), self._shelf.directory / backup.name, whole=let_go, told=told)
        finally:
            await let_go()
        self._shelf.keep(self._limits.backups_kept)

    async def backups(self) -> list[Backup]:
        """See port.Store."""
        return self._shelf.all()

    async def close(self) -> None:
        """See port.Store. Calls that came before are answered.

        If the file is not there any more, it is not closed: that would remove the log that lies there.
        """
        if self._filling is not None:
            self._filling.cancel()
        await self._thread.run(self._close)
        self._thread.stop()
