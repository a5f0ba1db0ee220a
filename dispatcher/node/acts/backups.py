"""Backups of the store: one at a time, in a task of its own; how far it is, and how the last ones went."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from msgspec.structs import replace

from dispatcher.clock import Clock
from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.errors import BackupNotFound, Draining, PagehandError, WrongState
from dispatcher.store.port import Store

__all__ = ["Backups"]

log = logging.getLogger("pagehand.backups")

#: Backups that failed and are still told of, the newest ones.
_MOST_FAILED = 10


class Backups:
    """The backups of one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._task: asyncio.Task[None] | None = None
        #: The one that runs; or the last one, if it has failed.
        self._running: Backup | None = None
        self._failed: list[Backup] = []
        self._beginning = self._closed = False

    async def begin(self) -> Backup:
        """Begins a backup. Raises WrongState if one runs, BackupFailed, StorageFull, Draining."""
        if self._closed:
            raise Draining("the server is stopping: ask again in a moment")
        if self._beginning or self._running is not None:
            raise WrongState("a backup is being made already: ask for it, or wait until it is done")
        self._beginning = True
        try:
            self._running = await self._store.begin_backup(self._clock.utc())
        finally:
            self._beginning = False
        self._task = asyncio.get_running_loop().create_task(self._make(self._running))
        return self._running

    async def _make(self, backup: Backup) -> None:
        log.info("a backup begins: %s", backup.name, extra={"action": "backup"})
        try:
            await self._store.back_up(backup, self._copied)
        except asyncio.CancelledError:
            self._end(backup, "the server stopped")
            raise
        except PagehandError as error:
            self._end(backup, error.detail)
        except Exception as error:
            log.exception("a backup failed", extra={"action": "backup_failed"})
            self._end(backup, f"a fault of the server: {type(error).__name__}")
        else:
            log.info("the backup is whole: %s", backup.name, extra={"action": "backup"})
            self._running = None

    def _copied(self, count: int) -> None:
        if self._running is not None:
            self._running = replace(self._running, copied_bytes=count)

    def _end(self, backup: Backup, why: str) -> None:
        log.error("the backup %s failed: %s", backup.name, why, extra={"action": "backup_failed"})
        copied = self._running.copied_bytes if self._running is not None else 0
        failed = replace(backup, state=BackupState.FAILED, copied_bytes=copied, ended_at=self._clock.utc(), detail=why)
        self._failed, self._running = [failed, *self._failed][:_MOST_FAILED], None

    async def all(self) -> list[Backup]:
        """The one that runs, those that failed since the start, and those that there are: the newest first."""
        running = [] if self._running is None else [self._running]
        known = [*running, *self._failed, *await self._store.backups()]
        return sorted(known, key=lambda backup: backup.begun_at, reverse=True)

    async def one(self, name: str) -> Backup:
        """Raises BackupNotFound."""
        for backup in await self.all():
            if backup.name == name:
                return backup
        raise BackupNotFound(f"there is no backup {name!r}: it was never made here, or a newer one has taken its place")

    async def close(self) -> None:
        """Ends the one that runs; the store may be closed then."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
