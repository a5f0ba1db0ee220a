"""The diaries of the workers that are here: what each did lately, kept in the store with the turns that come anyway.

A worker that comes has perhaps been here before: its diary is read, and goes on. A diary is written when its worker
goes, when the server stops, and otherwise at most every ten seconds, some at a time. So a server that is killed loses
the last seconds of them, and what a diary costs does not depend on how much its worker does.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from msgspec.structs import replace

from dispatcher.clock import Clock
from dispatcher.core.fleet.worker import Passage, Worker
from dispatcher.core.jobs.diaries import MOST_JOBS, Diary, KeepDiaries, KnownWorker, continued, quarter_of
from dispatcher.core.jobs.news import Change
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cause
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import PagehandError
from dispatcher.pages.sessioninfo import SessionInfo
from dispatcher.store.port import Store

__all__ = ["KEPT_S", "MOST_AT_ONCE", "Diaries"]

#: How often a diary that goes on is written at most; how many are written, and read, at once.
KEPT_S, MOST_AT_ONCE = 10.0, 200
_DAY_S = 86_400.0


class _Writing:
    """The diary of a worker that is here, since it came."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        #: What it did before it came; ``is_whole``: that is known.
        self.before: Diary | None = None
        self.is_whole = False
        #: Its last jobs, the newest last.
        self.jobs: OrderedDict[str, None] = OrderedDict()
        self.tries: dict[int, int] = {}
        self.passages: list[tuple[float, str]] = []
        #: What its page said last about itself.
        self.page: Mapping[str, str] = {}
        #: The monotonic instant of the newest coming or going that is among them.
        self.noted = float("-inf")

    def tried(self, change: Change) -> None:
        """A try of it has ended."""
        self.jobs[change.job] = None
        self.jobs.move_to_end(change.job)
        if len(self.jobs) > MOST_JOBS:
            self.jobs.popitem(last=False)
        quarter = quarter_of(change.at)
        self.tries[quarter] = self.tries.get(quarter, 0) + 1

    def note(self, lately: Iterable[tuple[float, Passage]], ahead_s: float) -> None:
        """What has happened to its connection. ``ahead_s``: how far the wall clock is ahead of the monotonic one."""
        for at, passage in lately:
            if at > self.noted:
                self.noted = at
                self.passages.append((round(at + ahead_s, 3), passage.value))


class Diaries:
    """``of`` tells one; the turns take what is to be kept."""

    def __init__(self, store: Store, clock: Clock, machine: Machine, sessions: Mapping[str, SessionInfo]) -> None:
        self._store, self._clock, self._machine, self._sessions = store, clock, machine, sessions
        self._writing: dict[str, _Writing] = {}
        #: Those to be kept: by the ids of workers that are here, and by the names of those that have gone.
        self._stale: dict[str, None] = {}
        self._left: dict[str, Diary] = {}
        self._unread: dict[str, None] = {}
        self._reading: asyncio.Task[None] | None = None
        self._next_at = clock.monotonic()
        self.look()

    def look(self) -> None:
        """Sees which day it is."""
        now_at = self._clock.utc()
        self._machine.begin_day(int((now_at + self._clock.ahead_s(now_at)) // _DAY_S))

    def seen(self, changes: Iterable[Change]) -> None:
        """What turns have done."""
        for change in changes:
            if change.old is not JobState.RUNNING or change.reason == Cause.LAPSED:
                continue
            writing = self._writing.get(change.worker or "")
            if writing is None:
                continue
            writing.tried(change)
            self._stale[writing.worker.id] = None

    def take(self) -> KeepDiaries | None:
        """What the next turn is to keep; None: nothing now."""
        self.look()
        for worker_id in self._machine.roster.take_stirred():
            self._stir(worker_id)
        self._read_some()
        kept = {name: self._left.pop(name) for name in list(islice(self._left, MOST_AT_ONCE))}
        now = self._clock.monotonic()
        if self._next_at <= now:
            self._next_at = now + KEPT_S
            kept |= self._taken(MOST_AT_ONCE)
        return KeepDiaries(kept) if kept else None

    def take_all(self) -> KeepDiaries | None:
        """Everything that is not kept yet: the server stops."""
        kept, self._left = self._left, {}
        kept |= self._taken(len(self._stale))
        return KeepDiaries(kept) if kept else None

    def close(self) -> None:
        """Reads no more."""
        if self._reading is not None:
            self._reading.cancel()

    def _taken(self, most: int) -> dict[str, Diary]:
        """Some that are to be kept, by the names of their workers."""
        whole = [worker_id for worker_id in self._stale if self._writing[worker_id].is_whole][:most]
        for worker_id in whole:
            del self._stale[worker_id]
        return {self._writing[worker_id].worker.name: self._told(self._writing[worker_id]) for worker_id in whole}

    def _stir(self, worker_id: str) -> None:
        worker, writing = self._machine.workers.get(worker_id), self._writing.get(worker_id)
        if worker is None:
            if writing is not None:
                self._leave(writing)
            return
        if writing is None:
            self._writing[worker_id] = writing = _Writing(worker)
            self._unread[worker_id] = None
        writing.worker = worker
        self._see_page(writing)
        self._stale[worker_id] = None

    def _see_page(self, writing: _Writing) -> None:
        session = writing.worker.session
        info = None if session is None else self._sessions.get(session)
        writing.page = writing.page if info is None else info.page

    def _leave(self, writing: _Writing) -> None:
        """A diary of which the beginning is not known yet is not kept: it would take the place of that."""
        worker_id = writing.worker.id
        if writing.is_whole:
            told = self._told(writing)
            at, last = told.passages[-1] if told.passages else (0.0, "")
            if last not in (Passage.AWAY, Passage.QUIET):  # its page has said goodbye, or was turned away
                heard_at = round(told.at - self._clock.monotonic() + writing.worker.heard, 3)
                told = replace(told, passages=(*told.passages, (max(at, heard_at), Passage.AWAY.value)))
            self._left[writing.worker.name] = told
        del self._writing[worker_id]
        self._stale.pop(worker_id, None)
        self._unread.pop(worker_id, None)

    def _read_some(self) -> None:
        if self._unread and (self._reading is None or self._reading.done()):
            self._reading = asyncio.ensure_future(self._read(list(islice(self._unread, MOST_AT_ONCE))))

    async def _read(self, worker_ids: Collection[str]) -> None:
        try:
            found = await self._store.names.known(worker_ids)
        except PagehandError:  # the store is away: with the next turn it is asked again
            return
        known = {one.worker: one for one in found}
        for worker_id in worker_ids:
            self._unread.pop(worker_id, None)
            self._go_on(worker_id, known.get(worker_id))

    def _go_on(self, worker_id: str, known: KnownWorker | None) -> None:
        writing = self._writing.get(worker_id)
        if writing is None or writing.is_whole:
            return
        writing.is_whole = True
        if known is not None and known.diary is not None:
            writing.before = before = known.diary
            self._machine.recall(writing.worker, before.day, before.done, before.failed)

    def _told(self, writing: _Writing) -> Diary:
        worker, now_at = writing.worker, self._clock.utc()
        self._see_page(writing)
        writing.note(worker.lately, now_at - self._clock.monotonic())
        done, failed = self._machine.today(worker)
        told = Diary(
            at=now_at, day=self._machine.day, done=done, failed=failed, jobs=tuple(writing.jobs),
            tries=tuple(sorted(writing.tries.items())), passages=tuple(writing.passages), types=worker.types,
            labels=worker.labels, page=dict(writing.page),
        )  # fmt: skip
        return told if writing.before is None else continued(writing.before, told)

    async def of(self, worker_id: str) -> Diary | None:
        """The diary of a worker, wherever it is; None: nothing is known."""
        writing = self._writing.get(worker_id)
        if writing is not None:
            return self._told(writing)
        worker = self._machine.workers.get(worker_id)
        found = await self._store.names.known([worker_id])
        before = found[0].diary if found else None
        if worker is None:
            return before
        just_here = _Writing(worker)  # no turn has seen it yet
        just_here.before = before
        return self._told(just_here)
