"""The store in a PostgreSQL database: one connection in one thread, as the embedded store has it.

The database may restart or be away for a while. Whatever has not reached its COMMIT has not happened; whether a COMMIT
whose answer was lost has happened is read back by the node's count of its turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import psycopg
from msgspec.structs import replace

from dispatcher.access.acts import AuditFilter, AuditPage
from dispatcher.access.tokens import Token
from dispatcher.clock import SystemClock
from dispatcher.core.jobs.model import JobFilter, JobPage, JobStanding, JobView, LogLine, TypeView
from dispatcher.core.jobs.news import Hint
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import LaneReady, LiveAttempt, Turn, TurnReport
from dispatcher.core.jobs.views.nodes import NodeView
from dispatcher.core.jobs.views.outlook import MOST_BEFORE, InLine
from dispatcher.errors import StorageAway, StorageFull, StorageTrouble, StoreRefused
from dispatcher.store.applier.commands import evidence
from dispatcher.store.applier.hand import Ids
from dispatcher.store.applier.turn import apply
from dispatcher.store.columns import attempt_row, job_row, live_attempt
from dispatcher.store.driving import Apply, Pace, StaleLife, apply_items, refuse_stale, run, stale_words
from dispatcher.store.port import NODE, Limits
from dispatcher.store.postgres.acts import ActsPages
from dispatcher.store.postgres.batches import PostgresBatches
from dispatcher.store.postgres.clock import DatabaseClock
from dispatcher.store.postgres.endings import PostgresEndings
from dispatcher.store.postgres.hints import HintListener, Hints, send_hint
from dispatcher.store.postgres.hooks import PostgresHooks
from dispatcher.store.postgres.kept import PostgresKept
from dispatcher.store.postgres.keys import ALL_LANES, lane_key
from dispatcher.store.postgres.link import AGAIN, AWAY_S, ITEM_ERRORS, Link, Rows, words_of
from dispatcher.store.postgres.lists import JobPages
from dispatcher.store.postgres.lives import BEAT_S, begin_life, take_node
from dispatcher.store.postgres.names import PostgresNames
from dispatcher.store.postgres.reader import Reader
from dispatcher.store.postgres.rows import PostgresRows
from dispatcher.store.postgres.schema import connect, kept_if_well, open_schema, place_of
from dispatcher.store.postgres.seen import PostgresSeen
from dispatcher.store.postgres.tokens import all_tokens
from dispatcher.store.thread import StoreThread
from dispatcher.store.unbacked import WithoutBackups
from dispatcher.store.views import (
    MOST_ATTEMPTS_SHOWN,
    MOST_LINES_KEPT,
    SLICES,
    attempt_view,
    end_of,
    type_views,
    view,
    with_current,
)  # fmt: skip

__all__ = ["PostgresStore"]

#: How often a turn is applied anew that has met another node's.
_TRIES = 5
#: How long a COMMIT whose answer was lost is asked after, and how often.
_UNKNOWN_S, _PAUSE_S = 20.0, 0.1
#: How long the database may take to notice that the last connection is gone.
_PATIENCE_S = 0.5
_clock = SystemClock()
#: Nobody sets it: to wait for it is to pause.
_nothing = threading.Event()


class PostgresStore(WithoutBackups):
    """See port.Store. Made by ``open``."""

    no_backups = "this server makes no backups of PostgreSQL: back the database up with pg_dump"

    def __init__(
        self, url: str, node: str, thread: StoreThread, ids: Ids, limits: Limits, utc: Callable[[], float] | None
    ) -> None:
        self.location = place_of(url)
        self.created, self.key = False, b""
        self.node, self.beat_s, self.epoch = node, BEAT_S, 0
        self._url, self._thread, self._ids, self._limits = url, thread, ids, limits
        self._pace, self._clock = Pace(), DatabaseClock(utc)
        self._link: Link
        self._rows: PostgresRows
        self._reader: Reader
        self.batches: PostgresBatches
        self.endings: PostgresEndings
        self.kept: PostgresKept
        self.names: PostgresNames
        self.hooks: PostgresHooks
        self.seen: PostgresSeen
        self._hints = Hints(node, thread.loop, self._hint)
        self._listener: HintListener | None = None
        #: How it has failed: then there is no other turn.
        self._trouble = ""

    @classmethod
    async def open(
        cls,
        url: str,
        ids: Ids,
        *,
        limits: Limits | None = None,
        node: str = NODE,
        utc: Callable[[], float] | None = None,
    ) -> PostgresStore:
        """Opens the store, and makes it in an empty database. ``utc``: the clock that turns have; the database's counts
        in its place. None: it counts itself. Raises StoreRefused.
        """
        thread = StoreThread(asyncio.get_running_loop())
        try:
            store = cls(url, node, thread, ids, limits or Limits(), utc)
            await thread.run(store._start)
        except BaseException:
            thread.stop()
            raise
        return store

    # -- in the thread

    def _start(self) -> None:
        connection = connect(self._url, self.node)
        with kept_if_well(connection, self.location):
            opened = open_schema(connection, self._url)
            self._link, self.created, self.key = opened
            life = begin_life(self._link, self.location, self.node)
            self._clock.look(lambda: float(self._link.one("database_at")[0][0]))
        self.epoch = life.epoch
        self._rows = PostgresRows(self._link, self.node, life, self._limits.webhook_backlog, self._when_back)
        self._reader = Reader(self._thread, self._link, self._connected_for_reads)
        self.batches, self.kept = PostgresBatches(self._reader), PostgresKept(self._reader)
        self.endings = PostgresEndings(self._rows.endings, self._reader)
        self.names = PostgresNames(self._reader, self._link)
        self.seen = PostgresSeen(self._reader, self.node)
        self.hooks = PostgresHooks(self._reader, lambda: self._rows.queue_clock.base)

    def _apply(self, turn: Turn, gathered_at: float) -> TurnReport:
        self._rows.gathered_at = gathered_at
        refuse_stale(turn, self.epoch)
        if self._trouble:
            raise StorageTrouble(self._trouble)
        try:
            self._see_to_connection()
            report = self._clock.told(self._applied(self._clock.dated(turn)))
            self._clock.seen(self._rows.database_at, turn.now_at)
        except StaleLife as stale:
            self._link.leave()
            refuse_stale(turn, stale.newest)
            raise
        except psycopg.Error as error:
            raise self._failed(error) from error
        self._pace.done(turn, report)
        return report

    def _see_to_connection(self) -> None:
        """Connects again if the connection is lost. Raises StorageAway, StaleLife."""
        if not self._link.lost():
            return
        try:
            connection = connect(self._url, self.node)
            link = Link(connection)
            try:
                newest = link.one("epoch", node=self.node)
                if newest != [(self.epoch,)]:
                    raise StaleLife(newest[0][0] if newest else 0)
                take_node(link, self.location, self.node, patience_s=_PATIENCE_S)
            except BaseException:
                connection.close()
                raise
        except (StoreRefused, psycopg.Error) as error:
            raise StorageAway(f"the database does not answer: {error}", retry_after_s=AWAY_S) from error
        self._link.use(connection)

    def _connected_for_reads(self) -> None:
        try:
            self._see_to_connection()
        except StaleLife as stale:
            raise StorageTrouble(stale_words(self.epoch, self.node, stale.newest)) from stale

    def _when_back(self, read: Callable[[], Rows]) -> Rows:
        """What this reads, once the database is there again: the answer to a COMMIT was lost. Raises StorageTrouble."""
        deadline = _clock.monotonic() + _UNKNOWN_S
        while _clock.monotonic() < deadline:
            try:
                self._see_to_connection()
                return read()
            except (StorageAway, psycopg.OperationalError):
                _nothing.wait(_PAUSE_S)
        self._trouble = "the database was lost in a COMMIT and does not come back: nobody knows whether it has happened"
        raise StorageTrouble(self._trouble)

    def _applied(self, turn: Turn) -> TurnReport:
        part = partial(self._part, purge=self._pace.due(turn))
        for _ in range(_TRIES):
            self._rows.begin(whole=True)
            try:
                return part(turn)
            except AGAIN:
                self._link.leave()
            except ITEM_ERRORS:
                self._link.leave()
                break
        return self._by_items(part, turn)

    def _by_items(self, part: Apply, turn: Turn) -> TurnReport:
        self._rows.begin(whole=False)
        report = apply_items(part, turn, self._guard)
        self._rows.commit()
        return report

    def _part(self, turn: Turn, **how: Any) -> TurnReport:
        return run(apply(turn, self._limits, self._ids, **how), self._rows)

    def _guard(self, step: Callable[[], TurnReport]) -> TurnReport | None:
        """A second try sees what another node has written meanwhile."""
        for _ in range(2):
            self._rows.mark()
            try:
                report = step()
            except ITEM_ERRORS:
                self._rows.back_to_mark()
            else:
                self._rows.unmark()
                return report
        return None

    def _failed(self, error: psycopg.Error) -> Exception:
        """What to raise. Whether a COMMIT has happened has been read back: here nothing has."""
        self._link.leave()
        if isinstance(error, psycopg.errors.DiskFull):
            return StorageFull(f"the disk of {self.location} is full: make room")
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            self._link.close()  # it was the primary, and is a standby now
        if self._link.lost() or isinstance(error, psycopg.OperationalError):
            return StorageAway(f"the database does not answer: {words_of(error)}", retry_after_s=AWAY_S)
        self._trouble = f"the store failed: {words_of(error)}"
        return StorageTrouble(self._trouble)

    def _job(self, job_id: str) -> JobView | None:
        asked = {"id": job_id, "most": MOST_ATTEMPTS_SHOWN}
        found, attempt_rows, lines = self._link.at_once(
            [("one_job", asked), ("attempts_of", asked), ("log_of", asked | {"most": MOST_LINES_KEPT})]
        )
        if not found:
            return None
        *columns, data, result, node = found[0]
        row = job_row(columns)
        nodes = {attempt[0]: attempt[-1] for attempt in attempt_rows}
        if row.state is JobState.RUNNING:
            nodes[row.attempt] = node
        attempts = with_current(row, [attempt_row(attempt[:-1]) for attempt in reversed(attempt_rows)])
        return replace(
            view(row, data=data, result=result, attempt_ended_at=attempts[-1].ended_at if attempts else None),
            evidence=evidence(attempts) if row.state is JobState.FAILED else None,
            attempts=[attempt_view(attempt, nodes.get(attempt.id) or "") for attempt in attempts],
            log=[LogLine(line_no=no, at=at, line=line, number=number) for no, at, line, number in reversed(lines)],
        )

    def _named_types(self, names: Sequence[str]) -> list[TypeView]:
        counts: dict[str, dict[str, int]] = {}
        offered: dict[str, float] = {}
        for type_name, offered_at, state, jobs in self._link.one("counts_of", types=list(names)):
            of_type = counts.setdefault(type_name, {})
            if offered_at is not None:
                offered[type_name] = offered_at
            if state is not None:
                of_type[state] = jobs
        return type_views(names, counts, offered, counts)

    def _types(self, prefix: str, after: str | None, most: int) -> list[TypeView]:
        rows = self._link.one("types", prefix=prefix, end=end_of(prefix), after=after, most=most)
        return self._named_types([name for (name,) in rows])

    def _close(self) -> None:
        with contextlib.suppress(psycopg.Error):  # then the database lets go by itself
            self._link.one("let_go")
        self._link.close()

    # -- on the loop

    def apply(self, turn: Turn) -> Awaitable[TurnReport]:
        """See port.Store. It shows no jobs: these are round trips, and other connections read them beside the turns."""
        applied = self._thread.turn(partial(self._apply, turn, _clock.monotonic()))
        applied.add_done_callback(self._hinted)
        return applied

    def _hinted(self, applied: asyncio.Future[TurnReport]) -> None:
        if not (applied.cancelled() or applied.exception()):
            self._hints.wanted(self._rows.others.told)

    def listen(self, hinted: Callable[[Hint], None]) -> None:
        """See port.Store."""
        self._listener = HintListener(self._thread.loop, lambda: connect(self._url, self.node), self.node, hinted)

    def _hint(self, text: str) -> None:
        """Behind the turns that wait. If the database is away nobody hears of it, and nobody needs to."""
        sent = self._thread.read(partial(send_hint, self._link, text))
        sent.add_done_callback(lambda sent: sent.cancelled() or sent.exception())

    async def ready(self) -> list[LaneReady]:
        """See port.Store."""
        return sorted((LaneReady(*row) for row in await self._reader.one("all_ready")), key=lambda ready: ready.lane)

    async def live_attempts(self) -> list[LiveAttempt]:
        """See port.Store."""
        return [live_attempt(row) for row in await self._reader.one("live", node=self.node)]

    async def job(self, job_id: str) -> JobView | None:
        """See port.Store."""
        return await self._reader.call(partial(self._job, job_id))

    async def state(self, job_id: str) -> JobState | None:
        """See port.Store."""
        found = await self._reader.one("state_of", id=job_id)
        return JobState(found[0][0]) if found else None

    async def standing(self, job_ids: Sequence[str]) -> dict[str, JobStanding]:
        """See port.Store."""
        rows = await self._reader.one("standing", ids=list(job_ids))
        return {job_id: JobStanding(kind, JobState(state), owner) for job_id, kind, state, owner in rows}

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """See port.Store."""
        reading = JobPages(self._link, job_filter)
        for _ in range(SLICES):
            # Each slice is a call of its own: a turn that has come meanwhile goes first, and so do reads of others.
            if await self._reader.call(reading.slice):
                break
        return reading.page()

    async def types(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[TypeView]:
        """See port.Store."""
        return await self._reader.call(partial(self._types, prefix, after, most))

    async def named_types(self, names: Sequence[str]) -> list[TypeView]:
        """See port.Store."""
        return await self._reader.call(partial(self._named_types, names))

    async def first_in_line(self, lanes: Sequence[str]) -> dict[str, float]:
        """See port.Store."""
        names = {lane_key(lane): lane for lane in lanes}
        rows = await self._reader.one("first_in_line", lanes=list(names))
        return {names[str(key)]: since for key, since in rows}

    async def in_line(self, job_id: str) -> InLine | None:
        """See port.Store."""
        rows = await self._reader.one("in_line", id=job_id, most=MOST_BEFORE + 1)
        return InLine(*rows[0]) if rows else None

    async def counts(self) -> dict[str, int]:
        """See port.Store."""
        rows = await self._reader.one("counts", all=ALL_LANES)
        return dict.fromkeys(map(str, JobState), 0) | dict(rows)

    async def nodes(self) -> list[NodeView]:
        """See port.Store."""
        return await self.seen.nodes()

    async def tokens(self) -> list[Token]:
        """See port.Store."""
        return await self._reader.call(partial(all_tokens, self._link))

    async def acts(self, wanted: AuditFilter) -> AuditPage:
        """See port.Store."""
        reading = ActsPages(self._link, wanted)
        for _ in range(SLICES):
            if await self._reader.call(reading.slice):  # as in ``jobs``
                break
        return reading.page()

    async def close(self) -> None:
        """See port.Store. Calls that came before are answered."""
        self._hints.close()
        if self._listener is not None:
            self._listener.close()
        await self._thread.run(self._close)
        self._thread.stop()
